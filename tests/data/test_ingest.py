"""What a data set looks like."""

import json
from collections.abc import Callable

import numpy as np
import pytest

from savor.core.errors import DataError
from savor.data.schema import EventTable, ItemTable, Schema, UserTable
from tests.data.workbench import NOW, Workbench

EVENTS = """customer,product,when,kind,quantity,price,basket,seq,country,title
ann,tea,2024-01-01T08:00:00Z,Purchase,2,4.5,b9,1,NO,Tea
bob,jam,2024-01-01T08:00:00+02:00,view,,,,1,SE,Jam
ann,jam,2024-01-01T08:00:00Z,Purchase,1,,b9,0,NO,Jamm
cat,tea,2024-03-01T08:00:00Z,,1,2,b1,1,NO,Tea
bob,tea,2024-01-05T00:00:00Z,view,1,,,1,SE,Tea
cat,jam,2024-02-01T00:00:00Z,view,1,,,1,NO,Jam
"""
ITEMS = """sku,name,aisle,labels,weight,stock,since
tea,Green tea,drinks,hot|dry,0.1,yes,2023-01-01
old,Old thing,other,,x,0,
tea,Green tea bag,drinks,dry|hot|dry,0.2,5,2023-01-02
"""


@pytest.fixture
def schema() -> Schema:
    return Schema(
        events=EventTable(
            source="events.csv",
            user="customer",
            item="product",
            time="when",
            kind="kind",
            value="quantity",
            price="price",
            basket="basket",
            order="seq",
        ),
        items=ItemTable(
            source="items.csv",
            id="sku",
            name="name",
            categories=("aisle",),
            tags=("labels",),
            numerics=("weight",),
            stock="stock",
            created="since",
        ),
    )


def test_columns_of_the_data_set(workbench: Workbench, schema: Schema) -> None:
    workbench.write("events.csv", EVENTS)
    workbench.write("items.csv", ITEMS)
    dataset = workbench.ingest(schema)
    events = dataset.events
    assert dataset.kinds == ("purchase", "view")
    assert dataset.item_ids.tolist() == ["old", "tea", "jam"]
    assert dataset.user_ids.tolist() == ["ann", "bob", "cat"]
    assert dataset.user_ids[events.user].tolist() == ["bob", "ann", "ann", "bob", "cat", "cat"]
    assert dataset.item_ids[events.item].tolist() == ["jam", "jam", "tea", "tea", "jam", "tea"]
    assert events.time[:3].tolist() == [1704088800, 1704096000, 1704096000]
    assert events.kind.tolist() == [1, 0, 0, 1, 1, 0]
    assert events.value.tolist() == [1, 1, 2, 1, 1, 1]
    np.testing.assert_array_equal(events.price, np.array([np.nan, np.nan, 4.5, np.nan, np.nan, 2], np.float32))
    assert events.basket[1] == events.basket[2] >= 0
    assert events.basket[0] == -1
    kinds = (np.int32, np.int32, np.int64, np.uint8, np.float32, np.float32, np.int64, np.uint8)
    assert tuple(getattr(events, name).dtype for name in events.__dataclass_fields__) == kinds
    assert dataset.items.to_pylist() == [
        {
            "id": "old",
            "name": "Old thing",
            "aisle": "other",
            "labels": None,
            "weight": None,
            "stock": 0.0,
            "since": None,
        },
        {
            "id": "tea",
            "name": "Green tea bag",
            "aisle": "drinks",
            "labels": ["dry", "hot"],
            "weight": 0.2,
            "stock": 5.0,
            "since": 1672617600,
        },
        dict.fromkeys(("name", "aisle", "labels", "weight", "stock", "since")) | {"id": "jam"},
    ]


def test_the_report_counts_every_row(workbench: Workbench, schema: Schema) -> None:
    workbench.write("events.csv", EVENTS)
    workbench.write("items.csv", ITEMS)
    workbench.ingest(schema)
    report = workbench.last_report()
    assert report.items is not None
    assert (report.items.read, report.items.duplicates, report.items.kept) == (3, 1, 2)
    assert (report.items_without_attributes, report.items_without_events) == (1, 1)
    assert report.kinds == {"purchase": 3, "view": 3}
    assert (report.data_start, report.data_end) == (1704088800, 1709280000)
    stored = json.loads((workbench.out / "report.json").read_text())
    assert stored == report.model_dump(mode="json")
    manifest = json.loads((workbench.out / "manifest.json").read_text())
    assert manifest["data_end"] == 1709280000
    assert report.events.read == report.events.kept + report.events.duplicates + report.events.bad


def test_attributes_that_events_repeat(workbench: Workbench) -> None:
    workbench.write("events.csv", EVENTS.replace("cat,jam", ",jam"))
    schema = Schema(
        events=EventTable(source="events.csv", user="customer", item="product", time="when", anonymous="leave_out"),
        items=ItemTable(source="events.csv", id="product", name="title"),
        users=UserTable(source="events.csv", id="customer", categories=("country",)),
    )
    dataset = workbench.ingest(schema)
    assert dataset.items.to_pylist() == [{"id": "tea", "title": "Tea"}, {"id": "jam", "title": "Jam"}]
    assert {row["id"]: row["country"] for row in dataset.users.to_pylist()} == {"ann": "NO", "bob": "SE", "cat": "NO"}


def test_moments_without_a_zone_are_of_the_given_one(workbench: Workbench) -> None:
    rows = ["2024-07-01 12:00:00", "2024-01-01 12:00:00", "2024-07-01T12:00:00Z", "2024-01-01T12:00:00-08:00"]
    workbench.write("events.csv", "user,item,time\n" + "".join(f"u,i{n},{row}\n" for n, row in enumerate(rows)))
    dataset = workbench.ingest(timezone="America/Los_Angeles")
    by_item = dict(zip(dataset.item_ids[dataset.events.item], dataset.events.time.tolist(), strict=True))
    assert by_item == {"i0": 1719860400, "i1": 1704139200, "i2": 1719835200, "i3": 1704139200}


def test_ties_keep_the_order_of_the_source(workbench: Workbench) -> None:
    rows = [f"u{n % 3},i{n * 7919 % 101},{1_700_000_000 + n // 40}" for n in range(200)]
    workbench.write("events.csv", "user,item,time\n" + "\n".join(rows) + "\n")
    first = workbench.ingest(threads=2)
    expected = [row.split(",")[1] for row in rows]
    assert first.item_ids[first.events.item].tolist() == expected
    second = workbench.ingest(threads=1)
    assert second.fingerprint == first.fingerprint


def test_finer_times_than_seconds_order_events(workbench: Workbench) -> None:
    rows = ["u,late,1700000000.9", "u,early,1700000000.1", "u,first,1600000000"]
    workbench.write("events.csv", "user,item,time\n" + "\n".join(rows) + "\n")
    dataset = workbench.ingest()
    assert dataset.item_ids[dataset.events.item].tolist() == ["first", "early", "late"]
    assert dataset.events.time.tolist() == [1600000000, 1700000000, 1700000000]


def test_unit_prices_become_line_prices(workbench: Workbench) -> None:
    workbench.write("events.csv", "user,item,time,q,p\nu,i,1600000000,3,2.5\nu,i,1700000000,,4\n")
    dataset = workbench.ingest(events={"value": "q", "price": "p", "price_meaning": "unit"})
    assert dataset.events.price.tolist() == [7.5, 4.0]


def test_whole_floating_ids_match_whole_numbers(workbench: Workbench) -> None:
    workbench.write(
        "events.jsonl", "".join(f'{{"user": "{n}", "item": "{n}", "time": {NOW - 9**n}}}\n' for n in (3, 4))
    )
    workbench.write("items.csv", "item,size\n3,9\n4,8\n5,7\n")
    schema = Schema(
        events=EventTable(source="events.jsonl", user="user", item="item", time="time"),
        items=ItemTable(source="items.csv", id="item", categories=("size",)),
    )
    assert workbench.ingest(schema).item_ids.tolist() == ["3", "4", "5"]
    assert workbench.last_report().items_without_attributes == 0


def test_a_column_with_too_many_kinds_is_no_kind(workbench: Workbench) -> None:
    workbench.write("events.csv", "user,item,time\n" + "".join(f"u{n},i,{NOW - n}\n" for n in range(300)))
    with pytest.raises(DataError, match="does not say what kind an event is"):
        workbench.ingest(events={"kind": "user", "user": "item"})


def test_the_fingerprint_names_content_and_meaning(workbench: Workbench, good_rows: Callable[[int], str]) -> None:
    workbench.write("events.csv", f"user,item,time\n{good_rows(50)}")
    first = workbench.ingest()
    workbench.write("copy.csv", f"item;time;user\n{good_rows(50)}".replace(",", ";"))
    lines = [line.split(",") for line in good_rows(50).splitlines()]
    workbench.write("copy.csv", "item;time;user\n" + "".join(f"{i};{t};{u}\n" for u, i, t in lines))
    again = workbench.ingest(events={"source": "copy.csv"})
    assert (again.fingerprint, again.split["hash"]) == (first.fingerprint, first.split["hash"])
    workbench.write("events.csv", f"user,item,time\n{good_rows(50)}".replace("u3,i3", "u3,i4", 1))
    changed = workbench.ingest()
    assert changed.fingerprint != first.fingerprint
    assert changed.split["hash"] != first.split["hash"]
    workbench.write("events.csv", f"user,item,time\n{good_rows(50)}")
    renamed = workbench.ingest(events={"default_kind": "visit"})
    assert renamed.fingerprint != first.fingerprint


def test_a_password_in_an_address_is_not_stored(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlite3

    with sqlite3.connect(workbench.folder / "hunter2.db") as connection:
        connection.execute(
            "CREATE TABLE e AS SELECT 'u' AS user, 'i' AS item, 1600000000 AS time UNION SELECT 'u', 'j', 1700000000"
        )
    connection.close()
    monkeypatch.setenv("SHOP", "hunter2")
    dataset = workbench.ingest(events={"source": "sqlite:///${SHOP}.db", "query": "SELECT * FROM e"})
    assert len(dataset.events) == 2
    assert all(b"hunter2" not in (workbench.out / name).read_bytes() for name in ("manifest.json",))
