"""Which negatives the two towers learn from, and how many."""

from pydantic import Field, model_validator

from savor.core.config import Section


class NegativeOptions(Section):
    """`[negatives]` in savor.toml; the kinds add up."""

    in_batch: bool = Field(True, description="Whether the items of the other examples of a batch are negatives.")
    uniform: int = Field(
        0, ge=0, description="Negatives drawn from all items alike, the same for all examples of a batch."
    )
    shown: int = Field(
        0, ge=0, description="Negatives per example from what its user was shown and did not choose after."
    )
    shown_kind: str = Field(
        "impression", description="Kind of events that say an item was shown; such events are never positives."
    )
    similar_text: int = Field(0, ge=0, description="Negatives per example from the items nearest by text.")
    similar_image: int = Field(0, ge=0, description="Negatives per example from the items nearest by picture.")
    similar_embedding: int = Field(
        0, ge=0, description="Negatives per example from the items nearest by present item vectors."
    )
    neighbours: int = Field(50, ge=1, description="How many nearest items the similar ones are drawn from.")
    refresh_steps: int = Field(200, ge=1, description="Steps after which the nearest by item vectors are found anew.")

    @model_validator(mode="after")
    def _some(self) -> "NegativeOptions":
        if not self.in_batch and not any(
            (self.uniform, self.shown, self.similar_text, self.similar_image, self.similar_embedding)
        ):
            raise ValueError("in_batch is off and no other kind has a count, so there would be no negatives")
        return self
