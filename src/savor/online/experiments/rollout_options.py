"""`[experiments.NAME.rollout]` in savor.toml."""

from typing import Self

from pydantic import Field, model_validator

from savor.core.config import Section


class RolloutOptions(Section):
    """How a variant gets its users step by step."""

    variant: str = Field("candidate", description="The variant that is rolled out.")
    steps: tuple[float, ...] = Field((0.01, 0.05, 0.2, 0.5, 1.0), description="Shares of users who get it, rising.")
    hours: float = Field(24.0, gt=0, description="How long each step lasts at least.")
    users: int = Field(1000, ge=2, description="How many users must have got it in a step before the next.")

    @model_validator(mode="after")
    def _rises(self) -> Self:
        rising = all(low < high for low, high in zip(self.steps, self.steps[1:], strict=False))
        if not self.steps or not rising or self.steps[0] <= 0 or self.steps[-1] > 1:
            raise ValueError(f"steps must rise from above 0 to at most 1, got {list(self.steps)}")
        return self
