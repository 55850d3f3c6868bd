"""Boosted trees as arrays, scored several times faster than by the library that grew them."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import BundleError

DEEPEST = 8
"""Deeper trees would be mostly padding."""

_IDENTITY = ("reg:squarederror", "rank:pairwise", "rank:ndcg", "rank:map")
_LOGISTIC = ("binary:logistic", "reg:logistic")


@dataclass(frozen=True)
class Forest:
    """T complete trees of one depth; shorter branches end in nodes that lead to the same leaf on both sides.

    Attributes:
        split: (T, 2^depth - 1) uint32 feature of each node, plus `width` where missing values go to the second child.
        threshold: (T, 2^depth - 1) float32; smaller values go to the first child.
        leaf: (T, 2^depth) float32.
        depth: of every tree.
        width: F, number of features.
        base: margin that the sum starts from.
        logistic: whether scores are chances, not margins.
    """

    split: NDArray[np.uint32]
    threshold: NDArray[np.float32]
    leaf: NDArray[np.float32]
    depth: int
    width: int
    base: np.float32
    logistic: bool

    @classmethod
    def of(cls, booster: Any) -> Self | None:
        """The trees of an XGBoost booster; None where it holds something else than plain trees of one output."""
        learner = json.loads(bytes(booster.save_raw("json")))["learner"]
        objective, described = learner["objective"]["name"], learner["learner_model_param"]
        boosted, width = learner["gradient_booster"], int(described["num_feature"])
        bases = [float(part) for part in str(described["base_score"]).strip("[]").split(",")]
        plain = boosted["name"] == "gbtree" and objective in (*_IDENTITY, *_LOGISTIC) and len(bases) == 1
        trees = boosted["model"]["trees"] if plain else []
        if not trees or any(tree["categories_nodes"] for tree in trees):
            return None
        depth = max(1, *(_depth(tree) for tree in trees))
        if depth > DEEPEST or any(int(tree["tree_param"].get("size_leaf_vector", 1)) > 1 for tree in trees):
            return None
        nodes = 2**depth - 1
        split = np.zeros((len(trees), nodes), np.uint32)
        threshold = np.zeros((len(trees), nodes), np.float32)
        leaf = np.zeros((len(trees), nodes + 1), np.float32)
        for number, tree in enumerate(trees):
            _lay_out(tree, width, split[number], threshold[number], leaf[number])
        logistic = objective in _LOGISTIC
        base = np.float32(bases[0])
        if logistic:
            base = -np.log(np.float32(1) / base - np.float32(1))
        return cls(split, threshold, leaf, depth, width, np.float32(base), logistic)

    def save(self, path: Path) -> None:
        """Write an `.npz` file."""
        np.savez(path, **asdict(self))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            BundleError: the file is absent or damaged.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                read = {name: arrays[name] for name in (field.name for field in fields(cls))}
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise BundleError(f"the trees in {path} cannot be read ({error}); publish the bundle again") from None
        split, threshold, leaf = read["split"], read["threshold"], read["leaf"]
        depth, width, trees = int(read["depth"]), int(read["width"]), len(split)
        nodes = 2**depth - 1 if 0 < depth <= DEEPEST else 0
        fits = split.shape == threshold.shape == (trees, nodes) and leaf.shape == (trees, nodes + 1) and trees > 0
        kinds = (split.dtype, threshold.dtype, leaf.dtype) == (np.uint32, np.float32, np.float32)
        if not fits or not kinds or split.max(initial=0) >= 2 * width:
            raise BundleError(f"the trees in {path} do not fit together; publish the bundle again")
        return cls(split, threshold, leaf, depth, width, np.float32(read["base"]), bool(read["logistic"]))

    def score(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, F) float32, NaN where unknown, to (N,) float32.

        Raises:
            ValueError: the features are not `width`.
        """
        from savor.models.forest_kernel import score_forest

        if features.shape[1:] != (self.width,):
            raise ValueError(f"the trees need {self.width} features, got an array of shape {features.shape}")
        rows = np.ascontiguousarray(features, np.float32)
        margin = score_forest(rows, self.split, self.threshold, self.leaf, self.depth, self.base)
        if self.logistic:
            margin = np.float32(1) / (np.float32(1) + np.exp(-margin))
        return margin


def _depth(tree: dict[str, Any]) -> int:
    left, right = tree["left_children"], tree["right_children"]
    deepest, waiting = 0, [(0, 0)]
    while waiting:
        node, level = waiting.pop()
        if left[node] == -1:
            deepest = max(deepest, level)
        else:
            waiting += [(left[node], level + 1), (right[node], level + 1)]
    return deepest


def _lay_out(
    tree: dict[str, Any],
    width: int,
    split: NDArray[np.uint32],
    threshold: NDArray[np.float32],
    leaf: NDArray[np.float32],
) -> None:
    """Put a tree into complete form; a leaf higher up is repeated in all places below it."""
    left, right, value = tree["left_children"], tree["right_children"], tree["split_conditions"]
    waiting = [(0, 0)]
    while waiting:
        node, place = waiting.pop()
        if place >= len(split):
            leaf[place - len(split)] = value[node]
        elif left[node] == -1:
            waiting += [(node, 2 * place + 1), (node, 2 * place + 2)]
        else:
            split[place] = tree["split_indices"][node] + (0 if tree["default_left"][node] else width)
            threshold[place] = value[node]
            waiting += [(left[node], 2 * place + 1), (right[node], 2 * place + 2)]
