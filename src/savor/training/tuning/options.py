"""How better settings are searched."""

from typing import Literal

from pydantic import Field

from savor.core.config import Section
from savor.training.tuning.dimension import Dimension

METRIC = r"^(ndcg|recall|recall_min|precision|hr|map|mrr)@[1-9]\d*$"


class TuningOptions(Section):
    """`[tuning]` in savor.toml: how `savor tune` searches for better settings."""

    retrieval_metric: str | None = Field(
        None,
        pattern=METRIC,
        description="What the retriever's settings are judged by; by default what its training watches, "
        "`recall_min@100` (a tenth of the catalogue where that is shorter).",
    )
    retrieval_task: Literal["new", "all"] = Field(
        "new", description="Whether users are asked for items new to them (the others hidden), or for any."
    )
    ranking_metric: str = Field(
        "ndcg@10", pattern=METRIC, description="What the ranker's settings are judged by, among its candidates."
    )
    ranking_task: Literal["both", "all", "new"] = Field(
        "both", description="Which ranker counts: that of all items, that of new ones, or the mean of both."
    )
    users: int = Field(5000, ge=1, description="Most users that a setting is judged on.")
    random_trials: int = Field(
        8, ge=1, description="Trials drawn at random before the search learns from those that are done."
    )
    pruner: Literal["median", "hyperband", "none"] = Field(
        "median",
        description="Which trainings are ended early: those below the median of earlier ones after as many passes, "
        "those that Hyperband gives up, or none.",
    )
    pruned_after: int = Field(1, ge=0, description="Passes that the median pruner leaves to every training.")
    compared_with: int = Field(4, ge=1, description="Finished trials that the median pruner waits for.")
    space: dict[str, Dimension] = Field(
        {},
        description="By dotted key, what may be changed: "
        '`"retrieval.temperature" = {low = 0.02, high = 0.3, log = true}`. '
        "Without a key of the stage that is tuned, the stage's own space holds.",
    )
