"""Run by itself: makes small edge models, so that tests need not load a deep-learning framework.

Every input has a part in the vector, so that a wrong one changes the scores.
"""

import json
import os
import sys
from pathlib import Path

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")

import numpy as np
import tensorflow as tf

MOST_K = 20


def main(directory: str, *names: str) -> None:
    """For each name: `{name}.npy`, the vectors of its items, to `{name}.tflite`."""
    signature = json.loads(Path(directory, "signature.json").read_text())
    for name in names:
        model = converted(signature, np.load(Path(directory, f"{name}.npy")), str(Path(directory, name)))
        Path(directory, f"{name}.tflite").write_bytes(model)


def converted(signature, vectors, scratch) -> bytes:
    rng = np.random.default_rng(3)
    width = vectors.shape[1]
    tables = {
        name: tf.constant(rng.standard_normal((spec["cardinality"] or 1, width)).astype(np.float32))
        for name, spec in signature.items()
    }
    items = tf.constant(vectors)
    k = min(MOST_K, len(vectors))
    specs = {
        name: tf.TensorSpec([1, *spec["shape"]], tf.as_dtype(spec["dtype"]), name=name)
        for name, spec in signature.items()
    }
    specs["mask"] = tf.TensorSpec([1, len(vectors)], tf.float32, name="mask")

    class Edge(tf.Module):  # type: ignore[misc]
        @tf.function(input_signature=[specs])
        def recommend(self, given):
            total = tf.zeros([1, width])
            for name, spec in signature.items():
                value = tf.reshape(given[name], [-1])
                if spec["cardinality"]:
                    place = tf.cast(tf.range(1, tf.size(value) + 1), tf.float32)[:, None]
                    part = tf.gather(tables[name], value) / place
                else:
                    part = value[:, None] * tables[name]
                total += tf.reduce_sum(part, axis=0, keepdims=True)
            scores = tf.matmul(tf.math.l2_normalize(total, axis=1), items, transpose_b=True) + given["mask"]
            best = tf.math.top_k(scores, k)
            return {"items": best.indices, "scores": best.values}

    edge = Edge()
    tf.saved_model.save(edge, scratch, signatures={"recommend": edge.recommend})
    converter = tf.lite.TFLiteConverter.from_saved_model(scratch, signature_keys=["recommend"])
    return bytes(converter.convert())


if __name__ == "__main__":
    main(*sys.argv[1:])
