"""Both stages of a project: retrieval on what came before the ranker's windows, then the ranker on them."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import orjson

from savor.bundle.manifest import Metadata
from savor.bundle.writer import write_bundle
from savor.core.errors import ConfigError, TrainingError
from savor.core.files import directory_atomic
from savor.core.hashing import sha256_file, sha256_json
from savor.core.native_output import native_output_hidden
from savor.core.progress import console, progress
from savor.data.dataset import Dataset
from savor.data.events import Events
from savor.data.splits import TEST
from savor.evaluation.holdout import Holdout
from savor.features.catalogue import Catalogue
from savor.features.cross import CrossFeatures
from savor.features.feature_space import FeatureSpace
from savor.features.images.options import ImageOptions
from savor.features.item_statistics import ItemStatistics
from savor.features.options import FeatureOptions
from savor.features.profiles import Profiles
from savor.index.choose import choose_index
from savor.pipeline.build import Serving, build_serving
from savor.pipeline.options import PipelineOptions
from savor.pipeline.scenario import Scenario
from savor.pipeline.word_index import WordIndex
from savor.training.content import Content
from savor.training.cross_network.options import DcnOptions
from savor.training.distribution import is_chief
from savor.training.drift import write_drift
from savor.training.ncf.options import NcfOptions
from savor.training.negatives.options import NegativeOptions
from savor.training.ranker import save_ranker, train_ranker
from savor.training.ranking_examples import RankingExamples
from savor.training.ranking_options import RankingOptions
from savor.training.ranking_windows import RankingWindow, ranking_windows
from savor.training.retrieval_options import RetrievalOptions
from savor.training.retrieval_validation import RetrievalValidation
from savor.training.retriever import RetrieverOptions, train_retriever
from savor.training.sequence.options import SequenceOptions
from savor.training.state import StateOptions, write_state
from savor.training.tracking.open_tracker import open_tracker
from savor.training.tracking.options import TrackingOptions
from savor.training.training_options import TrainingOptions

DAY = 86_400


@dataclass(frozen=True)
class TwoStage:
    """Trains and assembles the parts of bundles of one data set.

    Attributes:
        dataset: what ingest wrote.
        directory: where trained models and checkpoints are kept (`retrieval/`, `ranking/`).
        cache: where vectors of texts and pictures are kept.
        features, retrieval, ranking, state, pipeline: how.
        now: `data_end` or `wall`, what a server should take for the present.
        seed: everything random follows from it.
        target: the split that is evaluated; nothing of it or later enters training.
        kinds: names of the kinds of events that count as right answers; none: all.
        minimum_value: least value of an event that counts as a right answer.
        sequence: how the retriever is made where it is a sequence model.
        negatives: what two towers hold a chosen item against.
        training: how a training uses the machine.
        tracking: who keeps the course of trainings.
        images: how pictures become vectors.
        base: the project's folder, which paths of pictures and models count from.
        summaries: file of what a language model wrote about the items.
    """

    dataset: Dataset
    directory: Path
    cache: Path
    features: FeatureOptions
    retrieval: RetrievalOptions
    ranking: RankingOptions
    state: StateOptions
    pipeline: PipelineOptions
    now: str
    seed: int
    target: int = TEST
    kinds: tuple[str, ...] = ()
    minimum_value: float | None = None
    sequence: SequenceOptions = field(default_factory=SequenceOptions)
    negatives: NegativeOptions = field(default_factory=NegativeOptions)
    training: TrainingOptions = field(default_factory=TrainingOptions)
    tracking: TrackingOptions = field(default_factory=TrackingOptions)
    ncf: NcfOptions = field(default_factory=NcfOptions)
    dcn: DcnOptions = field(default_factory=DcnOptions)
    scenarios: Mapping[str, Scenario] = field(default_factory=dict)
    images: ImageOptions = field(default_factory=ImageOptions)
    base: Path = Path()
    summaries: Path | None = None

    def wanted_kinds(self) -> list[int] | None:
        """Positions of `kinds` among the kinds of the data set; None for all.

        Raises:
            ConfigError: the data set has no events of such a kind.
        """
        known = self.dataset.kinds
        if unknown := [kind for kind in self.kinds if kind not in known]:
            raise ConfigError([f"evaluation.kinds: there are no events of kind {unknown}, only {list(known)}"])
        return [known.index(kind) for kind in self.kinds] or None

    def windows(self) -> list[RankingWindow]:
        """The ranker's windows, latest first."""
        return ranking_windows(self.dataset.events, self.dataset.split, self.ranking, self.target)

    @property
    def horizon_days(self) -> int:
        """Length of a window in whole days, at least 1."""
        if self.ranking.window_days:
            return max(1, round(self.ranking.window_days))
        split = self.dataset.split
        if split["method"] != "temporal":
            return 28
        return max(1, round(int(split["data_end"] - split["test_start"]) / DAY))

    def _questions(self, window: RankingWindow, number_of_users: int, number_of_items: int) -> Holdout:
        return window.holdout(
            self.dataset.events,
            number_of_users,
            number_of_items,
            kinds=self.wanted_kinds(),
            minimum_value=self.minimum_value,
        )

    def feature_space(self, known: Events, until: int) -> FeatureSpace:
        """The retriever's inputs, fitted on the events `known`, all before `until` (UTC seconds)."""
        catalogue = Catalogue.from_dataset(self.dataset, until=until)
        content = self.content
        return FeatureSpace.fit(
            known,
            catalogue,
            Profiles.from_dataset(self.dataset),
            self.features,
            content.text,
            images=content.pictures,
            reviews=content.reviews(until),
            searches=content.searches,
            kinds=self.dataset.kinds,
        )

    @cached_property
    def content(self) -> Content:
        """Words and pictures of the data set."""
        return Content(self.dataset, self.cache, self.base, self.features, self.images, self.summaries)

    def retriever_options(self) -> RetrieverOptions:
        """The sections that the retriever reads."""
        return RetrieverOptions(
            self.retrieval,
            sequence=self.sequence,
            ncf=self.ncf,
            negatives=self.negatives,
            training=self.training,
            tracking=self.tracking,
            kinds=self.dataset.kinds,
        )

    def retrieval_validation(
        self, window: RankingWindow, number_of_items: int, task: Literal["new", "all"] = "new"
    ) -> RetrievalValidation | None:
        """What a retriever that learnt from before `window` is judged by; None where the window asks nothing.

        Args:
            window: what is known, and what was chosen after.
            number_of_items: I.
            task: `new`: items new to the user, where there are any; `all`: everything.
        """
        holdout = self._questions(window, len(self.dataset.user_ids), number_of_items)
        columns = (holdout.users, holdout.now, holdout.histories, holdout.indptr, holdout.items)
        validation = RetrievalValidation.new_items(*columns) if task == "new" else None
        if validation is None or not len(validation):
            validation = RetrievalValidation.all_items(*columns)
        return validation if len(validation) else None

    def train_retrieval(self, *, resume: bool = False) -> None:
        """Train both towers on what came before the ranker's windows, and index the items.

        Raises:
            TrainingError: there is too little to learn from, or an exported tower differs from its network.
        """
        if resume and self._is_trained():
            console.print("  the towers are trained already", style="dim")
            return
        events, window = self.dataset.events, self.windows()[-1]
        known = events.select(window.known)
        space = self.feature_space(known, window.now)
        work = self.directory / "retrieval-work"
        trained = train_retriever(
            known,
            space,
            self.retriever_options(),
            work,
            validation=self.retrieval_validation(window, space.number_of_items),
            resume=resume,
            seed=self.seed,
        )
        if not is_chief(self.training.distribute):
            return
        with directory_atomic(self.directory / "retrieval") as parts:
            space.save(parts / "features")
            (parts / "vectors").mkdir()
            with progress("export the towers, index the items"), native_output_hidden():
                parity = trained.export(parts / "towers")
                vectors = trained.item_vectors()
                np.save(parts / "vectors" / "items.npy", vectors)
                choose_index(len(vectors)).build(vectors).save(parts / "index")
            document = {
                "metric": trained.metric,
                "epochs": trained.history,
                "parity": {name: vars(one) for name, one in parity.items()},
                "known_until": window.now,
                "of": self._of(),
                "options": self._retrieval_options(),
            }
            (parts / "training.json").write_bytes(orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY))

    def train_ranking(self) -> None:
        """Train the ranker that `ranking.model` names; all but those over ids learn what the trained retrieval returns.

        Raises:
            TrainingError: there is no trained retrieval, or nothing to tell apart.
        """
        windows = self.windows()
        self._check_retrieval(windows[-1].now)
        model = self.ranking.model
        with directory_atomic(self.directory / "ranking") as parts:
            match model:
                case "xgboost":
                    self._train_trees(parts, windows)
                case "dcn":
                    self._train_dcn(parts, windows)
                case _:
                    self._train_pairs(parts, model, windows[0])
            document = {"of": self._of(), "towers": self._towers()}
            (parts / "training.json").write_bytes(orjson.dumps(document))

    def ranking_examples(
        self, windows: list[RankingWindow]
    ) -> tuple[dict[str, RankingExamples], tuple[str, ...], tuple[str, ...]]:
        """What trained retrieval returns in the `windows`.

        Returns:
            Examples by use (`all` and `new` items), names of the features, and those that sources bring.
        """
        found: dict[str, list[RankingExamples]] = {"all": [], "new": []}
        names: tuple[str, ...] = ()
        columns: tuple[str, ...] = ()
        for number, window in enumerate(windows):
            label = f"window {number + 1} of {len(windows)}"
            with self.serving(window.known, window.now, ranked=False) as serving:
                holdout = self._questions(window, len(serving.states), len(serving.catalogue))
                statistics = ItemStatistics.load(serving.bundle.path("state/statistics"), serving.catalogue)
                columns = serving.pipeline.source_columns
                features = CrossFeatures(statistics, columns)
                names = features.names
                for use, examples in found.items():
                    examples.append(
                        RankingExamples.collect(
                            serving,
                            features,
                            holdout,
                            exclude_seen=use == "new",
                            users=self.ranking.users_per_window,
                            negatives=self.ranking.negatives_per_user,
                            seed=self.seed + number,
                            title=f"candidates, {use} items, {label}",
                            values=window.values(self.dataset.events, len(serving.catalogue)),
                        )
                    )
        return {use: RankingExamples.concatenate(examples) for use, examples in found.items()}, names, columns

    def _train_trees(self, parts: Path, windows: list[RankingWindow]) -> None:
        examples, names, columns = self.ranking_examples(windows)
        options = self.ranking
        all_model = train_ranker(examples["all"], options, options.objective, self.seed, "ranker, all items")
        try:
            new_model = train_ranker(examples["new"], options, options.new_objective, self.seed, "ranker, new items")
        except TrainingError:
            console.print("  nobody chose a new item that was a candidate: one ranker serves both uses", style="dim")
            new_model = all_model
        save_ranker(parts, all_model, new_model, names, columns)

    def _train_dcn(self, parts: Path, windows: list[RankingWindow]) -> None:
        from savor.training.cross_network.ranker import train_dcn_ranker

        examples, names, columns = self.ranking_examples(windows)
        space = FeatureSpace.load(self.directory / "retrieval" / "features")
        tracker = open_tracker(self.tracking, self.directory / "ranking-work", "dcn")
        tracker.parameters({"dcn": self.dcn.model_dump(mode="json"), "seed": self.seed})
        train_dcn_ranker(parts, examples, names, columns, space, self.dcn, self.seed, tracker=tracker)
        tracker.finish({})

    def _train_pairs(self, parts: Path, model: Literal["neumf", "mlp", "gmf"], window: RankingWindow) -> None:
        from savor.training.ncf.ranker import train_pair_ranker

        events = self.dataset.events
        space = FeatureSpace.load(self.directory / "retrieval" / "features")
        tracker = open_tracker(self.tracking, self.directory / "ranking-work", model)
        tracker.parameters({"ncf": self.ncf.model_dump(mode="json"), "seed": self.seed})
        train_pair_ranker(
            parts,
            model,
            events.select(window.known),
            events.select(window.known | window.labels),
            space,
            self.ncf,
            validation=self.retrieval_validation(window, space.number_of_items),
            seed=self.seed,
            tracker=tracker,
        )
        tracker.finish({})

    @contextmanager
    def serving(self, known: Any, now: int, *, ranked: bool = True) -> Iterator[Serving]:
        """A server as of `now`, knowing the events where `known` ((N,) bool); its files are removed after."""
        with TemporaryDirectory(prefix="savor-") as folder:
            parts = Path(folder) / "parts"
            moment = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")
            with progress(f"what was known on {moment}"):
                self.assemble(parts, known, now, ranked=ranked)
                bundle = write_bundle(parts, self.metadata({}), Path(folder))
            with native_output_hidden():
                serving = build_serving(bundle, self.pipeline, clock=lambda: now)
            yield serving

    def assemble(self, parts: Path, known: Any, now: int, *, ranked: bool = True, current: bool = False) -> None:
        """Fill `parts` with everything a bundle holds: trained models, and the state as of `now`.

        Args:
            parts: folder to fill.
            known: (N,) bool, the events that may be known.
            now: UTC seconds.
            ranked: whether to put the rankers in.
            current: whether `now` is the present, so that what the item table says of stock holds.

        Raises:
            TrainingError: nothing is trained, or on another data set, split or other towers.
        """
        trained, ranking = self.directory / "retrieval", self.directory / "ranking"
        self._check_retrieval()
        # Networks are what an edge bundle is made of; only what is published needs them.
        left_out = None if current else shutil.ignore_patterns("networks")
        for name in ("features", "towers", "vectors", "index"):
            shutil.copytree(trained / name, parts / name, ignore=left_out)
        if ranked:
            if _json(ranking / "training.json") != {"of": self._of(), "towers": self._towers()}:
                raise TrainingError(
                    "there is no ranker trained with these towers on this data: run `savor train --stage ranking` first"
                )
            shutil.copytree(ranking, parts / "ranker", ignore=left_out)
        catalogue = Catalogue.from_dataset(self.dataset, until=now)
        if not current:
            # What is out of stock today was not so then.
            catalogue = replace(catalogue, in_stock=np.ones(len(catalogue), np.bool_))
        profiles = Profiles.from_dataset(self.dataset)
        events = self.dataset.events.select(known)
        searches = self.content.searches
        write_state(
            parts, events, catalogue, profiles, now, self.horizon_days, self.state, self.ranking.levels, searches
        )
        items = self.dataset.schema.items
        config = {
            "pipeline": self.pipeline.model_dump(mode="json"),
            "scenarios": {name: place.model_dump(exclude_unset=True) for name, place in self.scenarios.items()},
            "kinds": list(self.dataset.kinds),
            "now": self.now,
            "data_end": now,
            "pseudonymous": self.dataset.schema.pseudonymous,
            "name": items.name if items else None,
            "text": list(items.text) if items else [],
            "trending_window_days": self.state.trending_days,
        }
        (parts / "config.json").write_bytes(orjson.dumps(config, option=orjson.OPT_INDENT_2))

    def retrieval_history(self) -> list[dict[str, Any]]:
        """One JSON object per pass of the towers' training, oldest first; empty before it."""
        path = self.directory / "retrieval" / "training.json"
        return list(orjson.loads(path.read_bytes())["epochs"]) if path.exists() else []

    def identity(self) -> str:
        """64 hexadecimal digits that name the trained models and the data they are of.

        The networks beside the towers and the ranker are the same models; their files count the functions that the
        process made before, so they say nothing of what was learnt.
        """
        folders = (self.directory / "retrieval", self.directory / "ranking")
        files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
        files = [path for path in files if "networks" not in path.relative_to(self.directory).parts]
        named = {str(path.relative_to(self.directory)): sha256_file(path) for path in files if path.suffix != ".json"}
        return sha256_json({"of": self._of(), "config": self.metadata({}).config, "files": named})

    def _of(self) -> dict[str, str]:
        """The data, the split and, where they are read, the summaries that models are of."""
        found = {"data": self.dataset.fingerprint, "split": self.dataset.split["hash"]}
        if self.features.text and self.features.summaries and self.summaries is not None and self.summaries.exists():
            found["summaries"] = sha256_file(self.summaries)
        return found

    def _towers(self) -> dict[str, str]:
        folder = self.directory / "retrieval" / "towers"
        return {path.name: sha256_file(path) for path in sorted(folder.glob("*.tflite"))}

    def _retrieval_options(self) -> dict[str, Any]:
        return {
            "features": self.features.model_dump(mode="json"),
            "images": self.images.model_dump(mode="json"),
            **self.retriever_options().described(),
            "seed": self.seed,
        }

    def _is_trained(self) -> bool:
        """Whether towers with these very options are there for this data, of before the ranker's windows."""
        found = _json(self.directory / "retrieval" / "training.json")
        wanted = {"of": self._of(), "options": self._retrieval_options(), "known_until": self.windows()[-1].now}
        return all(found.get(key) == value for key, value in wanted.items())

    def _check_retrieval(self, before: int | None = None) -> None:
        """Towers are there, of this data and split, and learnt from nothing at or after `before`."""
        found = _json(self.directory / "retrieval" / "training.json")
        if not found:
            raise TrainingError("there are no trained towers: run `savor train` first")
        if found.get("of") != self._of():
            raise TrainingError("the towers were trained on other data or another split: run `savor train` again")
        if before is not None and found["known_until"] > before:
            raise TrainingError(
                "the towers learnt from what the ranker's windows ask for (ranking.windows, window_days or step_days "
                "changed since): run `savor train` again"
            )

    def publish_parts(self, parts: Path) -> None:
        """Fill `parts` with a bundle that knows everything there is."""
        events = self.dataset.events
        now = int(events.time.max(initial=0)) + 1
        self.assemble(parts, np.ones(len(events), np.bool_), now, current=True)
        WordIndex.build(Catalogue.load(parts / "catalogue")).save(parts / "sources" / "words")
        write_drift(parts, self.dataset, self.metadata({}), self.pipeline, now, self.seed)

    def metadata(self, metrics: dict[str, Any]) -> Metadata:
        """Where a bundle of this training comes from."""
        return Metadata(
            schema_hash=self.dataset.schema.hash,
            data_fingerprint=self.dataset.fingerprint,
            split_hash=self.dataset.split["hash"],
            config={
                "features": self.features.model_dump(mode="json"),
                "images": self.images.model_dump(mode="json", exclude={"folder"}),
                "retrieval": self.retrieval.model_dump(mode="json"),
                "sequence": self.sequence.model_dump(mode="json"),
                "negatives": self.negatives.model_dump(mode="json"),
                "ranking": self.ranking.model_dump(mode="json"),
                "ncf": self.ncf.model_dump(mode="json"),
                "dcn": self.dcn.model_dump(mode="json"),
                "state": self.state.model_dump(mode="json"),
                "pipeline": self.pipeline.model_dump(mode="json"),
            },
            seeds={"training": self.seed},
            metrics=metrics,
        )


def _json(path: Path) -> dict[str, Any]:
    """The JSON object in `path`; empty where there is no such file."""
    return dict(orjson.loads(path.read_bytes())) if path.exists() else {}
