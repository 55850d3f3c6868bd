"""How the two towers are built and trained."""

from typing import Literal

from pydantic import Field

from savor.core.config import Section


class RetrievalOptions(Section):
    """`[retrieval]` in savor.toml."""

    model: Literal["two_tower"] = Field("two_tower", description="What finds candidates.")

    embedding_dimension: int = Field(128, ge=2, le=1024, description="Width of the user and item vectors.")
    hidden: tuple[int, ...] = Field((1024, 512), description="Widths of the dense layers before the vector.")
    id_width: int = Field(16, ge=1, description="Width of the embeddings of user and item ids.")
    category_width: int = Field(32, ge=1, description="Width of the embedding of each category and tag column.")
    history_width: int = Field(32, ge=1, description="Width of the embeddings of items in the history.")
    history_heads: int = Field(4, ge=1, description="How many attention heads look at the history.")
    text_width: int = Field(64, ge=1, description="Width that text vectors are brought to.")
    positives: str = Field(
        "all",
        pattern="^(all|first)$",
        description="What to predict: every item of a basket, or only items the user has for the first time.",
    )
    maximum_examples: int | None = Field(
        None, ge=1, description="Most examples to learn from; the latest are kept. By default all."
    )
    batch_size: int = Field(
        4096, ge=2, description="Examples in a step; also how many candidates each is held against."
    )
    epochs: int = Field(20, ge=1, description="Most passes over the examples.")
    learning_rate: float = Field(0.001, gt=0, description="Step width of Adam; falls to a tenth along a half cosine.")
    table_learning_rate: float = Field(
        0.02, gt=0, description="Step width of row-wise Adagrad on large embedding tables; falls likewise."
    )
    temperature: float = Field(0.05, gt=0, description="What cosines are divided by before the softmax.")
    feature_dropout: float = Field(
        0.2, ge=0, lt=1, description="Share of users in a batch whose id and history are hidden."
    )
    item_dropout: float = Field(0.05, ge=0, lt=1, description="Share of items in a batch whose id is hidden.")
    patience: int = Field(3, ge=1, description="Passes without a better validation metric after which training ends.")
    validation_users: int = Field(2000, ge=1, description="Most users the validation metric is measured on.")
    time_budget_seconds: float | None = Field(
        None, gt=0, description="Training ends after this long. By default never."
    )
    checkpoint_seconds: float = Field(120.0, ge=0, description="Time between checkpoints.")
