"""Run by itself: makes a small user tower for a feature space, so that tests need not load a deep-learning framework.

The vector of a user is the normalised mean of the vectors of the items in the history.
"""

import json
import os
import sys
from pathlib import Path

os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")

import keras
import numpy as np


def main(signature_file: str, vectors_file: str, out: str) -> None:
    signature = json.loads(Path(signature_file).read_text())
    vectors = np.load(vectors_file)
    inputs = {name: keras.Input(spec["shape"], dtype=spec["dtype"], name=name) for name, spec in signature.items()}
    table = keras.layers.Embedding(len(vectors), vectors.shape[1], weights=[vectors], trainable=False)
    history = keras.ops.mean(table(inputs["history_item"]), axis=1)
    parts = [keras.ops.cast(value, "float32") for name, value in inputs.items() if name != "history_item"]
    rest = [keras.ops.mean(keras.ops.reshape(part, (-1, int(np.prod(part.shape[1:]) or 1))), axis=1) for part in parts]
    nothing = 0.0 * keras.ops.expand_dims(sum(rest), 1) if rest else 0.0
    output = keras.layers.UnitNormalization()(history + nothing + 1e-6)
    keras.Model(inputs, output).export(out, format="litert", verbose=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
