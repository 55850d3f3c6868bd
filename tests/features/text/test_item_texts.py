from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa

from savor.data.dataset import Dataset
from savor.features.text.vectors import item_texts


def dataset(text: tuple[str, ...] | None) -> Dataset:
    items = pa.table({"id": ["1", "2"], "title": ["Heat", None], "genres": [["Action", "Crime"], []]})
    schema: Any = SimpleNamespace(items=None if text is None else SimpleNamespace(text=text))
    return cast("Dataset", SimpleNamespace(schema=schema, items=items))


def test_texts_are_joined_and_the_empty_left_out() -> None:
    assert item_texts(dataset(("title", "genres"))) == ["Heat, Action Crime", ""]


def test_without_text_columns_every_text_is_empty() -> None:
    assert item_texts(dataset(())) == ["", ""]
    assert item_texts(dataset(None)) == ["", ""]
