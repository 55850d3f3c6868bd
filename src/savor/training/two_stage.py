"""Both stages of a project: retrieval on what came before the ranker's windows, then the ranker on them."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

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
from savor.data.splits import TEST
from savor.evaluation.holdout import Holdout
from savor.features.catalogue import Catalogue
from savor.features.cross import CrossFeatures
from savor.features.feature_space import FeatureSpace
from savor.features.item_statistics import ItemStatistics
from savor.features.options import FeatureOptions
from savor.features.profiles import Profiles
from savor.features.text.cache import TextCache
from savor.features.text.minilm import MiniLMEncoder
from savor.features.text.vectors import TextVectors, item_texts
from savor.index.choose import choose_index
from savor.pipeline.build import Serving, build_serving
from savor.pipeline.options import PipelineOptions
from savor.training.ranker import save_ranker, train_ranker
from savor.training.ranking_examples import RankingExamples
from savor.training.ranking_options import RankingOptions
from savor.training.ranking_windows import RankingWindow, ranking_windows
from savor.training.retrieval_options import RetrievalOptions
from savor.training.retrieval_validation import RetrievalValidation
from savor.training.retriever import RetrieverOptions, train_retriever
from savor.training.state import StateOptions, write_state

DAY = 86_400


@dataclass(frozen=True)
class TwoStage:
    """Trains and assembles the parts of bundles of one data set.

    Attributes:
        dataset: what ingest wrote.
        directory: where trained models and checkpoints are kept (`retrieval/`, `ranking/`).
        cache: where text vectors are kept.
        features, retrieval, ranking, state, pipeline: how.
        now: `data_end` or `wall`, what a server should take for the present.
        seed: everything random follows from it.
        target: the split that is evaluated; nothing of it or later enters training.
        kinds: names of the kinds of events that count as right answers; none: all.
        minimum_value: least value of an event that counts as a right answer.
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
        catalogue = Catalogue.from_dataset(self.dataset, until=window.now)
        profiles = Profiles.from_dataset(self.dataset)
        text = self._text()
        space = FeatureSpace.fit(known, catalogue, profiles, self.features, text)
        holdout = self._questions(window, len(profiles), len(catalogue))
        validation = RetrievalValidation.new_items(
            holdout.users, holdout.now, holdout.histories, holdout.indptr, holdout.items
        )
        if not len(validation):
            validation = RetrievalValidation.all_items(
                holdout.users, holdout.now, holdout.histories, holdout.indptr, holdout.items
            )
        work = self.directory / "retrieval-work"
        trained = train_retriever(
            known,
            space,
            RetrieverOptions(self.retrieval),
            work,
            validation=validation if len(validation) else None,
            resume=resume,
            seed=self.seed,
        )
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
        """Train both rankers on what the trained retrieval returns in each window.

        Raises:
            TrainingError: there is no trained retrieval, or nothing to tell apart.
        """
        windows = self.windows()
        self._check_retrieval(windows[-1].now)
        every: list[RankingExamples] = []
        new: list[RankingExamples] = []
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
                for exclude_seen, examples in ((False, every), (True, new)):
                    examples.append(
                        RankingExamples.collect(
                            serving,
                            features,
                            holdout,
                            exclude_seen=exclude_seen,
                            users=self.ranking.users_per_window,
                            negatives=self.ranking.negatives_per_user,
                            seed=self.seed + number,
                            title=f"candidates, {'new items' if exclude_seen else 'all items'}, {label}",
                        )
                    )
        options = self.ranking
        all_model = train_ranker(
            RankingExamples.concatenate(every), options, options.objective, self.seed, "ranker, all items"
        )
        try:
            new_model = train_ranker(
                RankingExamples.concatenate(new), options, options.new_objective, self.seed, "ranker, new items"
            )
        except TrainingError:
            console.print("  nobody chose a new item that was a candidate: one ranker serves both uses", style="dim")
            new_model = all_model
        with directory_atomic(self.directory / "ranking") as parts:
            save_ranker(parts, all_model, new_model, names, columns)
            document = {"of": self._of(), "towers": self._towers()}
            (parts / "training.json").write_bytes(orjson.dumps(document))

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
        for name in ("features", "towers", "vectors", "index"):
            shutil.copytree(trained / name, parts / name)
        if ranked:
            if _json(ranking / "training.json") != {"of": self._of(), "towers": self._towers()}:
                raise TrainingError(
                    "there is no ranker trained with these towers on this data: run `savor train --stage ranking` first"
                )
            shutil.copytree(ranking, parts / "ranker")
        catalogue = Catalogue.from_dataset(self.dataset, until=now)
        if not current:
            # What is out of stock today was not so then.
            catalogue = replace(catalogue, in_stock=np.ones(len(catalogue), np.bool_))
        profiles = Profiles.from_dataset(self.dataset)
        events = self.dataset.events.select(known)
        write_state(parts, events, catalogue, profiles, now, self.horizon_days, self.state, self.ranking.levels)
        config = {
            "pipeline": self.pipeline.model_dump(mode="json"),
            "kinds": list(self.dataset.kinds),
            "now": self.now,
            "data_end": now,
            "pseudonymous": self.dataset.schema.pseudonymous,
            "trending_window_days": self.state.trending_days,
        }
        (parts / "config.json").write_bytes(orjson.dumps(config, option=orjson.OPT_INDENT_2))

    def retrieval_history(self) -> list[dict[str, Any]]:
        """One JSON object per pass of the towers' training, oldest first; empty before it."""
        path = self.directory / "retrieval" / "training.json"
        return list(orjson.loads(path.read_bytes())["epochs"]) if path.exists() else []

    def identity(self) -> str:
        """64 hexadecimal digits that name the trained models and the data they are of."""
        folders = (self.directory / "retrieval", self.directory / "ranking")
        files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
        named = {str(path.relative_to(self.directory)): sha256_file(path) for path in files if path.suffix != ".json"}
        return sha256_json({"of": self._of(), "config": self.metadata({}).config, "files": named})

    def _of(self) -> dict[str, str]:
        """The data and the split that models are of."""
        return {"data": self.dataset.fingerprint, "split": self.dataset.split["hash"]}

    def _towers(self) -> dict[str, str]:
        folder = self.directory / "retrieval" / "towers"
        return {path.name: sha256_file(path) for path in sorted(folder.glob("*.tflite"))}

    def _retrieval_options(self) -> dict[str, Any]:
        return {
            "features": self.features.model_dump(mode="json"),
            "retrieval": self.retrieval.model_dump(mode="json"),
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
        self.assemble(parts, np.ones(len(events), np.bool_), int(events.time.max(initial=0)) + 1, current=True)

    def metadata(self, metrics: dict[str, Any]) -> Metadata:
        """Where a bundle of this training comes from."""
        return Metadata(
            schema_hash=self.dataset.schema.hash,
            data_fingerprint=self.dataset.fingerprint,
            split_hash=self.dataset.split["hash"],
            config={
                "features": self.features.model_dump(mode="json"),
                "retrieval": self.retrieval.model_dump(mode="json"),
                "ranking": self.ranking.model_dump(mode="json"),
                "state": self.state.model_dump(mode="json"),
                "pipeline": self.pipeline.model_dump(mode="json"),
            },
            seeds={"training": self.seed},
            metrics=metrics,
        )

    def _text(self) -> TextVectors | None:
        schema = self.dataset.schema.items
        if not self.features.text or schema is None or not schema.text:
            return None
        encoder = MiniLMEncoder(Path(self.features.text_encoder) if self.features.text_encoder else None)
        return TextVectors.encode(item_texts(self.dataset), TextCache(self.cache / "text", encoder).encode)


def _json(path: Path) -> dict[str, Any]:
    """The JSON object in `path`; empty where there is no such file."""
    return dict(orjson.loads(path.read_bytes())) if path.exists() else {}
