"""Boosted trees, as XGBoost grew them."""

from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import BundleError, MissingDependencyError
from savor.models.forest import Forest


class XgboostRanker:
    """Rows of features to scores; scoring is safe from several threads.

    Plain trees are scored as a `Forest`, which adds up the same leaves in the same order; others by XGBoost.
    """

    def __init__(self, open_booster: Callable[[], Any], forest: Forest | None) -> None:
        self._open, self._forest = open_booster, forest

    @classmethod
    def load(cls, path: Path, threads: int = 1) -> Self:
        """Open a `.ubj` file.

        Where its trees lie beside it as a `Forest` (`forest_beside`), XGBoost itself is imported for explanations only:
        that takes longer than everything else here, and tens of megabytes.

        Raises:
            BundleError: the file is absent or is not an XGBoost model.
            MissingDependencyError: XGBoost is needed and not installed.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise BundleError(f"{path} cannot be read ({error}); publish the bundle again") from None
        open_booster = lru_cache(maxsize=1)(partial(_booster, content, threads, path))
        beside = forest_beside(path)
        return cls(open_booster, Forest.load(beside) if beside.exists() else Forest.of(open_booster()))

    def score(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, F) float32, NaN where unknown, to (N,) float32, larger is better.

        A logistic model gives chances between 0 and 1 (among the candidates it learnt from, of which most that were not
        chosen were left out, so they are too high as chances); a model of order gives margins.
        """
        if self._forest is not None:
            return self._forest.score(features)
        scores = self._open().inplace_predict(features, validate_features=False)
        return np.asarray(scores, np.float32)

    def contributions(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """What each feature adds to the margin behind the score, much slower than `score`.

        Lundberg et al., "Consistent individualized feature attribution for tree ensembles", 2018.

        Args:
            features: (N, F) float32, NaN where unknown.

        Returns:
            (N, F + 1) float32; a row adds up to the margin (the log-odds of a logistic score), and the last
            column is the same for all.
        """
        booster = self._open()
        from xgboost import DMatrix

        return np.asarray(booster.predict(DMatrix(features), pred_contribs=True), np.float32)


def forest_beside(path: Path) -> Path:
    """Where the trees of the model in `path` lie as arrays, if they do."""
    return path.with_suffix(".forest.npz")


def _booster(content: bytes, threads: int, path: Path) -> Any:
    try:
        from xgboost import Booster
        from xgboost.core import XGBoostError
    except ImportError:
        raise MissingDependencyError("xgboost-cpu", "serve") from None
    booster = Booster({"nthread": threads})
    try:
        booster.load_model(bytearray(content))
    except XGBoostError as error:
        raise BundleError(f"{path} cannot be read as an XGBoost model ({error}); publish the bundle again") from None
    return booster
