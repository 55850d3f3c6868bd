"""Bad input: each row gets a reason, or ingest fails with a clear error and leaves the old data set as it was."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from savor.core.errors import DataError
from savor.data.dataset import Dataset
from savor.data.exclusive import exclusive
from savor.data.schema import EventTable, Schema, UserTable
from tests.data.workbench import NOW, Workbench

Rows = Callable[[int], str]


def test_every_bad_row_is_kept_with_its_reason(workbench: Workbench, good_rows: Rows) -> None:
    bad = {
        ",i1,1700000000,1,1": "missing user",
        "u1,,1700000000,1,1": "missing item",
        "u1,i1,,1,1": "missing time",
        "u1,i1,2023-02-30,1,1": "unreadable time",
        "u1,i1,yesterday,1,1": "unreadable time",
        f"u1,i1,{NOW + 2 * 86_400},1,1": "time in the future",
        "u1,i1,1066-10-14,1,1": "time before 1900",
        "u1,i1,1700000000,many,1": "unreadable value",
        "u1,i1,1700000000,1,free": "unreadable price",
        "u1,i1,1700000000,1,-3.5": "negative price",
        "u1,i1,1700000000,1": "malformed line: too few columns",
        "u1,i1,1700000000,1,1,1": "malformed line: too many columns",
    }
    lines = ["user,item,time,quantity,price"]
    lines += [f"u{n},i{n % 5},{1_700_000_000 + n},2,9.5" for n in range(50)]
    workbench.write("events.csv", "\n".join(lines + list(bad)) + "\n")

    dataset = workbench.ingest(events={"value": "quantity", "price": "price"}, max_quarantine_share=0.5)

    assert len(dataset.events) == 50
    found = {}
    for row in workbench.quarantine():
        original = row["original"]
        said = ",".join(value or "" for value in json.loads(original).values()) if row["row"] else original
        found[said] = row["reason"]
    assert found == bad
    report = workbench.last_report().events
    assert report.read == 62
    assert report.bad == 12
    assert report.malformed == 2
    assert report.kept == 50


def test_quarantine_names_the_row_or_the_line(workbench: Workbench) -> None:
    rows = [f"u{n},i{n},{1_700_000_000 + n}" for n in range(60)]
    rows[10] = "u,,1700000000"
    rows[20] = "torn"
    workbench.write("events.csv", "user,item,time\n" + "\n".join(rows) + "\n")
    workbench.ingest()
    by_reason = {row["reason"]: row for row in workbench.quarantine()}
    assert by_reason["missing item"]["row"] == 11
    assert by_reason["malformed line: too few columns"]["line"] == 22
    assert by_reason["missing item"]["source"] == "events.csv"


def test_a_byte_that_is_not_utf8_costs_one_row(workbench: Workbench, good_rows: Rows) -> None:
    content = f"user,item,time\n{good_rows(40)}".encode() + b"u1,caf\xe9,1700000000\n" + b"u2,i2,1700000001\n"
    workbench.write("events.csv", content)
    dataset = workbench.ingest()
    assert len(dataset.events) == 41
    (row,) = workbench.quarantine()
    assert (row["reason"], row["line"]) == ("not UTF-8", 42)
    assert "caf" in row["original"]


def test_not_utf8_in_the_first_line_is_an_error_that_says_where(workbench: Workbench) -> None:
    workbench.write("events.csv", b"user,item,t\xefme\nu,i,1\n")
    with pytest.raises(DataError, match=r"events\.csv: byte 11 of the first line is not UTF-8"):
        workbench.ingest()


def test_too_many_bad_rows_fail_and_leave_the_old_data_set(workbench: Workbench, good_rows: Rows) -> None:
    workbench.write("events.csv", f"user,item,time\n{good_rows(100)}")
    before = workbench.ingest().fingerprint
    workbench.write("events.csv", f"user,item,time\n{good_rows(90)}" + "u,i,never\n" * 10)
    with pytest.raises(DataError, match=r"10 of 100 rows .*10\.0%.*unreadable time: 10") as caught:
        workbench.ingest()
    assert Dataset.open(workbench.out).fingerprint == before
    assert (workbench.out.parent / "dataset-quarantine.parquet").exists()
    assert "dataset-quarantine.parquet" in str(caught.value)
    assert sorted(path.name for path in workbench.out.parent.iterdir()) == [
        ".dataset.lock",
        "dataset",
        "dataset-quarantine.parquet",
    ]


@pytest.mark.parametrize("content", ["", "\n", "user,item,time\n"])
def test_an_empty_file_is_an_error(workbench: Workbench, content: str) -> None:
    workbench.write("events.csv", content)
    with pytest.raises(DataError, match=r"events\.csv: (is empty|the table of events has no rows)"):
        workbench.ingest()
    assert not workbench.out.exists()


def test_no_file_is_an_error(workbench: Workbench) -> None:
    with pytest.raises(DataError, match=r"events\.csv: there is no such file"):
        workbench.ingest()


def test_a_missing_column_is_named_with_the_closest_one(workbench: Workbench, good_rows: Rows) -> None:
    workbench.write("events.csv", f"user,item,time\n{good_rows(3)}")
    with pytest.raises(DataError) as caught:
        workbench.ingest(events={"user": "usr", "basket": "basket"})
    message = str(caught.value)
    assert "[events] user: no column 'usr'; did you mean 'user'?" in message
    assert "[events] basket: no column 'basket'" in message
    assert "it has: user, item, time" in message


def test_nothing_left_is_an_error_that_says_why(workbench: Workbench) -> None:
    workbench.write("events.csv", "user,item,time,stars\nu,i,1700000000,1\n")
    with pytest.raises(DataError, match="no event is left of 1 rows: value below minimum: 1"):
        workbench.ingest(events={"value": "stars", "minimum_value": 4})


def test_rows_left_out_by_rule_are_no_faults(workbench: Workbench) -> None:
    rows = "".join(f"u{n},i1,{1_700_000_000 + n},{n % 3 - 1}\n" for n in range(30)) + ",i1,1700000000,1\n" * 30
    workbench.write("events.csv", f"user,item,time,quantity\n{rows}")
    dataset = workbench.ingest(events={"value": "quantity", "minimum_value": 1, "anonymous": "leave_out"})
    assert len(dataset.events) == 10
    assert workbench.last_report().events.left_out == {"no user": 30, "value below minimum": 20}
    assert workbench.quarantine() == []


def test_a_million_duplicate_rows_become_one(workbench: Workbench) -> None:
    file = workbench.folder / "events.csv"
    duckdb.connect().execute(
        "COPY (SELECT 'u1' AS user, 'i1' AS item, '2024-01-01T00:00:00Z' AS time FROM range(1000000) UNION ALL "
        f"SELECT 'u' || n, 'i' || n % 3, '2024-01-02T00:00:0' || n || 'Z' FROM range(9) t(n)) TO '{file}' (HEADER)"
    ).fetchall()
    dataset = workbench.ingest()
    assert len(dataset.events) == 10
    report = workbench.last_report()
    assert (report.events.read, report.events.duplicates, report.events.kept) == (1_000_009, 999_999, 10)
    assert any("were removed" in warning for warning in report.warnings)


def test_declared_keys_decide_what_a_duplicate_is(workbench: Workbench) -> None:
    lines = ["user,item,time,line", "u1,i1,1700000000,1", "u1,i1,1700000000,2", "u1,i2,1700000009,2"]
    lines.append("u1,i3,1700000100,3")
    workbench.write("events.csv", "\n".join(lines))
    assert len(workbench.ingest().events) == 3
    dataset = workbench.ingest(duplicate_keys=("line",))
    assert dataset.item_ids[dataset.events.item].tolist() == ["i1", "i1", "i3"]
    assert len(workbench.ingest(remove_duplicates=False).events) == 4


def test_an_unclosed_quotation_mark_does_not_swallow_rows_silently(workbench: Workbench, good_rows: Rows) -> None:
    workbench.write("events.csv", f'user,item,time\n{good_rows(50)}u1,"i1,1700000000\n')
    dataset = workbench.ingest()
    assert len(dataset.events) == 50
    assert [row["reason"] for row in workbench.quarantine()] == ["malformed line: quotation mark not closed"]


def test_bad_rows_of_other_tables_are_quarantined(workbench: Workbench, good_rows: Rows) -> None:
    workbench.write("events.csv", f"user,item,time\n{good_rows(20)}")
    workbench.write("users.csv", "user,age\n" + "".join(f"u{n},{20 + n}\n" for n in range(30)) + ",99\n")
    schema = Schema(
        events=EventTable(source="events.csv", user="user", item="item", time="time"),
        users=UserTable(source="users.csv", id="user", numerics=("age",)),
    )
    dataset = workbench.ingest(schema)
    assert len(dataset.users) == 30
    (row,) = workbench.quarantine()
    assert (row["table"], row["reason"], row["row"]) == ("users", "missing id", 31)


def test_one_ingest_at_a_time(workbench: Workbench, good_rows: Rows) -> None:
    workbench.write("events.csv", f"user,item,time\n{good_rows(3)}")
    with exclusive(workbench.out), pytest.raises(DataError, match="another ingest is writing"):
        workbench.ingest()


_CHILD = """
import os, resource, signal, sys
from pathlib import Path
import savor.data.ingest as module
from savor.data.options import IngestOptions
from savor.data.schema import EventTable, Schema
from savor.data.splits import SplitOptions
folder, how = Path(sys.argv[1]), sys.argv[2]
if how == "kill":
    write = module.write_dataset
    def killed(*arguments):
        write(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)
    module.write_dataset = killed
else:
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
schema = Schema(events=EventTable(source="big.parquet", user="user", item="item", time="time"))
module.ingest(schema, IngestOptions(threads=1), SplitOptions(), folder, folder / ".savor" / "dataset")
"""


def _run_child(folder: Path, how: str) -> subprocess.CompletedProcess[str]:
    connection = duckdb.connect()
    connection.execute(
        "COPY (SELECT 'u' || hash(n) % 1000 AS user, 'i' || n % 97 AS item, 1700000000 + hash(n) % 10000000 AS time "
        f"FROM range(60000) t(n)) TO '{folder / 'big.parquet'}'"
    ).fetchall()
    return subprocess.run(
        [sys.executable, "-c", _CHILD, str(folder), how],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )


def test_kill_9_leaves_the_old_data_set_and_the_next_ingest_clears_up(workbench: Workbench, good_rows: Rows) -> None:
    workbench.write("events.csv", f"user,item,time\n{good_rows(30)}")
    before = workbench.ingest().fingerprint
    child = _run_child(workbench.folder, "kill")
    assert child.returncode == -signal.SIGKILL, child.stderr
    assert list(workbench.out.parent.glob(".dataset.*.partial"))
    assert Dataset.open(workbench.out).fingerprint == before
    assert workbench.ingest().fingerprint == before
    assert sorted(path.name for path in workbench.out.parent.iterdir()) == [".dataset.lock", "dataset"]


def test_a_data_set_moved_aside_by_a_killed_ingest_is_put_back(workbench: Workbench, good_rows: Rows) -> None:
    workbench.write("events.csv", f"user,item,time\n{good_rows(30)}")
    before = workbench.ingest().fingerprint
    workbench.out.rename(workbench.out.with_name(".dataset.0123.old"))
    with exclusive(workbench.out):
        assert Dataset.open(workbench.out).fingerprint == before


def test_no_room_on_the_disk_is_a_clear_error_and_leaves_the_old_data_set(
    workbench: Workbench, good_rows: Rows
) -> None:
    workbench.write("events.csv", f"user,item,time\n{good_rows(30)}")
    before = workbench.ingest().fingerprint
    child = _run_child(workbench.folder, "full")
    assert child.returncode == 1
    assert "DataError: the tables cannot be read or written" in child.stderr
    assert Dataset.open(workbench.out).fingerprint == before
    assert sorted(path.name for path in workbench.out.parent.iterdir()) == [".dataset.lock", "dataset"]
