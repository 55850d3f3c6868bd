"""Pipelines of a bundle's parts: one for each scenario, sharing all that they can."""

from collections.abc import Sequence

from savor.core.errors import BundleError
from savor.features.columns import CategoryColumn
from savor.models.pair_ranker import PairRanker
from savor.online.user_states import UserStates
from savor.pipeline.fairness.declared_groups import DeclaredGroups
from savor.pipeline.item_tables import ItemTables
from savor.pipeline.opened_bundle import OpenedBundle
from savor.pipeline.options import Diversity, SourceName
from savor.pipeline.pipeline import Pipeline
from savor.pipeline.result import Fallback
from savor.pipeline.scenario import OF_ITEMS, OF_TEXT, OF_WORDS, Scenario
from savor.pipeline.stage import Adjuster, AdjusterOver, Effect, Enricher, Hydrator, Ranker, Selector, Source
from savor.pipeline.stages.ann import Ann
from savor.pipeline.stages.buy_again import BuyAgain
from savor.pipeline.stages.co_purchase import CoPurchase
from savor.pipeline.stages.co_purchase_fit import CoPurchaseFit
from savor.pipeline.stages.context_items import ContextItems
from savor.pipeline.stages.diversity import DiversityRules
from savor.pipeline.stages.eligibility import Eligibility
from savor.pipeline.stages.exclude import Exclude
from savor.pipeline.stages.exclude_seen import ExcludeSeen
from savor.pipeline.stages.exposure import Exposure
from savor.pipeline.stages.fairness import Fairness
from savor.pipeline.stages.groups import Groups
from savor.pipeline.stages.in_stock import InStock
from savor.pipeline.stages.own_items import OwnItemsHydrator
from savor.pipeline.stages.popular import Popular
from savor.pipeline.stages.quota import Quota
from savor.pipeline.stages.reasons import Reasons, Wording
from savor.pipeline.stages.relevance import Relevance
from savor.pipeline.stages.search_meaning import SearchMeaning
from savor.pipeline.stages.search_text import SearchText
from savor.pipeline.stages.search_words import SearchWords
from savor.pipeline.stages.similar import Similar
from savor.pipeline.stages.structured_filter import StructuredFilter
from savor.pipeline.stages.together import Together
from savor.pipeline.stages.trending import Trending
from savor.pipeline.stages.user import User
from savor.pipeline.stages.user_vector import UserVector
from savor.pipeline.stages.vector_fit import VectorFit
from savor.pipeline.stages.zero_shot import ZeroShot

DEFAULT_WINDOW_DAYS = 28


class Parts:
    """Makes the stages of a bundle, and notes those that are wanted and absent.

    Args:
        opened: models and settings.
        tables: of items.
        states: of users.
        language_model: makes the stage that asks a language model; None: there is none.

    Raises:
        BundleError: the options name what the bundle's data has not.
    """

    def __init__(
        self,
        opened: OpenedBundle,
        tables: ItemTables,
        states: UserStates,
        language_model: AdjusterOver | None = None,
    ) -> None:
        self._language_model = language_model
        self._opened, self._options, self._tables = opened, opened.options, tables
        self._catalogue, self._states, self._search = tables.catalogue, states, tables.search
        self.absent: list[Fallback] = []
        self.popular = Popular(tables.popularity)
        if len(self._catalogue) and not tables.popularity.any():
            self.absent.append(Fallback("popular_absent", "the bundle does not know what is popular"))
        self._made: dict[SourceName, Source] = {}
        self._usual = self._sources(self._options.sources, self.absent)
        self._enrichers = self._all_enrichers()
        self._ranker = self._one_ranker()
        self._filters = (InStock(self._catalogue), Exclude(), ExcludeSeen(), StructuredFilter())
        groups = self._options.fairness.groups
        self._groups = DeclaredGroups(groups, self._catalogue)
        if any(group.share or group.list_share for group in groups.values()):
            due = [row for row, group in enumerate(groups.values()) if group.share or group.list_share]
            self._due: tuple[Source, ...] = (
                Groups(self._groups, due, self._search, self.popular, self._options.groups),
            )
        else:
            self._due = ()

    def pipeline(self, name: str, scenario: Scenario) -> Pipeline:
        """That of one scenario."""
        absent: list[Fallback] = []
        main: tuple[Source, ...] = self._usual
        backup: tuple[Source, ...] = ()
        if scenario.sources is not None:
            main = self._sources(scenario.sources, absent)
            backup = tuple(source for source in self._usual if source not in main)
            absent = [] if main else absent
        adjusters, effects = self._adjusters(name, scenario, main, absent)
        return Pipeline(
            hydrators=self._hydrators(main),
            sources=(*main, *(self._due if scenario.fairness else ())),
            backup=backup if scenario.fill else (),
            fill=scenario.fill,
            columns=[source.name for source in self._usual],
            filters=self._filters,
            popular=self.popular,
            enrichers=self._enrichers,
            ranker=self._ranker,
            adjusters=adjusters,
            selectors=self._selectors(scenario),
            reasoner=Reasons(
                self._catalogue,
                self._tables.neighbours,
                self._options.own_items,
                self._options.co_purchase_power,
                float(self._opened.config.get("trending_window_days", DEFAULT_WINDOW_DAYS)),
                self._wording(),
                self._groups,
            ),
            effects=effects,
            number_of_items=len(self._catalogue),
            absent=(*self.absent, *absent),
            wants="items" if scenario.wants_items else "text" if scenario.wants_text else None,
        )

    def _hydrators(self, sources: Sequence[Source]) -> list[Hydrator]:
        options, space, tower = self._options, self._tables.space, self._opened.user_tower
        made: list[Hydrator] = [
            User(self._states),
            OwnItemsHydrator(options.half_life_days, self._kinds(options.repeat_kinds)),
            ContextItems(self._catalogue),
            Eligibility(self._catalogue),
        ]
        if space is None:
            return made
        vector = tower is not None and any(source.name == "ann" for source in self._usual)
        meaning = any(source.name == "search_meaning" for source in sources)
        if meaning or (vector and space.search is not None):
            choice = space.options.text_encoder
            name = space.search[0] if space.search is not None else None
            made.append(SearchText(name, lambda: self._opened.text_encoder(choice, queries=True)))
        if vector and tower is not None:
            made.append(UserVector(space, tower))
        return made

    def _sources(self, names: Sequence[SourceName], absent: list[Fallback]) -> tuple[Source, ...]:
        """Those of `names` that the bundle has files of; the others are noted in `absent`."""
        made = []
        for name in names:
            if name not in self._made:
                source = self._source(name)
                if isinstance(source, str):
                    absent.append(Fallback(f"{name}_absent", f"the bundle has {source}"))
                    continue
                self._made[name] = source
            made.append(self._made[name])
        return tuple(made)

    def _source(self, name: SourceName) -> Source | str:
        """A source, or what it would need."""
        options, tables = self._options, self._tables
        paired = tables.neighbours.item.shape[1] > 0
        texts = tables.space.text if tables.space is not None else None
        match name:
            case "ann":
                if self._search is None or self._opened.user_tower is None or tables.space is None:
                    return "no user tower or no index"
                return Ann(self._search, options.ann)
            case "buy_again":
                return BuyAgain(options.buy_again)
            case "co_purchase":
                if not paired:
                    return "no co-purchase table"
                power = options.co_purchase_power
                return CoPurchase(tables.neighbours, options.co_purchase, options.own_items, power)
            case "trending":
                return "no trending table" if tables.trending is None else Trending(tables.trending, options.trending)
            case "together":
                return Together(tables.neighbours, options.together) if paired else "no co-purchase table"
            case "similar":
                return "no item vectors" if self._search is None else Similar(self._search, options.similar)
            case "search_words":
                return SearchWords(self._opened.words, self._catalogue, options.search)
            case "search_meaning":
                return "no text vectors" if texts is None else SearchMeaning(texts, options.search)
            case "zero_shot":
                return "no text vectors" if texts is None else ZeroShot(texts, tables.popularity, options.zero_shot)

    def _all_enrichers(self) -> tuple[Enricher, ...]:
        """What the usual sources can say of candidates that they did not bring."""
        made: list[Enricher] = []
        for source in self._usual:
            if isinstance(source, Ann) and self._search is not None:
                made.append(VectorFit(self._search.vectors))
            if isinstance(source, CoPurchase):
                made.append(CoPurchaseFit(source))
        return tuple(made)

    def _one_ranker(self) -> Ranker | None:
        """The ranker, where the bundle has one."""
        models = self._opened.ranker
        if models is None:
            self.absent.append(Fallback("ranker_absent", "the bundle has no ranker; the ranks of sources are blended"))
            return None
        over_ids = isinstance(models.models, PairRanker)
        if (self._tables.space if over_ids else self._tables.statistics) is None:
            lacking = "no feature space" if over_ids else "no item statistics"
            note = f"the bundle has {lacking} for its ranker; the ranks of sources are blended"
            self.absent.append(Fallback("ranker_absent", note))
            return None
        names = (*(source.name for source in self._usual), self.popular.name)
        brought = {f"{name}_{kind}" for name in names for kind in ("score", "rank")}
        brought |= {column for enricher in self._enrichers for column in enricher.writes}
        return models.stage(self._tables, brought)

    def _adjusters(
        self, name: str, scenario: Scenario, sources: Sequence[Source], absent: list[Fallback]
    ) -> tuple[list[Adjuster], list[Effect]]:
        adjusters: list[Adjuster] = []
        effects: list[Effect] = []
        of_moment = [source.name for source in sources if source.name in OF_ITEMS | OF_TEXT | OF_WORDS]
        if of_moment and scenario.relevance is not None:
            adjusters.append(Relevance(of_moment, scenario.relevance))
        if scenario.language_model is not None and self._language_model is not None:
            adjusters.append(self._language_model(self._catalogue, scenario.language_model))
        elif scenario.language_model is not None:
            absent.append(Fallback("language_model_absent", "there is no language model to rank with"))
        options = self._options.fairness
        if scenario.fairness and (options.groups or "popularity" in options.model_fields_set):
            controller = self._opened.exposure.controller(name)
            adjusters.append(Fairness(self._groups, self._tables.popularity, options.popularity, controller))
            if self._opened.exposure.targets:
                effects.append(Exposure(self._groups, controller))
        return adjusters, effects

    def _selectors(self, scenario: Scenario) -> list[Selector]:
        """Diversity, then the least shares of each list."""
        rules = self._options.diversity if scenario.diversity is None else scenario.diversity
        made: list[Selector] = []
        caps = []
        if rules.cap is not None and self._catalogue.categories:
            caps.append((self._category(rules), rules.cap))
        if rules.owner_cap is not None and self._catalogue.owner is not None:
            caps.append((self._catalogue.owner, rules.owner_cap))
        vectors = None if self._search is None else self._search.vectors
        if caps or rules.mmr is not None:
            made.append(DiversityRules(caps, vectors, rules.mmr or 0.0))
        if scenario.fairness and (self._groups.list_shares > 0).any():
            made.append(Quota(self._groups))
        return made

    def _category(self, rules: Diversity) -> CategoryColumn:
        categories, name = self._catalogue.categories, rules.category
        if name is None:
            return list(categories.values())[-1]
        if name not in categories:
            raise BundleError(f"diversity.category is {name!r}, and the items have only {list(categories)}")
        return categories[name]

    def _kinds(self, names: tuple[str, ...]) -> tuple[int, ...]:
        """Positions of the kinds of events called `names`."""
        known = list(self._opened.config.get("kinds", []))
        if unknown := [name for name in names if name not in known]:
            raise BundleError(f"repeat_kinds names {unknown}, and the bundle's data has only {known}")
        return tuple(known.index(name) for name in names)

    def _wording(self) -> Wording:
        """Words for the kind of event that makes an item the user's own."""
        kinds = self._options.repeat_kinds or tuple(self._opened.config.get("kinds", ["purchase"]))
        return Wording.of(kinds[0] if len(kinds) == 1 else "")
