"""Both stages of a project: retrieval on what came before the ranker's windows, then the ranker on them."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import orjson

from savor.bundle.manifest import Metadata
from savor.bundle.writer import write_bundle
from savor.core.errors import TrainingError
from savor.core.files import directory_atomic
from savor.core.hashing import sha256_file, sha256_json
from savor.core.native_output import native_output_hidden
from savor.core.progress import console, progress
from savor.data.dataset import Dataset
from savor.data.splits import TEST
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

    def train_retrieval(self, *, resume: bool = False) -> None:
        """Train both towers on what came before the ranker's windows, and index the items.

        Raises:
            TrainingError: there is too little to learn from, or an exported tower differs from its network.
        """
        # TensorFlow takes seconds to import, and nothing else here needs it.
        from savor.training.retrieval_loop import train_retrieval

        events, window = self.dataset.events, self.windows()[-1]
        known = events.select(window.known)
        catalogue = Catalogue.from_dataset(self.dataset, until=window.now)
        profiles = Profiles.from_dataset(self.dataset)
        text = self._text()
        space = FeatureSpace.fit(known, catalogue, profiles, self.features, text)
        holdout = window.holdout(events, len(profiles), len(catalogue))
        validation = RetrievalValidation.new_items(
            holdout.users, holdout.now, holdout.histories, holdout.indptr, holdout.items
        )
        if not len(validation):
            validation = RetrievalValidation.all_items(
                holdout.users, holdout.now, holdout.histories, holdout.indptr, holdout.items
            )
        work = self.directory / "retrieval-work"
        trained = train_retrieval(
            known,
            space,
            self.retrieval,
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
            }
            (parts / "training.json").write_bytes(orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY))

    def train_ranking(self) -> None:
        """Train both rankers on what the trained retrieval returns in each window.

        Raises:
            TrainingError: there is no trained retrieval, or nothing to tell apart.
        """
        events, windows = self.dataset.events, self.windows()
        every: list[RankingExamples] = []
        new: list[RankingExamples] = []
        names: tuple[str, ...] = ()
        columns: tuple[str, ...] = ()
        for number, window in enumerate(windows):
            label = f"window {number + 1} of {len(windows)}"
            with self.serving(window.known, window.now, ranked=False) as serving:
                holdout = window.holdout(events, len(serving.states), len(serving.catalogue))
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

    def assemble(self, parts: Path, known: Any, now: int, *, ranked: bool = True) -> None:
        """Fill `parts` with everything a bundle holds: trained models, and the state as of `now`."""
        trained = self.directory / "retrieval"
        if not (trained / "training.json").exists():
            raise TrainingError("there is no trained retrieval: run `savor train` first")
        for name in ("features", "towers", "vectors", "index"):
            shutil.copytree(trained / name, parts / name)
        if ranked:
            if not (self.directory / "ranking" / "features.json").exists():
                raise TrainingError("there is no trained ranker: run `savor train --stage ranking` first")
            shutil.copytree(self.directory / "ranking", parts / "ranker")
        catalogue = Catalogue.from_dataset(self.dataset, until=now)
        profiles = Profiles.from_dataset(self.dataset)
        events = self.dataset.events.select(known)
        write_state(parts, events, catalogue, profiles, now, self.horizon_days, self.state, self.ranking.levels)
        config = {
            "pipeline": self.pipeline.model_dump(mode="json"),
            "kinds": list(self.dataset.kinds),
            "now": self.now,
            "data_end": now,
            "trending_window_days": self.state.trending_days,
        }
        (parts / "config.json").write_bytes(orjson.dumps(config, option=orjson.OPT_INDENT_2))

    def retrieval_history(self) -> list[dict[str, Any]]:
        """One JSON object per pass of the towers' training, oldest first; empty before it."""
        path = self.directory / "retrieval" / "training.json"
        return list(orjson.loads(path.read_bytes())["epochs"]) if path.exists() else []

    def identity(self) -> str:
        """64 hexadecimal digits that name the trained models and the data they are of."""
        files = sorted(
            path
            for part in ("retrieval/towers", "ranking")
            for path in (self.directory / part).rglob("*")
            if path.is_file()
        )
        named = {str(path.relative_to(self.directory)): sha256_file(path) for path in files}
        return sha256_json({"data": self.dataset.fingerprint, "split": self.dataset.split["hash"], "files": named})

    def publish_parts(self, parts: Path) -> None:
        """Fill `parts` with a bundle that knows everything there is."""
        events = self.dataset.events
        self.assemble(parts, np.ones(len(events), np.bool_), int(events.time.max(initial=0)) + 1)

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
