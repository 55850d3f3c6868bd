"""Values of every type and spelling."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from savor.data import columns
from savor.data.engine import Engine, open_engine
from savor.data.options import IngestOptions

MOMENT = 1_498_867_200  # 2017-07-01T00:00:00Z


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder: Path = tmp_path_factory.mktemp("engine")
    with open_engine(IngestOptions(timezone="Europe/Berlin", memory="200MB", threads=1), folder) as opened:
        yield opened


def convert(engine: Engine, values: list[Any], how: Any, kind: pa.DataType | None = None) -> list[Any]:
    file = engine.workspace / f"{engine.new_name('given')}.parquet"
    pq.write_table(pa.table({"n": range(len(values)), "v": pa.array(values, kind)}), file)
    table = engine.ibis.read_parquet(file)
    rows = engine.records(table.select(n=table.n, v=how(table.v)).order_by("n"))
    return [row["v"] for row in rows]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2017-07-01 00:00:00", MOMENT - 7200),
        ("2017-07-01T00:00:00Z", MOMENT),
        ("2017-07-01T05:30:00+05:30", MOMENT),
        (" 2017-07-01 02:00:00+02 ", MOMENT),
        ("2017-07-01", MOMENT - 7200),
        ("2017-01-01", 1_483_228_800 - 3600),
        (str(MOMENT), MOMENT),
        (f"{MOMENT}.25", MOMENT + 0.25),
        (f"{MOMENT}123", MOMENT + 0.123),
        (f"{MOMENT}123456", MOMENT + 0.123456),
        (f"{MOMENT}123456789", MOMENT + 0.123456),
        ("2017-02-30", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_moments_written_as_text(engine: Engine, written: str | None, seconds: float | None) -> None:
    (found,) = convert(engine, [written], columns.moment, pa.string())
    assert found == (None if seconds is None else round(seconds * 1_000_000))


def test_moments_of_other_types(engine: Engine) -> None:
    naive = datetime(2017, 7, 1)
    assert convert(engine, [naive], columns.moment) == [(MOMENT - 7200) * 10**6]
    assert convert(engine, [naive.replace(tzinfo=UTC)], columns.moment) == [MOMENT * 10**6]
    assert convert(engine, [date(2017, 7, 1)], columns.moment) == [(MOMENT - 7200) * 10**6]
    assert convert(engine, [MOMENT, MOMENT * 1000 + 5], columns.moment) == [MOMENT * 10**6, MOMENT * 10**6 + 5000]
    assert convert(engine, [float(MOMENT), float("nan")], columns.moment) == [MOMENT * 10**6, None]


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(10**9, 4 * 10**9), min_size=1, max_size=20))
def test_the_unit_of_an_epoch_is_told_by_its_size(engine: Engine, seconds: list[int]) -> None:
    expected = [second * 10**6 for second in seconds]
    for factor in (1, 10**3, 10**6, 10**9):
        if factor < 10**9 or max(seconds) * factor < 2**63:
            assert convert(engine, [second * factor for second in seconds], columns.moment, pa.int64()) == expected


def test_moments_in_a_given_form(engine: Engine) -> None:
    found = convert(engine, ["01/07/2017 02:00", "13/13/2017 00:00"], lambda v: columns.moment(v, "%d/%m/%Y %H:%M"))
    assert found == [MOMENT * 10**6, None]


def test_text_of_ids(engine: Engine) -> None:
    assert convert(engine, [" a ", "a\t", "\tNULL", "nan", "", "0", None], columns.text) == [
        "a", "a", None, None, None, "0", None,
    ]  # fmt: skip
    assert convert(engine, [17850.0, 2.5, float("nan"), 1e300], columns.text) == ["17850", "2.5", None, "1e+300"]
    assert convert(engine, [2**60], columns.text) == [str(2**60)]


def test_numbers_and_flags(engine: Engine) -> None:
    assert convert(engine, ["1.5", " 2 ", "x", "inf", "nan", ""], columns.number) == [1.5, 2.0, None, None, None, None]
    assert convert(engine, [True, False, None], columns.number) == [1.0, 0.0, None]
    assert convert(engine, ["Yes", "sold out", "12", "?", None], columns.flag) == [1.0, 0.0, 12.0, None, None]


def test_several_values_in_one_cell(engine: Engine) -> None:
    cells = ["b | a|b", "['x', 'y']", '["q"]', "[torn", "|", "", None]
    found = convert(engine, cells, lambda v: columns.values(v, "|"))
    assert found == [["a", "b"], ["x", "y"], ["q"], ["[torn"], [], None, None]
    assert convert(engine, [["b", " a", None]], lambda v: columns.values(v, "|")) == [["a", "b"]]
