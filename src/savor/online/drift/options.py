"""`[drift]` in savor.toml."""

from pydantic import Field

from savor.core.config import Section


class DriftOptions(Section):
    """`[drift]` in savor.toml."""

    threshold: float = Field(0.25, gt=0, description="Population stability index above which there is an alarm.")
    tail: float = Field(
        0.0001, gt=0, lt=0.5, description="Chance of a value by which an unchanged distribution may exceed its bound."
    )
    hours: float = Field(24.0, gt=0, description="Over how long live values are counted.")
    slots: int = Field(24, ge=2, le=1000, description="In how many pieces that time passes by.")
