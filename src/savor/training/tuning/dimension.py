"""One key of the configuration that may be changed in search of better settings."""

from typing import Any, Self

from pydantic import Field, model_validator

from savor.core.config import Section


class Dimension(Section):
    """A key of `[tuning.space]`: `{low, high}` for a number, or `{choices}`."""

    low: float | None = Field(None, description="Least value of a number.")
    high: float | None = Field(None, description="Largest value of a number.")
    log: bool = Field(False, description="Whether a factor counts as a step, as for learning rates.")
    step: float | None = Field(None, gt=0, description="Only multiples of it above `low`.")
    choices: tuple[Any, ...] = Field((), description="Instead of a range: the values to choose from.")
    when: dict[str, Any] = Field(
        {},
        description='Only looked at where other keys have these values, as in `{"retrieval.model" = "two_tower"}`; '
        "a list gives several.",
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.choices:
            if (self.low, self.high, self.step, self.log) != (None, None, None, False):
                raise ValueError("give either choices, or low and high")
            return self
        if self.low is None or self.high is None:
            raise ValueError("give low and high, or choices")
        if self.low > self.high:
            raise ValueError("low is above high")
        if self.log and (self.low <= 0 or self.step is not None):
            raise ValueError("with log, low must be above 0 and there can be no step")
        return self
