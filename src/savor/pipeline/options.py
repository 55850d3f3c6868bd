"""How a pipeline is put together."""

from typing import Literal

from pydantic import Field

from savor.core.config import Section
from savor.pipeline.fairness.options import FairnessOptions

SourceName = Literal[
    "ann",
    "buy_again",
    "co_purchase",
    "trending",
    "together",
    "similar",
    "search_words",
    "search_meaning",
    "zero_shot",
]


class Diversity(Section):
    """Which rules keep the list from being all of one kind."""

    category: str | None = Field(None, description="Category column to cap at; none: the narrowest.")
    cap: int | None = Field(
        None, ge=1, description="Most items of one category before others had their turn; none: no cap."
    )
    owner_cap: int | None = Field(
        None, ge=1, description="Most items of one business before others had their turn; none: no cap."
    )
    mmr: float | None = Field(None, ge=0, le=1, description="Weight of unlikeness between items; none: not used.")


class PipelineOptions(Section):
    """Sources, how many candidates each brings, diversity and fairness."""

    sources: tuple[SourceName, ...] = Field(
        ("ann", "buy_again", "co_purchase", "trending"), description="Where candidates come from."
    )
    ann: int = Field(150, ge=1, le=2000, description="Candidates from the user vector.")
    buy_again: int = Field(150, ge=1, le=2000, description="Candidates from the user's own items.")
    co_purchase: int = Field(250, ge=1, le=2000, description="Candidates that go with the user's own items.")
    trending: int = Field(80, ge=1, le=2000, description="Candidates that sell now.")
    together: int = Field(100, ge=1, le=2000, description="Candidates that go with the basket or the item of a page.")
    similar: int = Field(100, ge=1, le=2000, description="Candidates like the basket's items or the item of a page.")
    search: int = Field(150, ge=1, le=2000, description="Candidates of each of the two searches.")
    zero_shot: int = Field(
        50, ge=1, le=2000, description="Candidates that nobody had yet, by the words of the user's own items."
    )
    groups: int = Field(20, ge=1, le=500, description="Candidates from each group that has a least share of exposure.")
    half_life_days: float = Field(60, gt=0, description="Age at which an event of the user counts half.")
    own_items: int = Field(200, ge=1, description="How many own items co-purchase starts from.")
    co_purchase_power: float = Field(
        0.5, ge=0, le=4, description="Power of an own item's decayed weight in co-purchase; 0: all own items alike."
    )
    repeat_kinds: tuple[str, ...] = Field(
        (), description="Kinds of events that make an item the user's own; none: all."
    )
    deadline_ms: float | None = Field(
        500,
        gt=0,
        description="Time after which optional stages of an answer are left out; sources have half of it. None: never.",
    )
    diversity: Diversity = Diversity()
    fairness: FairnessOptions = FairnessOptions()
