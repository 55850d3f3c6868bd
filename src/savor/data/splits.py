"""Which events are for training, for choosing and for the one final look."""

from typing import Literal, Self

from pydantic import Field, model_validator

from savor.core.config import Section

TRAIN, VALIDATION, TEST = 0, 1, 2
"""Values of `Events.split` (uint8)."""

NAMES = {"train": TRAIN, "validation": VALIDATION, "test": TEST}
SPELLINGS = {
    "train": TRAIN, "training": TRAIN, "0": TRAIN,
    "validation": VALIDATION, "valid": VALIDATION, "val": VALIDATION, "dev": VALIDATION, "1": VALIDATION,
    "test": TEST, "testing": TEST, "2": TEST,
}  # fmt: skip
"""What a given split column may say, in lower case."""

LEAST_EVENTS = 3
"""Users with fewer events are left whole in training when one is left out."""


class SplitOptions(Section):
    """The `[split]` section of `savor.toml`."""

    method: Literal["temporal", "leave_one_out", "column", "random"] = Field(
        "temporal",
        description="By time for all at once, each user's last two events, a column of the events, or at random.",
    )
    test: float = Field(
        0.1, ge=0, lt=1, description="Share of the time span, at its end, for test (temporal); of the events (random)."
    )
    validation: float = Field(0.1, ge=0, lt=1, description="Share before that, or of the events, for validation.")
    seed: int = Field(0, ge=0, description="Of the random split.")

    @model_validator(mode="after")
    def _leaves_training(self) -> Self:
        if self.test + self.validation >= 1:
            raise ValueError(
                f"test and validation take {self.test + self.validation:.0%} and leave nothing to train on"
            )
        return self


def temporal_cuts(start: int, end: int, options: SplitOptions) -> tuple[int, int]:
    """The moments (validation, test) from which events belong to the next split.

    Args:
        start: UTC seconds of the first event.
        end: UTC seconds of the last event.
        options: the shares of the time between the two.
    """
    span = end - start
    return start + int((1 - options.test - options.validation) * span), start + int((1 - options.test) * span)
