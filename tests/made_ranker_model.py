"""Run by itself: makes small rankers for devices, so that tests need not load a deep-learning framework."""

import os
import sys
from pathlib import Path

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")

import numpy as np
import tensorflow as tf


def main(items: str, k: str, width: str, *outs: str) -> None:
    """For each file of `outs` another network over `width` features of `k` of so many items."""
    for seed, out in enumerate(outs):
        Path(out).write_bytes(converted(int(items), int(k), int(width), seed, f"{out}.saved"))


def converted(items: int, k: int, width: int, seed: int, scratch: str) -> bytes:
    rng = np.random.default_rng(seed)
    weights = tf.constant((rng.standard_normal((width, 2)) / np.sqrt(width)).astype(np.float32))
    table = tf.constant((0.1 * rng.standard_normal(items)).astype(np.float32))
    specs = {
        "items": tf.TensorSpec([1, k], tf.int32, name="items"),
        "features": tf.TensorSpec([1, k, width], tf.float32, name="features"),
    }

    class Network(tf.Module):  # type: ignore[misc]
        @tf.function(input_signature=[specs])
        def rank(self, given):
            features = given["features"][0]
            known = tf.where(tf.not_equal(features, features), tf.zeros_like(features), features)
            said = tf.matmul(tf.sign(known) * tf.math.log(1 + tf.abs(known)), weights)
            said += tf.gather(table, given["items"][0])[:, None]
            return {"ctr": tf.sigmoid(said[:, :1])[None, :, 0], "rating": said[None, :, 1]}

    network = Network()
    tf.saved_model.save(network, scratch, signatures={"rank": network.rank})
    converter = tf.lite.TFLiteConverter.from_saved_model(scratch, signature_keys=["rank"])
    return bytes(converter.convert())


if __name__ == "__main__":
    main(*sys.argv[1:])
