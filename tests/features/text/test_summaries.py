"""What was written about items: kept whole, and read only while it is of what is known."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from savor.core.errors import DataError
from savor.data.dataset import Dataset
from savor.data.ingest import ingest
from savor.data.options import IngestOptions
from savor.data.schema import EventTable, ItemTable, Schema
from savor.data.splits import SplitOptions
from savor.features.images.options import ImageOptions
from savor.features.options import FeatureOptions
from savor.features.text.item_sources import ItemSource, item_sources
from savor.features.text.summaries import Summaries, Summary
from savor.training.content import Content

_DAY = 86_400


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("summaries")
    reviews = {0: "mild", 2: "melts well", 39: "written in the test period"}
    rows = "".join(f"u{row % 4},i{row % 2},{1_700_000_000 + row * _DAY},{reviews.get(row, '')}\n" for row in range(40))
    (folder / "events.csv").write_text("user,item,time,review\n" + rows)
    (folder / "items.csv").write_text("item,title,kind,about\ni0,Gouda,cheese,from cows\ni1,Rye,bread,\n")
    schema = Schema(
        events=EventTable(source="events.csv", user="user", item="item", time="time", review="review"),
        items=ItemTable(source="items.csv", id="item", name="title", categories=("kind",), text=("about",)),
    )
    ingest(schema, IngestOptions(memory="300MB", threads=1), SplitOptions(), folder, folder / "dataset")
    return Dataset.open(folder / "dataset")


def test_sources_hold_what_was_known_before_the_evaluated_periods(dataset):
    assert item_sources(dataset, reviews=False) == [
        ItemSource("Gouda", ("cheese",), "from cows"),
        ItemSource("Rye", ("bread",), ""),
    ]
    gouda, rye = item_sources(dataset, reviews=True)
    assert gouda.reviews == ("melts well", "mild")
    assert rye.reviews == ()


def test_a_summary_counts_while_its_source_is_the_same(dataset):
    sources = {reviews: item_sources(dataset, reviews=reviews) for reviews in (False, True)}
    written = Summaries(
        {
            "i0": Summary("A mild cheese.", sources[True][0].digest, True, "m"),
            "i1": Summary("A dark loaf.", ItemSource("Rye", ("bread",), "new recipe").digest, False, "m"),
            "gone": Summary("Nothing.", "", False, "m"),
        }
    )
    assert written.texts(["i0", "i1", "i2"], {**sources, False: [*sources[False], ItemSource("")]}) == [
        "A mild cheese.", "", "",
    ]  # fmt: skip


@given(st.dictionaries(st.text(), st.builds(Summary, st.text(), st.text(), st.booleans(), st.text()), max_size=5))
def test_round_trip(tmp_path_factory, written):
    path = tmp_path_factory.mktemp("kept") / "summaries.jsonl"
    Summaries(written).save(path)
    assert Summaries.load(path).of == written


def test_no_file_is_no_summaries_and_a_torn_one_is_an_error(tmp_path):
    assert Summaries.load(tmp_path / "none.jsonl").of == {}
    (tmp_path / "torn.jsonl").write_text('{"item": "i0", "tex')
    with pytest.raises(DataError, match="savor summarize"):
        Summaries.load(tmp_path / "torn.jsonl")
    (tmp_path / "other.jsonl").write_text('{"item": "i0", "words": "x"}\n')
    with pytest.raises(DataError, match="savor summarize"):
        Summaries.load(tmp_path / "other.jsonl")


@pytest.mark.parametrize("wanted", [True, False])
def test_the_towers_read_them_with_the_texts(dataset, tmp_path: Path, monkeypatch, wanted):
    path = tmp_path / "summaries.jsonl"
    digest = item_sources(dataset, reviews=False)[1].digest
    Summaries({"i1": Summary("A dark loaf.", digest, False, "m")}).save(path)
    read: list[str] = []
    features = FeatureOptions(summaries=wanted)
    content = Content(dataset, tmp_path / "cache", tmp_path, features, ImageOptions(), path)

    def encode(texts, _):
        read.extend(texts)
        return texts

    monkeypatch.setattr("savor.training.content.TextVectors.encode", encode)
    assert content.text is not None
    assert read == ["from cows", "A dark loaf." if wanted else ""]
