"""Personal data: replaced or gone everywhere."""

import json

import pytest
from pydantic import ValidationError

from savor.core.errors import DataError
from savor.core.pseudonym import KEY_VARIABLE, pseudonym
from savor.data.schema import EventTable, ItemTable, Schema, UserTable
from tests.data.workbench import Workbench

KEY = "k" * 32
PEOPLE = "id,email,age\nann@x.org,ann@x.org,30\nbob@x.org,bob@x.org,40\nzoe@x.org,zoe@x.org,50\n,gone@x.org,1\n"
EVENTS = (
    "who,item,time\nann@x.org,tea,1700000000\nbob@x.org,jam,1700001000\neve@x.org,tea,1700002000\n"
    "eve@x.org,,1700002000\nfay@x.org,torn\n"
)


@pytest.fixture
def schema() -> Schema:
    return Schema(
        events=EventTable(source="events.csv", user="who", item="item", time="time"),
        users=UserTable(source="people.csv", id="id", categories=("email",), numerics=("age",)),
        personal=("who", "id", "email"),
    )


def test_a_known_answer() -> None:
    # RFC 4231, test case 2, of which 32 digits are kept
    assert pseudonym("what do ya want for nothing?", "Jefe") == "5bdcc146bf60754e6a042426089575c7"


def test_ids_are_replaced_alike_in_all_tables(
    workbench: Workbench, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    workbench.write("events.csv", EVENTS)
    workbench.write("people.csv", PEOPLE)
    dataset = workbench.ingest(schema, max_quarantine_share=0.5)
    expected = [pseudonym(f"{name}@x.org", KEY) for name in ("ann", "bob", "zoe", "eve")]
    assert dataset.user_ids.tolist() == expected
    assert dataset.user_ids[dataset.events.user].tolist() == [expected[0], expected[1], expected[3]]
    assert dataset.users.column_names == ["id", "age"]
    assert dataset.schema.users is not None
    assert dataset.schema.users.categories == ()
    again = workbench.ingest(schema, max_quarantine_share=0.5)
    assert again.fingerprint == dataset.fingerprint


def test_nothing_personal_is_stored(workbench: Workbench, schema: Schema, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    workbench.write("events.csv", EVENTS)
    workbench.write("people.csv", PEOPLE)
    workbench.ingest(schema, max_quarantine_share=0.5)
    rows = workbench.quarantine()
    assert sorted(row["reason"] for row in rows) == ["malformed line: too few columns", "missing id", "missing item"]
    by_reason = {row["reason"]: row["original"] for row in rows}
    assert json.loads(by_reason["missing item"])["who"] == pseudonym("eve@x.org", KEY)
    assert by_reason["malformed line: too few columns"] is None
    for file in workbench.out.iterdir():
        content = file.read_bytes()
        assert b"x.org" not in content
        assert KEY.encode() not in content
    assert "x.org" not in str(rows)


def test_another_key_gives_other_ids(workbench: Workbench, schema: Schema, monkeypatch: pytest.MonkeyPatch) -> None:
    workbench.write("events.csv", EVENTS)
    workbench.write("people.csv", PEOPLE)
    seen = set()
    for key in (KEY, KEY + "2"):
        monkeypatch.setenv(KEY_VARIABLE, key)
        seen.update(workbench.ingest(schema, max_quarantine_share=0.5).user_ids.tolist())
    assert len(seen) == 8


@pytest.mark.parametrize(("key", "message"), [(None, "is not set"), ("short", "fewer than 16")])
def test_without_a_key_nothing_is_written(
    workbench: Workbench, schema: Schema, monkeypatch: pytest.MonkeyPatch, key: str | None, message: str
) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    if key is not None:
        monkeypatch.setenv(KEY_VARIABLE, key)
    workbench.write("events.csv", EVENTS)
    workbench.write("people.csv", PEOPLE)
    with pytest.raises(DataError, match=message) as caught:
        workbench.ingest(schema, max_quarantine_share=0.5)
    assert caught.value.code == "pseudonym_key_missing"
    assert not workbench.out.exists()


def test_contradictions_in_a_schema_are_all_reported() -> None:
    with pytest.raises(ValidationError) as caught:
        Schema(
            events=EventTable(source="e.csv", user="u", item="i", time="t"),
            items=ItemTable(source="i.csv", id="sku", categories=("a", "id"), tags=("a",), price="b", text=("b",)),
            users=UserTable(source="u.csv", id="u", numerics=("u",)),
            personal=("t",),
        )
    message = str(caught.value)
    assert "more than one of categories, tags and numerics: ['a']" in message
    assert "called 'id' cannot be a feature when the id column is 'sku'" in message
    assert "used both as numbers and as words: ['b']" in message
    assert "the id column 'u' cannot be a feature" in message
    assert "['t'] are the items and moments" in message


def test_a_misspelt_personal_column_is_refused_and_nothing_written(workbench: Workbench) -> None:
    workbench.write("events.csv", EVENTS)
    schema = Schema(events=EventTable(source="events.csv", user="who", item="item", time="time"), personal=("whoo",))
    with pytest.raises(DataError, match=r"'whoo' \(did you mean 'who'\?\)"):
        workbench.ingest(schema, max_quarantine_share=0.5)
    assert not workbench.out.exists()
