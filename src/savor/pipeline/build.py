"""A pipeline from the files of a bundle."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from savor.bundle.bundle import Bundle
from savor.core.clock import Clock
from savor.features.catalogue import Catalogue
from savor.online.user_states import UserStates
from savor.pipeline.item_tables import ItemTables
from savor.pipeline.opened_bundle import OpenedBundle
from savor.pipeline.options import PipelineOptions
from savor.pipeline.parts import Parts
from savor.pipeline.picture_search import PictureSearch
from savor.pipeline.pipeline import Pipeline
from savor.pipeline.query import Query
from savor.pipeline.scenario import HOME, Scenario
from savor.pipeline.similar_items import SimilarItems
from savor.pipeline.stage import AdjusterOver

StatesOver = Callable[[OpenedBundle, ItemTables], UserStates]
"""Lays what users did since over what a bundle knows of them (`states`); the tables say which rows items have."""


@dataclass(frozen=True)
class Serving:
    """Everything that answers from one bundle.

    Attributes:
        opened: models, users and settings of the bundle.
        tables: what is known of items; `over` gives the same with others.
        states: what is known of users.
        pipelines: recommend and rank, by scenario.
        similar: finds items like an item.
    """

    opened: OpenedBundle
    tables: ItemTables
    states: UserStates
    pipelines: Mapping[str, Pipeline]
    similar: SimilarItems
    _over_states: StatesOver | None = None
    _language_model: AdjusterOver | None = None

    @property
    def bundle(self) -> Bundle:
        """What it was built from."""
        return self.opened.bundle

    @property
    def catalogue(self) -> Catalogue:
        """What is known of items, for people and filters."""
        return self.tables.catalogue

    @property
    def pipeline(self) -> Pipeline:
        """That of the scenario `home`."""
        return self.pipelines[HOME]

    @property
    def clock(self) -> Clock:
        """The moment that answers are for."""
        return self.opened.clock

    @property
    def scenarios(self) -> Mapping[str, Scenario]:
        """The places a list may be for, by name."""
        return self.opened.scenarios

    def warm(self) -> None:
        """Answer once in every scenario, so that no later answer has to make what all need."""
        self.opened.words.prepare()
        user = next(iter(self.states.sample(1)), ("", 0))[0]
        context = {"item_id": self.catalogue.ids[0]} if len(self.catalogue) else {}
        for name, pipeline in self.pipelines.items():
            pipeline.run(Query(user, self.clock(), scenario=name, context=context, unseen=True))

    def over(self, tables: ItemTables) -> "Serving":
        """The same models, users and settings with other tables of items; nothing is read from disk."""
        return assemble(self.opened, tables, self._over_states, self._language_model)


def build_serving(
    bundle: Bundle,
    options: PipelineOptions | None = None,
    clock: Clock | None = None,
    states: UserStates | None = None,
    scenarios: Mapping[str, Scenario] | None = None,
    over_states: StatesOver | None = None,
    language_model: AdjusterOver | None = None,
) -> Serving:
    """Load a bundle.

    Args:
        bundle: see docs/serving.md for its files; without towers, index, co-purchase table or ranker the pipeline does
            without, and its results say so.
        options: how to put the pipeline together; absent, the `pipeline` of the bundle's `config.json`.
        clock: absent, wall time, or the end of the bundle's data where its `config.json` has `"now": "data_end"`.
        states: absent, those of the bundle; evaluation gives those of its cut.
        scenarios: by name; absent, the `scenarios` of the bundle's `config.json`. The built-in ones are always there.
        over_states: lays live state over `states`, again whenever the tables of items change; None: nothing.
        language_model: makes the stage of scenarios that rank with a language model; None: they say that it is absent.

    Raises:
        BundleError: a file is damaged, or two do not fit.
        ConfigError: a scenario weighs what the ranker does not say.
        PipelineError: the stages do not fit together.
    """
    tables = ItemTables.load(bundle)
    opened = OpenedBundle.load(bundle, tables.catalogue, options, clock, states, scenarios)
    return assemble(opened, tables, over_states, language_model)


def assemble(
    opened: OpenedBundle,
    tables: ItemTables,
    over_states: StatesOver | None = None,
    language_model: AdjusterOver | None = None,
) -> Serving:
    """Put together what answers, from parts that are in memory; arguments and errors as of `build_serving`."""
    states = over_states(opened, tables) if over_states else opened.states
    parts = Parts(opened, tables, states, language_model)
    pipelines = {name: parts.pipeline(name, scenario) for name, scenario in opened.scenarios.items()}
    pictures = PictureSearch(tables.images) if tables.images is not None else None
    similar = SimilarItems(tables.catalogue, tables.search, parts.popular, pictures)
    return Serving(opened, tables, states, pipelines, similar, over_states, language_model)


def build_pipeline(
    bundle: Bundle,
    options: PipelineOptions | None = None,
    clock: Clock | None = None,
    states: UserStates | None = None,
) -> Pipeline:
    """The pipeline of `build_serving`."""
    return build_serving(bundle, options, clock, states).pipeline
