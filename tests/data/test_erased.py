import numpy as np

from savor.core.clock import frozen_clock
from savor.data.dataset import Dataset
from savor.data.ingest import ingest
from savor.data.options import IngestOptions
from savor.data.schema import EventTable, Schema, UserTable
from savor.data.splits import SplitOptions
from tests.data.workbench import NOW

EVENTS = """user,item,time,q
ann,1,2025-01-01T00:00:00,
ann,2,2025-03-01T00:00:00,
bob,1,2025-01-02T00:00:00,
bob,2,not a time,
cy,3,2025-01-03T00:00:00,
cy,2,2025-01-04T00:00:00,
cy,,2025-01-04T00:00:00,bread
bob,,2025-01-04T00:00:00,secret
"""
USERS = "user,age\nann,20\nbob,30\ncy,40\n"
FEBRUARY = 1_738_368_000_000_000


def ingested(folder, erased, schema):
    (folder / "events.csv").write_text(EVENTS)
    (folder / "users.csv").write_text(USERS)
    report = ingest(
        schema,
        IngestOptions(memory="300MB", threads=1, max_quarantine_share=0.5),
        SplitOptions(),
        folder,
        folder / "out",
        clock=frozen_clock(NOW),
        erased=erased,
    )
    return Dataset.open(folder / "out"), report


def schema():
    return Schema(
        events=EventTable(source="events.csv", user="user", item="item", time="time", search="q"),
        users=UserTable(source="users.csv", id="user", categories=("age",)),
    )


def test_erased_persons_are_left_out_up_to_that_moment(tmp_path):
    asked = []

    def erased(ids):
        asked.extend(ids)
        return np.array([FEBRUARY if name in ("ann", "bob") else -1 for name in ids], np.int64)

    dataset, report = ingested(tmp_path, erased, schema())
    assert sorted(asked) == ["ann", "bob", "cy"]
    users = dict(zip(dataset.users.column("id").to_pylist(), dataset.users.column("age").to_pylist(), strict=True))
    assert users == {"ann": None, "cy": "40"}, "who came back is there without the old profile"
    names = np.array(dataset.users.column("id").to_pylist())[dataset.events.user]
    assert sorted(names.tolist()) == ["ann", "cy", "cy"]
    assert report.events.left_out["of a person who was erased"] == 4
    assert report.events.quarantined == {}
    files = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert b"secret" not in files
    assert b"bob" not in files


def test_nobody_erased(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    none, _ = ingested(tmp_path / "a", None, schema())
    nobody, report = ingested(tmp_path / "b", lambda ids: np.full(len(ids), -1, np.int64), schema())
    assert none.users.equals(nobody.users)
    assert none.events.time.tolist() == nobody.events.time.tolist()
    assert "of a person who was erased" not in report.events.left_out
