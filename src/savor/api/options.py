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
    follow_seconds: float = Field(
        1.0, gt=0, le=3600, description="How often a server looks for a newly published bundle and for changed items."
    )
    keep_seconds: float = Field(
        900.0, ge=0, description="For how long the bundle before stays in memory, so that going back takes no time."
    )
    fold_items: int = Field(
        1000,
        ge=1,
        description="When so many items are new or described otherwise, an index with them is built in the background.",
    )
    shadow_channel: str = Field(
        "candidate",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="Channel of a bundle that answers a share of the requests beside the one that is served, unseen.",
    )
    shadow_share: float = Field(0.1, ge=0, le=1, description="Share of the requests that it answers too.")
