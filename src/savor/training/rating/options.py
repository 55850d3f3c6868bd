"""How ratings are predicted."""

from typing import Literal

from pydantic import Field

from savor.core.config import Section
from savor.training.cross_network.options import DcnOptions


class RatingOptions(Section):
    """A model of ratings; `[[models]]` of a benchmark give these as `params`."""

    factors: int = Field(32, ge=1, description="Width of the vectors of users and items.")
    samples: int = Field(120, ge=1, description="Sweeps that count.")
    warm_up: int = Field(15, ge=0, description="Sweeps before those, thrown away.")
    keep: int = Field(60, ge=1, description="Draws kept for predicting.")
    noise_freedom: float | None = Field(
        None, gt=0, description="How alike the noise of users is, and of items; none: one noise for all."
    )
    side: bool = Field(True, description="Use profiles, categories, tags and numbers.")
    implicit: int = Field(
        150, ge=0, description="Width that who rated what, whatever the rating, is brought to; 0: not used."
    )
    time: Literal["none", "place", "days"] = Field(
        "place",
        description="What of the order and time of ratings has biases of its own: nothing; the place among the user's "
        "ratings, and each run of eight of them; or also the user's day and the item's two months.",
    )
    calibration: Literal["none", "clip", "isotonic"] = Field(
        "clip", description="What is made of predictions: nothing, kept within the scale, or a rising step function."
    )
    dcn: DcnOptions = DcnOptions(ids=True, id_width=16, class_weights="none", batch_size=4096, epochs=10)
