from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from savor.data.dataset import Dataset
from savor.data.ingest import ingest
from savor.data.options import IngestOptions
from savor.data.schema import EventTable, ItemTable, Schema
from savor.data.splits import SplitOptions
from savor.features.images.options import ImageOptions
from savor.features.options import FeatureOptions
from savor.features.text.options import TextEncoderOptions
from savor.pipeline.opened_bundle import OpenedBundle
from savor.training.content import Content
from tests.features.text.model_folders import write_model_folder


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("words")
    rows = "".join(
        f"u{row % 2},i{row % 2},{1_700_000_000 + row * 86_400},look for {row % 3},quite good {row % 2}\n"
        for row in range(40)
    )
    (folder / "events.csv").write_text("user,item,time,said,wrote\n" + rows)
    (folder / "items.csv").write_text("item,about\ni0,green tea\ni1,black tea\n")
    schema = Schema(
        events=EventTable(source="events.csv", user="user", item="item", time="time", search="said", review="wrote"),
        items=ItemTable(source="items.csv", id="item", text=("about",)),
    )
    ingest(schema, IngestOptions(memory="300MB", threads=1), SplitOptions(), folder, folder / "dataset")
    return Dataset.open(folder / "dataset")


def content(dataset: Dataset, choice: Any) -> Content:
    base = dataset.directory.parent
    return Content(dataset, base / "cache", base, FeatureOptions(text_encoder=choice), ImageOptions())


def test_a_folder_encodes_items_and_searches_each_with_its_prefix(dataset):
    write_model_folder(
        dataset.directory.parent / "words", config_sentence_transformers={"prompts": {"query": "find: "}}
    )
    made, usual = content(dataset, "words"), content(dataset, None)
    assert made.text is not None
    assert usual.text is not None
    assert made.searches is not None
    assert usual.searches is not None
    items = np.arange(2, dtype=np.int32)
    assert np.array_equal(made.text.of(items), usual.text.of(items))
    assert made.searches.encoder != usual.searches.encoder
    assert not np.allclose(np.asarray(made.searches.vectors), np.asarray(usual.searches.vectors), atol=0.01)
    folders = {path.name for path in (dataset.directory.parent / "cache" / "text").iterdir()}
    assert {made.searches.encoder, usual.searches.encoder} <= folders
    assert len(folders) == 3


def test_what_people_wrote_is_not_sent_to_another_machine(dataset, capsys):
    far = content(dataset, TextEncoderOptions(endpoint="http://10.1.2.3/v1", model="m"))
    assert far.searches is None
    assert far.reviews(2_000_000_000) is None
    said = capsys.readouterr()
    assert "searches are not encoded" in said.out + said.err
    assert "reviews are not encoded" in said.out + said.err


def test_a_bundle_finds_the_folder_of_its_project(tmp_path):
    write_model_folder(tmp_path / "models" / "words")
    bundle = SimpleNamespace(directory=tmp_path / ".savor" / "registry" / "bundles" / "0123")
    opened: Any = SimpleNamespace(bundle=bundle)
    found = OpenedBundle.text_encoder(opened, "models/words")
    assert found.name.startswith("onnx-")
    assert OpenedBundle.text_encoder(opened, "models/words", queries=True).name == found.name
    assert FeatureOptions.model_validate(FeatureOptions(text_encoder="a").model_dump(mode="json")).text_encoder == "a"
    options = TextEncoderOptions(endpoint="http://localhost/v1", model="m", query_prefix="find: ")
    kept = FeatureOptions(text_encoder=options).model_dump(mode="json")
    assert FeatureOptions.model_validate(kept).text_encoder == options
