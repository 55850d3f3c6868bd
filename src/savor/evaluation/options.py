"""What is measured, and how carefully."""

from typing import Literal

from pydantic import Field

from savor.core.config import Section


class EvaluationOptions(Section):
    """`[evaluation]` in savor.toml."""

    tuning: Literal["quick", "full"] = Field(
        "quick", description="How many settings of each baseline are tried on validation."
    )
    cutoffs: tuple[int, ...] = Field((10, 20, 100), description="The k of every metric@k.")
    resamples: int = Field(1000, ge=100, description="Resamples of the bootstrap behind the 95% intervals.")
    pipeline_length: int = Field(20, ge=1, le=200, description="Length of the lists asked of the whole pipeline.")
    maximum_users: int = Field(20_000, ge=1, description="Most users that are asked, drawn by the seed.")
    kinds: tuple[str, ...] = Field((), description="Kinds of events that count as right answers; none: all.")
    minimum_value: float | None = Field(
        None, description="Least value (a rating, say) of an event that counts as a right answer."
    )
