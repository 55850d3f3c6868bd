"""How sequence models are built and trained."""

from typing import Literal, Self

from pydantic import Field, model_validator

from savor.core.config import Section


class SequenceOptions(Section):
    """`[sequence]` in savor.toml: of the retrieval models `transformer` and `gru`.

    How many events they look back on is `features.history_length`; passes, patience, budgets and the number of users
    validated on are those of `[retrieval]`.
    """

    width: int = Field(64, ge=2, le=1024, description="Width of the user and item vectors and of every layer.")
    blocks: int = Field(2, ge=1, le=16, description="How many transformer blocks, or recurrent layers.")
    heads: int = Field(2, ge=1, description="Attention heads of each transformer block.")
    feed_forward: int = Field(1, ge=1, le=8, description="Hidden width of the feed-forward part, in widths.")
    activation: Literal["gelu", "relu", "swiglu"] = Field("gelu", description="Of the feed-forward part.")
    gated: bool = Field(False, description="Whether what a block adds is weighed by a gate (LiGR).")
    position: Literal["relative", "absolute", "none"] = Field(
        "relative", description="How a transformer knows the order: by distance, by place counted from the newest."
    )
    time: bool = Field(
        False,
        description="Whether the time between events, and up to the question, is an input of the transformer; needs "
        "features.history_seconds.",
    )
    items: Literal["id", "all"] = Field(
        "id", description="What an item is known by: its id alone, or its id and every other input of the item tower."
    )
    item_dropout: float = Field(0.05, ge=0, lt=1, description='Share of item ids hidden in training, if items = "all".')
    item_bias: bool = Field(False, description="Whether each item has a number of its own added to its scores.")
    normalise: bool = Field(False, description="Whether vectors have length 1, so that scores are cosines.")
    temperature: float = Field(0.07, gt=0, description="What cosines are divided by in training, if normalise.")
    objective: Literal["next_item", "all_action"] = Field(
        "next_item", description="What each moment predicts: the next event, or any of those within the horizon."
    )
    horizon_days: float = Field(28.0, gt=0, description="How far all_action looks ahead.")
    loss: Literal["full_softmax", "sampled_softmax", "gbce", "bce"] = Field(
        "full_softmax", description="Against all items, or against drawn ones."
    )
    negatives: int = Field(1000, ge=1, description="Items drawn in each step, for the losses that draw.")
    gbce_t: float = Field(0.75, ge=0, le=1, description="How far gbce takes overconfidence back; 0 is bce.")
    dropout: float = Field(0.2, ge=0, lt=1, description="Share of numbers set to 0 in training, throughout.")
    random_windows: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Of histories longer than the window, the share shown from a random place in a pass; the others "
        "show their end.",
    )
    batch_tokens: int = Field(8192, ge=16, description="Events in a step, padding included.")
    learning_rate: float = Field(0.001, gt=0, description="Of Adam; falls to a twentieth along a half cosine.")
    warmup_steps: int = Field(200, ge=0, description="Steps in which the learning rate rises from 0.")
    weight_decay: float = Field(0.0, ge=0, description="Decoupled, of all but norms, biases and gains.")
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="Of matrix products in training; bfloat16 pays where the processor has it."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} must be a multiple of heads {self.heads}")
        if self.time and self.objective == "all_action":
            raise ValueError('time needs objective = "next_item": of other events the moment is not asked for')
        return self
