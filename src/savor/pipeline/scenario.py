"""Where a list is shown, and what counts there."""

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import Field

from savor.core.config import Section
from savor.online.experiments.options import ExplorationOptions
from savor.pipeline.options import Diversity, SourceName

OF_ITEMS: frozenset[SourceName] = frozenset({"together", "similar"})
"""Sources that start from the items of the moment: those of `context.basket` and `context.item_id`."""

OF_TEXT: frozenset[SourceName] = frozenset({"search_words", "search_meaning"})
"""Sources that start from the text of the moment: `context.query`."""

OF_WORDS: frozenset[SourceName] = frozenset({"zero_shot"})
"""Sources that know items by their words alone, so that no ranker can sort them by what was done with them."""


class Scenario(Section):
    """`[scenarios.NAME]` in savor.toml: read when a server starts, so a change needs no training."""

    exclude_seen: bool = Field(False, description="Leave out every item in the user's history.")
    sources: tuple[SourceName, ...] | None = Field(
        None,
        min_length=1,
        description="Where candidates come from. Where these bring too few, those of `[pipeline]` follow behind them. "
        "None: those of `[pipeline]`.",
    )
    fill: bool = Field(True, description="Whether places that no source fills get popular items.")
    relevance: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Weight of what the moment asks for (`together`, `similar` and the searches), beside the ranker's "
        "score.",
    )
    language_model: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Weight of a language model's likelihoods in the order of the best candidates; it is the model of "
        "`[assistant]`, asked as `[assistant.ranking]` says. None: not asked.",
    )
    diversity: Diversity | None = Field(None, description="Rules that take the place of `[pipeline.diversity]`.")
    fairness: bool = Field(True, description="Whether `[pipeline.fairness]` holds here.")
    exploration: ExplorationOptions | None = Field(None, description="Exploration outside of experiments.")
    weights: dict[str, float] = Field(
        {}, description="What the ranker's heads count in the score: `ctr` and `rating`. By default `ctr` alone."
    )

    @property
    def wants_items(self) -> bool:
        """Whether it is about the items of the moment."""
        return bool(OF_ITEMS & set(self.sources or ()))

    @property
    def wants_text(self) -> bool:
        """Whether it is about what is searched for."""
        return bool(OF_TEXT & set(self.sources or ()))


HOME = "home"
BUILT_IN: Mapping[str, Scenario] = MappingProxyType(
    {
        HOME: Scenario(),
        "discover": Scenario(exclude_seen=True),
        "basket": Scenario(sources=("together",), relevance=0.5),
        "item_page": Scenario(sources=("similar", "together"), relevance=0.5),
        "search": Scenario(sources=("search_words", "search_meaning"), relevance=0.7),
        "buy_again": Scenario(sources=("buy_again",)),
    }
)


def known_scenarios(configured: Mapping[str, Scenario]) -> dict[str, Scenario]:
    """The built-in scenarios, changed and added to by `configured`."""
    made = dict(BUILT_IN)
    for name, scenario in configured.items():
        made[name] = made.get(name, Scenario()).model_copy(
            update={key: getattr(scenario, key) for key in scenario.model_fields_set}
        )
    return made
