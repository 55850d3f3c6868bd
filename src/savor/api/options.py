"""How the server runs."""

from typing import Literal

from pydantic import Field

from savor.core.config import Section


class ServingOptions(Section):
    """`[serving]` in savor.toml."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    clock: Literal["wall", "data"] = Field(
        "wall", description="What now is: the wall clock, or the end of the data, for data of the past."
    )
