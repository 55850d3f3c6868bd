import csv

import numpy as np
import pytest

from savor.core.errors import ConfigError
from savor.features.embedding_store import EmbeddingStore
from savor.features.images.onnx_encoder import OnnxImageEncoder
from savor.features.images.source import ImageSource
from savor.features.images.vectors import ImageVectors
from tests.features.images.tiny_onnx import write_mean_colour

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
COLOURS = IMAGES.astype(np.float64).mean(axis=(1, 2))


@pytest.mark.parametrize("channels_first", [True, False])
@pytest.mark.parametrize("batch", ["n", 1, 3])
@pytest.mark.parametrize("flat", [True, False])
def test_layout_batch_and_pooling_follow_from_the_model(tmp_path, channels_first, batch, flat):
    path = write_mean_colour(tmp_path / "m.onnx", channels_first=channels_first, batch=batch, flat=flat)
    encoder = OnnxImageEncoder(path, threads=1)
    assert (encoder.size, encoder.dimension) == (32, 3)
    assert encoder.encode(IMAGES) == pytest.approx((COLOURS - 127) / 128, abs=1e-5)
    assert encoder.encode(IMAGES).dtype == np.float32


def test_normalisation_is_configured_and_part_of_the_name(tmp_path):
    path = write_mean_colour(tmp_path / "m.onnx", channels_first=True, size="side")
    one = OnnxImageEncoder(path, threads=1)
    other = OnnxImageEncoder(path, (10, 20, 30), (1, 2, 4), "colour", threads=1)
    assert one.size == 224
    assert one.name != other.name
    assert one.name == OnnxImageEncoder(path, threads=1).name
    assert other.encode(IMAGES) == pytest.approx((COLOURS - [10, 20, 30]) / [1, 2, 4], abs=1e-3)


def test_what_cannot_be_used_is_a_clear_error(tmp_path):
    with pytest.raises(ConfigError, match="is absent"):
        OnnxImageEncoder(tmp_path / "none.onnx")
    (tmp_path / "words.onnx").write_text("words")
    with pytest.raises(ConfigError, match="not a readable ONNX model"):
        OnnxImageEncoder(tmp_path / "words.onnx")
    path = write_mean_colour(tmp_path / "m.onnx", channels_first=True)
    with pytest.raises(ConfigError, match="has the outputs"):
        OnnxImageEncoder(path, output="logits")


def test_pictures_of_one_kind_are_near_each_other(shared_data, tmp_path):
    model = shared_data.parent / "models" / "effnet_lite0.onnx"
    folder = shared_data / "grocery-images"
    if not (model.exists() and folder.exists()):
        pytest.skip("EfficientNet-Lite0 or the grocery pictures are not beside this checkout")
    with (folder / "labels.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if int(row["class"]) % 9 == 0]
    encoder = OnnxImageEncoder(model, threads=1)
    assert encoder.dimension == 1280
    store = EmbeddingStore(tmp_path, encoder.name, encoder.dimension)
    vectors, report = ImageVectors.encode([row["file"] for row in rows], ImageSource(folder, tmp_path), encoder, store)
    assert report.pictures == len(rows)
    vector = vectors.of(np.arange(len(rows), dtype=np.int32))
    likeness = vector @ vector.T
    np.fill_diagonal(likeness, -1)
    kinds = np.asarray([int(row["class"]) for row in rows])
    # By chance it would be a ninth.
    assert (kinds[likeness.argmax(axis=1)] == kinds).mean() > 0.75
