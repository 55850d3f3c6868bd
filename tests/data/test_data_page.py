"""The page about data says what is so."""

import re
import tomllib
from pathlib import Path

import pytest

from savor.core.pseudonym import KEY_VARIABLE
from savor.data.known.registry import KNOWN
from savor.data.options import IngestOptions
from savor.data.schema import Schema
from savor.data.sources.address import is_database
from savor.data.sources.open_source import DELIMITED, JSON_LINES, PARQUET
from savor.data.splits import SplitOptions

PAGE = Path(__file__).parents[2] / "docs" / "data.md"


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_the_example_is_valid(page: str) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    values = tomllib.loads(example)
    IngestOptions.model_validate(values.pop("ingest"))
    SplitOptions.model_validate(values.pop("split"))
    schema = Schema.model_validate(values)
    assert schema.items is not None
    assert schema.items.tags == ("diets",)


def test_sources_and_names_are_the_real_ones(page: str) -> None:
    endings = set(re.findall(r"`(\.[a-z]+)`", page)) - {".gz"}
    assert endings <= {*DELIMITED, *PARQUET, *JSON_LINES}
    assert all(is_database(url) for url in re.findall(r"`(\w+://[^`]*)`", page))
    assert all(f"`{name}`" in page for name in KNOWN)
    assert KEY_VARIABLE in page
