"""How the networks of neural collaborative filtering are built and trained."""

from typing import Literal

from pydantic import Field

from savor.core.config import Section


class NcfOptions(Section):
    """`[ncf]` in savor.toml; for `[retrieval] model = "gmf"` and `[ranking] model = "gmf"`, `"mlp"` or `"neumf"`."""

    factors: int = Field(32, ge=1, description="Width of the user and item vectors of GMF.")
    mlp_factors: int = Field(32, ge=1, description="Width of the user and item vectors of the MLP.")
    hidden: tuple[int, ...] = Field((64, 32, 16), min_length=1, description="Widths of the dense layers of the MLP.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Share of the dense layers' outputs that is left out.")
    loss: Literal["binary_cross_entropy", "gbce", "sampled_softmax"] = Field(
        "sampled_softmax", description="What tells what was chosen from negatives."
    )
    gbce_t: float = Field(0.75, ge=0, le=1, description="How far gBCE makes up for sampling; 0: not at all.")
    negatives: int = Field(64, ge=1, description="Negatives for each example.")
    popularity: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Power of an item's count in the chance of being drawn as a negative; 0: all alike.",
    )
    batch_size: int = Field(2048, ge=2, description="Examples in a step.")
    epochs: int = Field(30, ge=1, description="Most passes over the examples.")
    learning_rate: float = Field(0.001, gt=0, description="Step width of Adam; falls to a tenth along a half cosine.")
    table_learning_rate: float = Field(
        0.05, gt=0, description="Step width of row-wise Adagrad on large embedding tables; falls likewise."
    )
    regularisation: float = Field(
        0.0, ge=0, description="Weight in the loss of the mean squared norm of the vectors of a batch."
    )
    patience: int = Field(3, ge=1, description="Passes without a better validation metric after which training ends.")
    validation_users: int = Field(1000, ge=1, description="Most users the validation metric is measured on.")
