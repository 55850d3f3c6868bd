"""A neural ranker for a device: the items that the model found, in the order that the ranker gives them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.bundle.bundle import Bundle
from savor.bundle.edge_manifest import EdgeRanker, Tensor
from savor.core.errors import ExportError
from savor.core.progress import progress
from savor.export.convert import convert
from savor.export.edge_graph import USER_ID
from savor.export.frozen_network import FrozenNetwork
from savor.export.tidy_model import tidy_model
from savor.export.variant import variant
from savor.features.feature_space import FeatureSpace
from savor.features.normaliser import LARGEST, Normaliser
from savor.features.table_encoder import Inputs
from savor.models.dcn_ranker import FEATURES, DcnRanker
from savor.models.pair_ranker import PairRanker
from savor.pipeline.open_ranker import PAIR_KINDS

NAME = "ranker.tflite"
SIGNATURE = "rank"
ITEMS = "items"
LARGEST_DIFFERENCE = 0.01
"""Of a score of the device's ranker from the server's, in the spread of the server's scores."""

_ROUNDS = 20


@dataclass(frozen=True)
class RankerExport:
    """Makes `ranker.tflite` of a bundle.

    Attributes:
        bundle: of the server.
        space: says what codes items have.
        rows: (I,) int32, the server's rows of the device's items.
        k: how many items are ranked at a time.
        user_ids: whether the device knows the server's users.
    """

    bundle: Bundle
    space: FeatureSpace
    rows: NDArray[np.int32]
    k: int
    user_ids: bool

    @property
    def kind(self) -> str | None:
        """`dcn` or the kind of a ranker over ids; None where a device can do nothing with what the bundle has.

        A ranker over ids says nothing of people whose ids are not on the device.
        """
        if not self.bundle.has("ranker/ranker.json"):
            return None
        kind = str(self.bundle.read_json("ranker/ranker.json").get("kind"))
        return kind if kind == "dcn" or (kind in PAIR_KINDS and self.user_ids) else None

    def make(self) -> tuple[bytes, EdgeRanker] | None:
        """The model, whose scores are the server's, and what the manifest says of it; None where there is none.

        Raises:
            ExportError: the bundle keeps no network of it, or its scores are not the server's (code `parity_failed`).
        """
        import tensorflow as tf

        kind = self.kind
        if kind is None:
            return None
        dcn = kind == "dcn"
        network = FrozenNetwork.load(self.bundle, f"ranker/networks/{'all' if dcn else 'pair'}", rows=self.k)
        names = tuple(self.bundle.read_json("ranker/features.json")["names"]) if dcn else ()
        normaliser = Normaliser.load(self.bundle.path("ranker/all.normaliser.json")) if dcn else None
        inputs = {ITEMS: tf.TensorSpec((1, self.k), tf.int32, name=ITEMS)}
        for name in sorted(network.inputs):
            if name.startswith("user_") and (name != USER_ID or self.user_ids):
                inputs[name] = tf.TensorSpec((1,), tf.int32, name=name)
        if dcn:
            inputs[FEATURES] = tf.TensorSpec((1, self.k, len(names)), tf.float32, name=FEATURES)
        function = tf.function(lambda **given: {"scores": self._scores(network, normaliser, given)}, autograph=False)
        with progress("the ranker"):
            content = tidy_model(convert(function, inputs, SIGNATURE, variant("float16")))
            self._check(content, kind, inputs, len(names))
        shapes = {
            name: Tensor(dtype=spec.dtype.name, shape=tuple(map(int, spec.shape))) for name, spec in inputs.items()
        }
        scores = {"scores": Tensor(dtype="float32", shape=(1, self.k))}
        return content, EdgeRanker(kind=kind, candidates=self.k, inputs=shapes, outputs=scores, features=names)

    def _scores(self, network: FrozenNetwork, normaliser: Normaliser | None, given: Mapping[str, Any]) -> Any:
        """(1, k) float32 in the graph."""
        import tensorflow as tf

        values: dict[str, Any] = {}
        for name in network.inputs:
            if name == FEATURES:
                assert normaliser is not None
                values[name] = _normalised(given[FEATURES][0], normaliser)
            elif name.startswith("item_"):
                values[name] = tf.gather(tf.constant(self._codes(name)), given[ITEMS][0])
            else:
                code = given[name] if name in given else tf.zeros((1,), tf.int32)
                values[name] = tf.tile(code, [self.k])
        return tf.reshape(network(**values)[:, 0], (1, self.k))

    def _codes(self, name: str) -> NDArray[np.int32]:
        return np.ascontiguousarray(self.space.item_table[name][self.rows], np.int32)

    def _check(self, content: bytes, kind: str, inputs: Mapping[str, Any], width: int) -> None:
        """Rank drawn items by both."""
        from ai_edge_litert.interpreter import Interpreter

        runner = Interpreter(model_content=content, num_threads=1).get_signature_runner(SIGNATURE)
        rng = np.random.default_rng(0)
        signature = self.space.users.signature()
        ours, theirs = [], []
        for _ in range(_ROUNDS):
            items = rng.choice(len(self.rows), self.k, replace=False).astype(np.int32)
            given: Inputs = {ITEMS: items[None]}
            for name in inputs:
                if name.startswith("user_"):
                    given[name] = rng.integers(0, signature[name].cardinality or 1, 1, dtype=np.int32)
            if width:
                features = rng.gamma(1, 10, (self.k, width)).astype(np.float32) * rng.choice([-1, 1], (self.k, width))
                features[rng.random(features.shape) < 0.2] = np.nan
                given[FEATURES] = features[None].astype(np.float32)
            theirs.append(runner(**given)["scores"][0])
            ours.append(self._server(kind, items, given))
        own, found = np.concatenate(ours), np.concatenate(theirs)
        difference = float(np.abs(own - found).max()) / max(float(own.std()), 1e-9)
        if not difference <= LARGEST_DIFFERENCE:
            raise ExportError(
                f"the {kind} ranker for the device does not score as the server's does: a score differs by "
                f"{difference:.2g} of the spread of scores, and {LARGEST_DIFFERENCE:g} is allowed",
                code="parity_failed",
            )

    def _server(self, kind: str, items: NDArray[np.int32], given: Inputs) -> NDArray[np.float32]:
        """What the server's ranker says of the same."""
        directory = self.bundle.path("ranker")
        model: Any = DcnRanker.load(directory, "all") if kind == "dcn" else PairRanker.load(directory / "pair.tflite")
        codes = {
            name: self._codes(name)[items]
            if name.startswith("item_")
            else np.full(self.k, given[name][0] if name in given else 0, np.int32)
            for name in model.codes
        }
        return np.asarray(model.score(given[FEATURES][0], codes) if kind == "dcn" else model.score(codes), np.float32)


def _normalised(features: Any, normaliser: Normaliser) -> Any:
    """`Normaliser.transform` in the graph: (k, F) float32, NaN where missing, to (k, F + M)."""
    import tensorflow as tf

    missing = tf.not_equal(features, features)
    known = tf.where(missing, tf.zeros_like(features), features)
    squeezed = tf.sign(known) * tf.math.log(1 + tf.abs(known))
    scaled = tf.clip_by_value((squeezed - normaliser.mean) / normaliser.scale, -LARGEST, LARGEST)
    scaled = tf.where(missing, tf.zeros_like(scaled), scaled)
    flags = tf.gather(tf.cast(missing, tf.float32), tf.constant(normaliser.flagged, tf.int32), axis=1)
    return tf.concat([scaled, flags], axis=1)
