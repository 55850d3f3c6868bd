"""A pipeline from the files of a bundle."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from savor.bundle.bundle import Bundle
from savor.core.clock import Clock, frozen_clock, wall_clock
from savor.core.errors import BundleError
from savor.core.pseudonym import pseudonyms_from_environment
from savor.features.catalogue import Catalogue
from savor.features.columns import CategoryColumn
from savor.features.feature_space import FeatureSpace
from savor.features.images.vectors import ImageVectors
from savor.features.text.minilm import MiniLMEncoder
from savor.index.choose import open_index
from savor.models.litert_tower import LiteRtTower
from savor.models.neighbours import Neighbours
from savor.online.user_states import UserStates
from savor.pipeline.open_ranker import open_ranker
from savor.pipeline.options import PipelineOptions
from savor.pipeline.picture_search import PictureSearch
from savor.pipeline.pipeline import Pipeline
from savor.pipeline.result import Fallback
from savor.pipeline.scenario import Scenario, known_scenarios
from savor.pipeline.similar_items import SimilarItems
from savor.pipeline.stage import Enricher, Hydrator, Ranker, Selector, Source
from savor.pipeline.stages.ann import Ann
from savor.pipeline.stages.buy_again import BuyAgain
from savor.pipeline.stages.category_cap import CategoryCap
from savor.pipeline.stages.co_purchase import CoPurchase
from savor.pipeline.stages.co_purchase_fit import CoPurchaseFit
from savor.pipeline.stages.eligibility import Eligibility
from savor.pipeline.stages.exclude import Exclude
from savor.pipeline.stages.exclude_seen import ExcludeSeen
from savor.pipeline.stages.in_stock import InStock
from savor.pipeline.stages.mmr import Mmr
from savor.pipeline.stages.own_items import OwnItemsHydrator
from savor.pipeline.stages.popular import Popular
from savor.pipeline.stages.reasons import Reasons, Wording
from savor.pipeline.stages.search_text import SearchText
from savor.pipeline.stages.structured_filter import StructuredFilter
from savor.pipeline.stages.top import Top
from savor.pipeline.stages.trending import Trending
from savor.pipeline.stages.user import User
from savor.pipeline.stages.user_vector import UserVector
from savor.pipeline.stages.vector_fit import VectorFit
from savor.pipeline.vector_search import VectorSearch

DEFAULT_WINDOW_DAYS = 28


@dataclass(frozen=True)
class Serving:
    """Everything that answers from one bundle.

    Attributes:
        bundle: what it was built from.
        catalogue, states: what it knows of items and users.
        pipeline: recommends and ranks.
        similar: finds items like an item.
        clock: the moment that answers are for.
        scenarios: the places a list may be for, by name.
    """

    bundle: Bundle
    catalogue: Catalogue
    states: UserStates
    pipeline: Pipeline
    similar: SimilarItems
    clock: Clock
    scenarios: Mapping[str, Scenario]


def build_serving(
    bundle: Bundle,
    options: PipelineOptions | None = None,
    clock: Clock | None = None,
    states: UserStates | None = None,
    scenarios: Mapping[str, Scenario] | None = None,
) -> Serving:
    """Load a bundle.

    Args:
        bundle: see docs/serving.md for its files; without towers, index, co-purchase table or ranker the pipeline does
            without, and its results say so.
        options: how to put the pipeline together; absent, the `pipeline` of the bundle's `config.json`.
        clock: absent, wall time, or the end of the bundle's data where its `config.json` has `"now": "data_end"`.
        states: absent, those of the bundle; evaluation gives those of its cut.
        scenarios: by name; absent, the `scenarios` of the bundle's `config.json`. The built-in ones are always there.

    Raises:
        BundleError: a file is damaged, or two do not fit.
        ConfigError: a scenario weighs what the ranker does not say.
        PipelineError: the stages do not fit together.
    """
    config = _json(bundle, "config.json") if bundle.has("config.json") else {}
    options = options or PipelineOptions.model_validate(config.get("pipeline", {}))
    if scenarios is None:
        scenarios = {name: Scenario.model_validate(value) for name, value in config.get("scenarios", {}).items()}
    places = known_scenarios(scenarios)
    clock = clock or (frozen_clock(int(config["data_end"])) if config.get("now") == "data_end" else wall_clock)
    catalogue = Catalogue.load(bundle.path("catalogue"))
    alias = pseudonyms_from_environment() if config.get("pseudonymous") else None
    states = states or UserStates.load(bundle.path("state"), alias)
    parts = _Parts(bundle, options, catalogue, config)
    popular = Popular(parts.popularity)
    sources = parts.sources()
    hydrators: list[Hydrator] = [
        User(states),
        OwnItemsHydrator(options.half_life_days, parts.kinds(options.repeat_kinds)),
        Eligibility(catalogue),
    ]
    if any(source.name == "ann" for source in sources):
        tower = LiteRtTower.load(bundle.path("towers/user.tflite"))
        space = FeatureSpace.load(bundle.path("features"))
        if space.search is not None:
            encoder = space.options.text_encoder
            hydrators.append(
                SearchText(space.search[0], lambda: MiniLMEncoder(Path(encoder) if encoder else None, threads=1))
            )
        hydrators.append(UserVector(space, tower))
    enrichers = parts.enrichers(sources)
    brought = {f"{source.name}_{kind}" for source in (*sources, popular) for kind in ("score", "rank")}
    brought |= {column for enricher in enrichers for column in enricher.writes}
    pipeline = Pipeline(
        hydrators=hydrators,
        sources=sources,
        filters=[InStock(catalogue), Exclude(), ExcludeSeen(), StructuredFilter()],
        popular=popular,
        enrichers=enrichers,
        ranker=parts.ranker(brought, places),
        selectors=parts.selectors(),
        reasoner=Reasons(
            catalogue,
            parts.neighbours,
            options.own_items,
            options.co_purchase_power,
            parts.window_days,
            parts.wording(),
        ),
        number_of_items=len(catalogue),
        absent=parts.absent,
    )
    similar = SimilarItems(catalogue, parts.search, popular, parts.pictures())
    return Serving(bundle, catalogue, states, pipeline, similar, clock, places)


def build_pipeline(
    bundle: Bundle,
    options: PipelineOptions | None = None,
    clock: Clock | None = None,
    states: UserStates | None = None,
) -> Pipeline:
    """The pipeline of `build_serving`."""
    return build_serving(bundle, options, clock, states).pipeline


class _Parts:
    """Opens the parts of a bundle, and notes those that are wanted and absent."""

    def __init__(self, bundle: Bundle, options: PipelineOptions, catalogue: Catalogue, config: dict[str, Any]) -> None:
        self._bundle, self._options, self._catalogue, self._config = bundle, options, catalogue, config
        self.absent: list[Fallback] = []
        self.window_days = float(config.get("trending_window_days", DEFAULT_WINDOW_DAYS))
        self.neighbours = self._neighbours()
        self.search = self._search()
        self.popularity = self._popularity("popularity")

    def kinds(self, names: tuple[str, ...]) -> tuple[int, ...]:
        """Positions of the kinds of events called `names`."""
        known = list(self._config.get("kinds", []))
        if unknown := [name for name in names if name not in known]:
            raise BundleError(f"repeat_kinds names {unknown}, and the bundle's data has only {known}")
        return tuple(known.index(name) for name in names)

    def wording(self) -> Wording:
        """Words for the kind of event that makes an item the user's own."""
        kinds = self._options.repeat_kinds or tuple(self._config.get("kinds", ["purchase"]))
        return Wording.of(kinds[0] if len(kinds) == 1 else "")

    def sources(self) -> list[Source]:
        """The sources wanted, but for those the bundle has no files of."""
        options = self._options
        made: list[Source] = []
        for name in options.sources:
            if name == "ann":
                if self.search is None or not self._bundle.has("towers/user.tflite"):
                    self._note("ann", "no user tower or no index")
                else:
                    made.append(Ann(self.search, options.ann))
            elif name == "buy_again":
                made.append(BuyAgain(options.buy_again))
            elif name == "co_purchase":
                if not self._bundle.has("sources/co_purchase"):
                    self._note("co_purchase", "no co-purchase table")
                else:
                    made.append(
                        CoPurchase(self.neighbours, options.co_purchase, options.own_items, options.co_purchase_power)
                    )
            elif not self._bundle.has("sources/trending.npy"):
                self._note("trending", "no trending table")
            else:
                made.append(Trending(self._popularity("trending"), options.trending))
        return made

    def enrichers(self, sources: list[Source]) -> list[Enricher]:
        """What those sources can say of candidates that they did not bring."""
        made: list[Enricher] = []
        for source in sources:
            if isinstance(source, Ann) and self.search is not None:
                made.append(VectorFit(self.search.vectors))
            if isinstance(source, CoPurchase):
                made.append(CoPurchaseFit(source, len(self._catalogue)))
        return made

    def ranker(self, brought: set[str], scenarios: Mapping[str, Scenario]) -> Ranker | None:
        """The ranker, where the bundle has one; `brought` are the candidate columns of this pipeline."""
        found = open_ranker(self._bundle, self._catalogue, scenarios, brought)
        if found is None:
            self._note("ranker", "no ranker; the ranks of the sources are blended")
        return found

    def selectors(self) -> list[Selector]:
        """The diversity rules, then the cut."""
        rules = self._options.diversity
        made: list[Selector] = []
        if rules.cap is not None and self._catalogue.categories:
            made.append(CategoryCap(self._category(rules.category), rules.cap))
        if rules.mmr and self.search is not None:
            made.append(Mmr(self.search.vectors, rules.mmr))
        return [*made, Top()]

    def _category(self, name: str | None) -> CategoryColumn:
        categories = self._catalogue.categories
        if name is None:
            return list(categories.values())[-1]
        if name not in categories:
            raise BundleError(f"diversity.category is {name!r}, and the items have only {list(categories)}")
        return categories[name]

    def _neighbours(self) -> Neighbours:
        if self._bundle.has("sources/co_purchase"):
            neighbours = Neighbours.load(self._bundle.path("sources/co_purchase"))
            self._check_length("sources/co_purchase", len(neighbours))
            return neighbours
        number = len(self._catalogue)
        return Neighbours(np.empty((number, 0), np.int32), np.empty((number, 0), np.float32))

    def pictures(self) -> PictureSearch | None:
        """The items' pictures, where the bundle has any."""
        if not self._bundle.has("features/image_row.npy"):
            return None
        return PictureSearch(ImageVectors.load(self._bundle.path("features"), "image"))

    def _search(self) -> VectorSearch | None:
        if not (self._bundle.has("index") and self._bundle.has("vectors/items.npy")):
            return None
        vectors = np.asarray(np.load(self._bundle.path("vectors/items.npy"), mmap_mode="r", allow_pickle=False))
        self._check_length("vectors/items.npy", len(vectors))
        return VectorSearch(open_index(self._bundle.path("index")), vectors)

    def _popularity(self, name: str) -> NDArray[np.float32]:
        file = f"sources/{name}.npy"
        if not self._bundle.has(file):
            return np.zeros(len(self._catalogue), np.float32)
        values: NDArray[np.float32] = np.load(self._bundle.path(file), allow_pickle=False).astype(np.float32)
        self._check_length(file, len(values))
        return values

    def _check_length(self, name: str, length: int) -> None:
        if length != len(self._catalogue):
            raise BundleError(
                f"{name} in bundle {self._bundle.id} has {length} rows and the catalogue "
                f"{len(self._catalogue)}; train again"
            )

    def _note(self, part: str, why: str) -> None:
        self.absent.append(Fallback(f"{part}_absent", f"the bundle has {why}"))


def _json(bundle: Bundle, name: str) -> dict[str, Any]:
    try:
        document = orjson.loads(bundle.path(name).read_bytes())
    except orjson.JSONDecodeError as error:
        raise BundleError(f"{name} in bundle {bundle.id} is not JSON ({error}); train again") from None
    if not isinstance(document, dict):
        raise BundleError(f"{name} in bundle {bundle.id} is not a JSON object; train again")
    return document
