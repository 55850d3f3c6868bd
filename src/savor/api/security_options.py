"""Who may call the API."""

from typing import Literal

from pydantic import Field

from savor.core.config import Section


class SecurityOptions(Section):
    """`[security]` in savor.toml."""

    keys: Literal["auto", "required", "off"] = Field(
        "auto",
        description="Whether callers must show an API key. `auto`: unless the server listens on this machine alone. "
        "`off` is refused for any other address.",
    )
    requests_per_second: float = Field(
        200.0, gt=0, description="How many requests of one key are answered in the long run; 100 events count as one."
    )
    burst: float = Field(1000.0, ge=1, description="How many may come at once after a pause.")
    open_metrics: bool = Field(
        False, description="Whether `/metrics` needs no key; it shows sales, so only where nobody else can reach it."
    )
