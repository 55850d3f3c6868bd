import subprocess
import sys
from contextlib import ExitStack, closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from savor.online.stores.errors import StoreError
from savor.online.stores.journal import Journal

RECORDS = [b"first", b"", b"third \xf5SVJ with a mark in it", b"x" * 5000]


@pytest.fixture
def opened():
    """Opens journals, and closes them in the end."""
    with ExitStack() as stack:
        yield lambda *arguments, **options: stack.enter_context(closing(Journal(*arguments, **options)))


def only(directory):
    (path,) = directory.glob("*.journal")
    return path


def test_what_is_appended_is_read_in_order(opened, tmp_path):
    journal = opened(tmp_path / "new" / "folder")
    journal.append(RECORDS[:2])
    journal.append(RECORDS[2:])
    assert journal.sealed() == []
    journal.seal()
    (path,) = journal.sealed()
    assert journal.read(path).records == RECORDS
    assert path.stat().st_mode & 0o077 == 0
    journal.append([b"next"])
    journal.seal()
    assert [journal.read(sealed).records for sealed in journal.sealed()] == [RECORDS, [b"next"]]
    journal.remove(path)
    assert len(journal.sealed()) == len(list(path.parent.iterdir())) == 1


def test_files_end_when_they_are_large(opened, tmp_path):
    journal = opened(tmp_path, segment_bytes=100)
    for number in range(6):
        journal.append([bytes([number]) * 40])
    assert len(journal.sealed()) == 3
    assert [record[0] for path in journal.sealed() for record in journal.read(path).records] == list(range(6))


def test_only_files_of_the_dead_are_taken(opened, tmp_path):
    code = (
        "import os, pathlib, sys; from savor.online.stores.journal import Journal; "
        "Journal(pathlib.Path(sys.argv[1])).append([b'left behind']); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)]).returncode == -9
    living = opened(tmp_path)
    living.append([b"mine"])
    other = opened(tmp_path)
    other.adopt()
    (path,) = other.sealed()
    assert other.read(path).records == [b"left behind"]
    third = opened(tmp_path)
    third.adopt()
    assert third.sealed() == []
    living.close()
    third.adopt()
    assert [third.read(path).records for path in third.sealed()] == [[b"mine"]]


@settings(max_examples=25)
@given(cut=st.integers(0, 200))
def test_what_a_crash_cut_off_is_left_out(tmp_path_factory, cut):
    tmp_path = tmp_path_factory.mktemp("journal")
    sizes = []
    with closing(Journal(tmp_path)) as journal:
        for record in (b"one", b"two", b"three" * 20):
            journal.append([record])
            sizes.append(only(tmp_path).stat().st_size)
    content = only(tmp_path).read_bytes()
    only(tmp_path).write_bytes(content[: max(0, len(content) - cut)])
    with closing(Journal(tmp_path)) as after:
        after.adopt()
        segment = after.read(only(tmp_path))
    assert len(segment.records) == sum(size <= len(content) - cut for size in sizes)
    assert segment.damaged == 0


def test_damage_in_the_middle_is_stepped_over_and_told(opened, tmp_path):
    journal = opened(tmp_path)
    journal.append([b"one", b"two", b"three"])
    journal.close()
    content = bytearray(only(tmp_path).read_bytes())
    content[content.index(b"two")] ^= 1
    only(tmp_path).write_bytes(content)
    journal.adopt()
    segment = journal.read(only(tmp_path))
    assert segment.records == [b"one", b"three"]
    assert segment.damaged == len(content) - 2 * 12 - len(b"onethree")
    journal.remove(segment.path, keep_as=".damaged")
    assert [path.suffix for path in tmp_path.iterdir()] == [".damaged"]


def test_a_disk_that_refuses(opened, tmp_path):
    (tmp_path / "taken").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="cannot be written"):
        opened(tmp_path / "taken").append([b"x"])
