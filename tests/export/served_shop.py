"""The made shop with small towers that Keras made, as a bundle that keeps their networks."""

import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from savor.bundle.bundle import Bundle
from savor.features.feature_space import FeatureSpace
from savor.index.choose import choose_index
from savor.training.retrieval_options import RetrievalOptions
from savor.training.towers import build_tower
from savor.training.trained_towers import TrainedTowers
from tests.synthetic_bundle import Sizes, seal, write_parts

OPTIONS = RetrievalOptions(
    embedding_dimension=16, hidden=(32,), id_width=8, category_width=8, history_width=32, history_heads=2
)
SIZES = Sizes(items=300, users=60, events=4000, width=16)


@dataclass(frozen=True)
class ServedShop:
    """A bundle, and the networks that it was made of."""

    bundle: Bundle
    towers: TrainedTowers


@cache
def made_served_shop(base: Path) -> ServedShop:
    """Made once in a test run."""
    parts = base / "served-parts"
    write_parts(parts, SIZES, tower=False)
    space = FeatureSpace.load(parts / "features")
    user = build_tower("user", space.user_signature, OPTIONS, 1)
    item = build_tower("item", space.item_signature, OPTIONS, 2)
    # Large enough embeddings that what people did decides.
    for network in (user, item):
        network.set_weights([weight * 4 if weight.ndim == 2 else weight for weight in network.get_weights()])
    towers = TrainedTowers(user, item, space, [], "recall")
    towers.export(parts / "towers")
    vectors = towers.item_vectors()
    np.save(parts / "vectors" / "items.npy", vectors)
    shutil.rmtree(parts / "index")
    choose_index(len(vectors)).build(vectors).save(parts / "index")
    return ServedShop(seal(parts, base / "served-made"), towers)
