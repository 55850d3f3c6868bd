"""A neural ranker for a device: the items that the model found, in the order that the ranker gives them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
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
from savor.export.ranker_tables import SCORES, heads_of
from savor.export.tidy_model import tidy_model
from savor.export.variant import variant
from savor.features.feature_space import FeatureSpace
from savor.features.normaliser import LARGEST, Normaliser
from savor.features.table_encoder import Inputs
from savor.models.dcn_ranker import DcnRanker
from savor.models.pair_ranker import PairRanker
from savor.pipeline.open_ranker import PAIR_KINDS
from savor_edge.ranker import FEATURES, ITEMS
from savor_edge.ranker_model import NAME, NEW_NAME, SIGNATURE

LARGEST_DIFFERENCE = 0.01
"""Of a score of the device's ranker from the server's, in the spread of the server's scores."""

WEIGHTS = ("float16", "float32")
"""How weights are stored; the first with which scores are the server's."""

_ROUNDS = 20


@dataclass(frozen=True)
class RankerExport:
    """Makes `ranker.tflite` of a bundle, and `ranker_new.tflite` for lists of what somebody did not have.

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

    @property
    def user_inputs(self) -> tuple[str, ...]:
        """Names of the person's codes that the networks take; () where there is no ranker."""
        if self.kind is None:
            return ()
        codes = {name for network in self.networks for name in self._model(network).codes}
        return tuple(sorted(name for name in codes if self._is_given(name)))

    @property
    def networks(self) -> dict[str, str]:
        """By the server's name of a network, the file it becomes."""
        if self.kind != "dcn":
            return {"pair": NAME}
        return {"all": NAME} | ({"new": NEW_NAME} if self.bundle.has("ranker/new.tflite") else {})

    def make(self) -> tuple[dict[str, bytes], EdgeRanker] | None:
        """The networks by file name, whose heads say what the server's do, and what the manifest says of them.

        None where there is no ranker for a device.

        Raises:
            ExportError: the bundle keeps no network of it, or its scores are not the server's (code `parity_failed`).
        """
        kind = self.kind
        if kind is None:
            return None
        with progress("the ranker"):
            made = {file: self._made(network) for network, file in self.networks.items()}
        names = self._features
        heads = {head: Tensor(dtype="float32", shape=(1, self.k)) for head in heads_of(kind)}
        shapes = {
            name: Tensor(dtype=spec.dtype.name, shape=tuple(map(int, spec.shape)))
            for name, spec in self._specs("all" if kind == "dcn" else "pair").items()
        }
        return made, EdgeRanker(kind=kind, candidates=self.k, inputs=shapes, outputs=heads, features=names)

    @cached_property
    def _features(self) -> tuple[str, ...]:
        return tuple(self.bundle.read_json("ranker/features.json")["names"]) if self.kind == "dcn" else ()

    def _is_given(self, name: str) -> bool:
        return name.startswith("user_") and (name != USER_ID or self.user_ids)

    def _model(self, network: str) -> Any:
        """The server's."""
        directory = self.bundle.path("ranker")
        if network == "pair":
            return PairRanker.load(directory / "pair.tflite")
        return DcnRanker.load(directory, network)

    def _specs(self, network: str) -> dict[str, Any]:
        """The inputs on a device."""
        import tensorflow as tf

        inputs = {ITEMS: tf.TensorSpec((1, self.k), tf.int32, name=ITEMS)}
        for name in sorted(self._model(network).codes):
            if self._is_given(name):
                inputs[name] = tf.TensorSpec((1,), tf.int32, name=name)
        if self._features:
            inputs[FEATURES] = tf.TensorSpec((1, self.k, len(self._features)), tf.float32, name=FEATURES)
        return inputs

    def _made(self, network: str) -> bytes:
        import tensorflow as tf

        frozen = FrozenNetwork.load(self.bundle, f"ranker/networks/{network}", rows=self.k)
        normaliser = Normaliser.load(self.bundle.path(f"ranker/{network}.normaliser.json")) if self._features else None
        inputs = self._specs(network)
        function = tf.function(lambda **given: self._heads(frozen, normaliser, given), autograph=False)
        difference = 0.0
        for weights in WEIGHTS:
            content = tidy_model(convert(function, inputs, SIGNATURE, variant(weights)))
            difference = self._difference(content, network, inputs)
            if difference <= LARGEST_DIFFERENCE:
                return content
        raise ExportError(
            f"the {self.kind} ranker for the device does not score as the server's does: a score differs by "
            f"{difference:.2g} of the spread of scores, and {LARGEST_DIFFERENCE:g} is allowed",
            code="parity_failed",
        )

    def _heads(self, network: FrozenNetwork, normaliser: Normaliser | None, given: Mapping[str, Any]) -> dict[str, Any]:
        """(1, k) float32 in the graph by head."""
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
        found = network(**values)
        heads = heads_of("dcn" if self._features else "pair")
        return {head: tf.reshape(found[:, place], (1, self.k)) for place, head in enumerate(heads)}

    def _codes(self, name: str) -> NDArray[np.int32]:
        return np.ascontiguousarray(self.space.item_table[name][self.rows], np.int32)

    def _difference(self, content: bytes, network: str, inputs: Mapping[str, Any]) -> float:
        """Largest difference of a score of `content` from the server's, for drawn items, in the spread of scores."""
        from ai_edge_litert.interpreter import Interpreter

        runner = Interpreter(model_content=content, num_threads=1).get_signature_runner(SIGNATURE)
        model, rng, width = self._model(network), np.random.default_rng(0), len(self._features)
        signature = self.space.users.signature()
        ours: list[NDArray[np.float32]] = []
        theirs: list[NDArray[np.float32]] = []
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
            found, own = runner(**given), self._server(model, items, given)
            theirs.append(np.stack([found[head][0] for head in own]))
            ours.append(np.stack(list(own.values())))
        own_heads, heads = np.concatenate(ours, axis=1), np.concatenate(theirs, axis=1)
        spread = np.maximum(own_heads.std(axis=1), np.maximum(np.abs(own_heads.mean(axis=1)) / 10, 1e-6))
        return float((np.abs(own_heads - heads).max(axis=1) / spread).max())

    def _server(self, model: Any, items: NDArray[np.int32], given: Inputs) -> dict[str, NDArray[np.float32]]:
        """What the server's ranker says of the same, by head."""
        codes = {
            name: self._codes(name)[items]
            if name.startswith("item_")
            else np.full(self.k, given[name][0] if name in given else 0, np.int32)
            for name in model.codes
        }
        return dict(model.heads(given[FEATURES][0], codes)) if self._features else {SCORES: model.score(codes)}


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
