from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from savor.core.errors import ConfigError
from savor.data.dataset import Dataset
from savor.data.ingest import ingest
from savor.data.options import IngestOptions
from savor.data.schema import EventTable, ItemTable, Schema
from savor.data.splits import SplitOptions
from savor.features.images.options import ImageOptions
from savor.features.options import FeatureOptions
from savor.training.content import Content
from savor.training.efficientnet import EfficientNetB0Encoder
from tests.features.images.tiny_onnx import write_mean_colour


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("content")
    rows = "".join(f"u{row % 2},i{row % 2},{1_700_000_000 + row * 86_400}\n" for row in range(40))
    (folder / "events.csv").write_text("user,item,time\n" + rows)
    (folder / "items.csv").write_text("item,photo\ni0,a.png\ni1,\n")
    schema = Schema(
        events=EventTable(source="events.csv", user="user", item="item", time="time"),
        items=ItemTable(source="items.csv", id="item", image="photo"),
    )
    ingest(schema, IngestOptions(memory="300MB", threads=1), SplitOptions(), folder, folder / "dataset")
    return Dataset.open(folder / "dataset")


def content(dataset: Dataset, features: FeatureOptions | None = None, **images: str) -> Content:
    base = dataset.directory.parent
    return Content(dataset, base / "cache", base, features or FeatureOptions(), ImageOptions.model_validate(images))


def test_without_a_network_the_onnx_option_is_named(dataset, monkeypatch):
    def offline(**_):
        raise OSError("URL fetch failure")

    monkeypatch.setattr(keras.applications, "EfficientNetB0", offline)
    with pytest.raises(ConfigError, match=r'could not be fetched.*encoder = "model.onnx"'):
        _ = content(dataset).pictures
    with pytest.raises(ConfigError, match="cannot be used"):
        _ = content(dataset, weights="none.weights.h5").pictures


def test_nothing_is_encoded_that_nobody_wants(dataset):
    features = FeatureOptions(images=False, visual_preference=False)
    unwanted = content(dataset, features, encoder="none.onnx")
    assert unwanted.pictures is None
    assert unwanted.searches is None
    assert unwanted.reviews(2_000_000_000) is None


@pytest.mark.parametrize("encoder", ["resnet", "none.onnx"])
def test_an_unknown_encoder_is_an_error(dataset, encoder):
    with pytest.raises(ConfigError, match=r"images\.encoder"):
        _ = content(dataset, encoder=encoder).pictures


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras 3.15 on NumPy 2
def test_efficientnet_with_weights_of_ones_own(tmp_path: Path) -> None:
    network = keras.applications.EfficientNetB0(
        include_top=False, weights=None, input_shape=(224, 224, 3), pooling="avg"
    )
    network.save_weights(tmp_path / "own.weights.h5")
    encoder = EfficientNetB0Encoder(tmp_path / "own.weights.h5")
    images = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), dtype=np.uint8)
    vectors = encoder.encode(images)
    assert vectors.shape == (3, encoder.dimension)
    assert np.allclose(vectors, network.predict_on_batch(images.astype(np.float32)), atol=1e-4)
    assert encoder.name.startswith("efficientnetb0-")


@pytest.mark.parametrize(("folder", "reason"), [("missing", "there is no such file"), (None, "is damaged")])
def test_without_a_usable_picture_there_is_no_input(dataset, capfd, folder, reason):
    base = dataset.directory.parent
    write_mean_colour(base / "tiny.onnx", channels_first=True)
    (base / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    more = {} if folder is None else {"folder": folder}
    assert content(dataset, encoder="tiny.onnx", **more).pictures is None
    told = capfd.readouterr().err
    assert "1 pictures left out" in told
    assert reason in told or "not a picture" in told
    Image.new("RGB", (9, 9)).save(base / "a.png")
    found = content(dataset, encoder="tiny.onnx").pictures
    assert found is not None
    assert found.known(np.arange(2, dtype=np.int32))[:, 0].tolist() == [1, 0]
