"""How the cross network is built and trained."""

from typing import Literal

from pydantic import Field

from savor.core.config import Section


class DcnOptions(Section):
    """`[dcn]` in savor.toml; for `[ranking] model = "dcn"`."""

    cross_layers: int = Field(2, ge=0, le=8, description="How many layers cross the features with each other.")
    rank: int = Field(32, ge=0, description="Rank of the cross layers' weights; 0: full.")
    structure: Literal["parallel", "stacked"] = Field(
        "parallel", description="Whether the deep layers stand beside the cross layers or after them."
    )
    hidden: tuple[int, ...] = Field((128, 64), description="Widths of the deep layers.")
    dropout: float = Field(0.1, ge=0, lt=1, description="Share of the deep layers' outputs that is left out.")
    ids: bool = Field(False, description="Whether embeddings of the ids and categories enter beside the features.")
    id_width: int = Field(8, ge=1, description="Width of those embeddings.")
    class_weights: Literal["none", "balanced"] = Field(
        "balanced",
        description="Whether chosen and not chosen count the same in sum; the chances are corrected for it afterwards.",
    )
    alpha: float = Field(0.1, ge=0, description="α, the weight of the rating head's squared error in the loss.")
    beta: float = Field(1.0, ge=0, description="β, the weight of the choice head's cross-entropy in the loss.")
    joint: bool = Field(
        False, description="Whether the loss of retrieval over the same embeddings is added; `ids` must be true."
    )
    temperature: float = Field(0.1, gt=0, description="Of that loss's softmax over the chosen items of a batch.")
    batch_size: int = Field(1024, ge=2, description="Examples in a step.")
    epochs: int = Field(12, ge=1, description="Most passes over the examples.")
    learning_rate: float = Field(0.001, gt=0, description="Step width of Adam; falls to a tenth along a half cosine.")
    weight_decay: float = Field(1e-5, ge=0, description="Share of each weight taken off in a step, by step width.")
    patience: int = Field(2, ge=1, description="Passes without a better validation loss after which training ends.")
    validation_share: float = Field(0.1, gt=0, lt=1, description="Share of the questions kept for validation.")
