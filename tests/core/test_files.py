import os
from pathlib import Path

import pytest

from savor.core.files import directory_atomic, write_json_atomic, write_text_atomic


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch) -> None:
    target = tmp_path / "a.txt"
    write_text_atomic(target, "old")

    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_text_atomic(target, "new")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_directory_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "d"
    with directory_atomic(target) as parts:
        (parts / "one").write_text("1")

    def fail() -> None:
        with directory_atomic(target) as parts:
            (parts / "two").write_text("2")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [path.name for path in target.iterdir()] == ["one"]
    assert list(tmp_path.iterdir()) == [target]


def test_a_directory_is_replaced_as_one(tmp_path: Path) -> None:
    target = tmp_path / "d"
    for name in ("one", "two"):
        with directory_atomic(target) as parts:
            (parts / name).write_text(name)
    assert [path.name for path in target.iterdir()] == ["two"]


def test_json_is_sorted_and_refuses_not_a_number(tmp_path: Path) -> None:
    write_json_atomic(tmp_path / "a.json", {"b": 1, "a": "é"})
    assert (tmp_path / "a.json").read_text() == '{\n  "a": "é",\n  "b": 1\n}\n'
    with pytest.raises(ValueError, match="JSON"):
        write_json_atomic(tmp_path / "a.json", {"b": float("nan")})
