"""Run by itself: makes the models of the edge bundles in `device_bundles.py`, as `savor export` would."""

import json
import os
import sys
from pathlib import Path

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")

import numpy as np
import tensorflow as tf


class Recommender(tf.Module):  # type: ignore[misc]
    """The mean of what is in the history, a little of the profile, and the items that lie nearest."""

    def __init__(self, vectors: np.ndarray, codes: np.ndarray, signature: dict, seed: int, k: int) -> None:
        super().__init__()
        rng = np.random.default_rng(seed)
        width = vectors.shape[1]
        shuffled = vectors[:, rng.permutation(width)]
        table = np.zeros((signature["history_item"]["cardinality"], width), np.float32)
        table[codes] = shuffled
        self.table, self.items, self.k = tf.Variable(table), tf.Variable(shuffled), k
        self.first = tf.Variable(0.1 * rng.standard_normal((width,)).astype(np.float32))
        self.ages = tf.Variable(rng.standard_normal((64, width)).astype(np.float32))

    @tf.function
    def recommend(self, **inputs):
        history = inputs["history_item"]
        total = tf.reduce_sum(tf.gather(self.table, history), axis=1)
        known = tf.reduce_sum(tf.cast(history > 0, tf.float32), axis=1, keepdims=True)
        user = total / (known + 1e-6) + self.first
        if "user_category_0" in inputs:
            user += tf.gather(self.ages, inputs["user_category_0"]) * 0.2
        user = tf.math.l2_normalize(user, axis=1)
        scores, items = tf.math.top_k(tf.matmul(user, self.items, transpose_b=True) + inputs["mask"], self.k)
        return {"items": items, "scores": scores}


def main(plan_file: str) -> None:
    plan = json.loads(Path(plan_file).read_text())
    vectors, codes, signature = np.load(plan["vectors"]), np.load(plan["codes"]), plan["signature"]
    taken = [name for name in ("history_item", "user_category_0") if name in signature]
    specs = {name: tf.TensorSpec([1, *signature[name]["shape"]], signature[name]["dtype"], name=name) for name in taken}
    specs["mask"] = tf.TensorSpec([1, len(vectors)], tf.float32, name="mask")
    for out, seed in plan["models"]:
        module = Recommender(vectors, codes, signature, seed, plan["k"])
        function = module.recommend.get_concrete_function(**specs)
        saved = f"{plan['scratch']}/{seed}"
        tf.saved_model.save(module, saved, signatures={"recommend": function})
        Path(out).write_bytes(tf.lite.TFLiteConverter.from_saved_model(saved).convert())


if __name__ == "__main__":
    main(sys.argv[1])
