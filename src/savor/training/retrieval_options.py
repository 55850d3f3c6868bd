"""How the two towers are built and trained."""

from typing import Literal

from pydantic import Field

from savor.core.config import Section


class RetrievalOptions(Section):
    """`[retrieval]` in savor.toml."""

    model: Literal["two_tower", "transformer", "gru", "gmf"] = Field(
        "two_tower", description="What finds candidates: two towers, or a sequence model (see `[sequence]`)."
    )

    embedding_dimension: int = Field(128, ge=2, le=1024, description="Width of the user and item vectors.")
    hidden: tuple[int, ...] = Field((1024, 512), description="Widths of the dense layers before the vector.")
    user_hidden: tuple[int, ...] | None = Field(None, description="Those of the user tower where they differ.")
    item_hidden: tuple[int, ...] | None = Field(None, description="Those of the item tower where they differ.")
    activation: Literal["relu", "gelu", "swish", "elu", "tanh"] = Field(
        "relu", description="What follows every dense layer but the last."
    )
    id_width: int = Field(16, ge=1, description="Width of the embeddings of user and item ids.")
    category_width: int = Field(32, ge=1, description="Width of the embedding of each category column of the items.")
    profile_width: int = Field(16, ge=1, description="Width of the embedding of each category column of the users.")
    tag_width: int = Field(32, ge=1, description="Width of the embedding of each multi-valued column.")
    history_width: int = Field(32, ge=1, description="Width of the embeddings of items in the history.")
    history_heads: int = Field(4, ge=1, description="How many attention heads look at the history.")
    session_heads: int = Field(2, ge=1, description="How many attention heads look at the session.")
    text_width: int = Field(64, ge=1, description="Width that vectors of texts, searches and reviews are brought to.")
    image_width: int = Field(128, ge=1, description="Width that vectors of pictures are brought to.")
    positives: str = Field(
        "all",
        pattern="^(all|first)$",
        description="What to predict: every item of a basket, or only items the user has for the first time.",
    )
    order: Literal["time", "none"] = Field(
        "time",
        description="Whether the order of a user's events means anything; with `none` each is predicted from any "
        "others of the user, which suits data where times say little.",
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
    temperature: float = Field(0.05, gt=0, description="What cosines are divided by before the loss.")
    loss: Literal["softmax", "full_softmax", "gbce", "bce", "triplet"] = Field(
        "softmax",
        description="What the two towers minimise: softmax over sampled negatives or over all items, calibrated or "
        "plain binary cross-entropy, or the hinge. Which negatives: see `[negatives]`.",
    )
    logq: bool = Field(True, description="Whether the softmax is corrected for how often each negative is drawn.")
    margin: float = Field(0.2, ge=0, description="By how much the hinge wants a positive's cosine above a negative's.")
    gbce_calibration: float = Field(0.75, ge=0, le=1, description="The t of gBCE: 0 is BCE, 1 is fully calibrated.")
    kind_weights: dict[str, float] = Field(
        default_factory=dict,
        description="How much an event of each kind counts as a positive; kinds not named count 1, with 0 they teach "
        "nothing.",
    )
    feature_dropout: float = Field(
        0.2, ge=0, lt=1, description="Share of users in a batch of whom all but the profile is hidden."
    )
    item_dropout: float = Field(0.05, ge=0, lt=1, description="Share of items in a batch whose id is hidden.")
    patience: int = Field(3, ge=1, description="Passes without a better validation metric after which training ends.")
    validation_users: int = Field(2000, ge=1, description="Most users the validation metric is measured on.")
    time_budget_seconds: float | None = Field(
        None, gt=0, description="Training ends after this long. By default never."
    )
    checkpoint_seconds: float = Field(120.0, ge=0, description="Time between checkpoints.")
