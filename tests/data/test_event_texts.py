"""Searches and reviews among the events."""

import pytest

from savor.data.schema import EventTable, Schema
from tests.data.workbench import Workbench

EVENTS = """user,item,time,kind,query,review
ann,tea,2024-01-01T08:00:00Z,purchase,,lovely and strong
ann,,2024-01-02T08:00:00Z,search,green tea,
bob,jam,2024-01-03T08:00:00Z,click,sweet jam,
zoe,,2024-01-04T08:00:00Z,search,nobody buys after this,
bob,,2024-01-05T08:00:00Z,view,,
,,2024-01-05T08:00:00Z,search,who asks,
bob,,not a moment,search,when,
bob,,2024-01-02T00:00:00Z,search,toast,
cat,jam,2024-02-01T08:00:00Z,purchase,,too sweet
"""


def roles(**more: str) -> EventTable:
    return EventTable(source="events.csv", user="user", item="item", time="time", kind="kind", **more)


def test_searches_need_no_item_and_reviews_are_kept(workbench: Workbench) -> None:
    workbench.write("events.csv", EVENTS)
    dataset = workbench.ingest(Schema(events=roles(search="query", review="review")), max_quarantine_share=1.0)
    texts = dataset.texts
    assert texts is not None
    users, items = list(dataset.user_ids), list(dataset.item_ids)
    rows = [
        (users[user], items[item] if item >= 0 else None, search, review)
        for user, item, search, review in zip(texts.user, texts.item, texts.search, texts.review, strict=True)
    ]
    assert rows == [
        ("ann", "tea", None, "lovely and strong"),
        ("bob", None, "toast", None),
        ("ann", None, "green tea", None),
        ("bob", "jam", "sweet jam", None),
        ("cat", "jam", None, "too sweet"),
    ]
    assert (texts.time[1:] >= texts.time[:-1]).all()
    assert len(dataset.events) == 3
    report = workbench.last_report().events
    assert report.left_out == {"search without an item, kept as a search": 3}
    assert report.quarantined == {"missing item": 1, "missing user": 1, "unreadable time": 1}


def test_without_the_roles_there_is_no_file_and_with_them_another_fingerprint(workbench: Workbench) -> None:
    workbench.write("events.csv", EVENTS)
    plain = workbench.ingest(Schema(events=roles()), max_quarantine_share=1.0)
    assert plain.texts is None
    one = workbench.ingest(Schema(events=roles(search="query")), max_quarantine_share=1.0).fingerprint
    workbench.write("events.csv", EVENTS.replace("green tea", "black tea"))
    assert workbench.ingest(Schema(events=roles(search="query")), max_quarantine_share=1.0).fingerprint != one


@pytest.mark.parametrize("column", ["query", "review"])
def test_personal_texts_are_dropped(workbench: Workbench, column: str) -> None:
    workbench.write("events.csv", EVENTS)
    schema = Schema(events=roles(search="query", review="review"), personal=(column,))
    texts = workbench.ingest(schema, max_quarantine_share=1.0).texts
    assert texts is not None
    dropped, kept = (texts.search, texts.review) if column == "query" else (texts.review, texts.search)
    assert set(dropped) == {None}
    assert set(kept) != {None}
