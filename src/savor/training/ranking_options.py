"""How the ranker is trained."""

from typing import Literal

from pydantic import Field

from savor.core.config import Section

Objective = Literal["binary:logistic", "rank:ndcg", "rank:pairwise"]


class RankingOptions(Section):
    """`[ranking]` in savor.toml."""

    model: Literal["xgboost", "dcn", "neumf", "mlp", "gmf"] = Field(
        "xgboost",
        description="What orders candidates: boosted trees, a cross network (`[dcn]`) or a network of ids (`[ncf]`).",
    )
    windows: int = Field(
        4, ge=1, le=24, description="How many past windows to learn from; retrieval learns only from before the first."
    )
    window_days: float | None = Field(
        None, gt=0, description="Length of a window; by default that of the test period (temporal splits only)."
    )
    step_days: float | None = Field(
        None, gt=0, description="Time between the starts of two windows; by default half a window."
    )
    users_per_window: int = Field(10_000, ge=10, description="Most users to learn from in a window.")
    negatives_per_user: int = Field(50, ge=1, description="Most candidates not chosen that are kept for each user.")
    levels: tuple[str, ...] = Field(
        (), description="Category columns whose habits and statistics are features; none: all of them."
    )
    objective: Objective = Field(
        "binary:logistic", description="What the trees learn that rank everything: each pair alone, or the order."
    )
    new_objective: Objective = Field(
        "rank:ndcg", description="The same for the trees that rank only items new to the user."
    )
    trees: int = Field(150, ge=1, description="How many trees.")
    depth: int = Field(6, ge=1, le=16, description="Depth of a tree.")
    learning_rate: float = Field(0.08, gt=0, le=1, description="Weight of each tree.")
    row_share: float = Field(0.7, gt=0, le=1, description="Share of the rows that each tree sees.")
    column_share: float = Field(0.3, gt=0, le=1, description="Share of the features that each tree sees.")
    minimum_child_weight: float = Field(5.0, ge=0, description="Least sum of second derivatives in a leaf.")
    regularisation: float = Field(5.0, ge=0, description="Weight of the squared norm of the leaves.")
