from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from savor.core.errors import ExportError
from savor.data.histories import Histories
from savor.export.questions import Questions
from savor.features.columns import Columns
from savor.features.profiles import Profiles

ALL = np.arange(6, dtype=np.int32)


@dataclass
class Folder:
    """Stands for a bundle."""

    directory: Path
    id: str = "made"

    def path(self, name: str) -> Path:
        return self.directory / name


def bundle(tmp_path: Path, people: list[list[tuple[int, int, int]]]) -> Folder:
    """Of each person (item, time, basket) in time order."""
    events = [event for person in people for event in person]
    item, time, basket = (np.asarray([event[column] for event in events], np.int64) for column in range(3))
    floats = np.ones(len(events), np.float32)
    indptr = np.cumsum([0, *map(len, people)]).astype(np.int64)
    histories = Histories(indptr, item.astype(np.int32), time, np.zeros(len(events), np.uint8), floats, floats, basket)
    folder = tmp_path / "state" / "histories"
    folder.mkdir(parents=True)
    for name, column in vars(histories).items():
        np.save(folder / f"{name}.npy", column)
    Profiles([f"u{row}" for row in range(len(people))], Columns({}, {}, {})).save(tmp_path / "state" / "profiles")
    return Folder(tmp_path)


def of(folder: Folder, rows=ALL, **options) -> Questions:
    return Questions.of_bundle(folder, rows, np.ones(len(rows), np.bool_), maximum=100, **options)  # type: ignore[arg-type]


def test_the_last_basket_is_asked_for(tmp_path):
    people = [
        [(0, 10, 1), (1, 10, 1), (2, 20, 2), (0, 21, 2)],
        [(3, 5, 3)],
        [],
        [(4, 7, 4), (5, 9, 5)],
    ]
    asked = of(bundle(tmp_path, people))
    assert asked.users.tolist() == [0, 3]
    assert asked.now.tolist() == [20, 9]
    assert asked.indptr.tolist() == [0, 2, 3]
    assert asked.items.tolist() == [0, 2, 5]
    assert asked.histories.of(0).item.tolist() == [0, 1]
    assert asked.histories.of(1).item.tolist() == [3]
    assert asked.histories.of(3).item.tolist() == [4]
    assert not asked.excludes_seen  # item 0 was had before


def test_without_baskets_the_last_event_and_nothing_twice(tmp_path):
    asked = of(bundle(tmp_path, [[(0, 10, -1), (1, 10, -1), (2, 10, -1)]]))
    assert asked.items.tolist() == [2]
    assert asked.excludes_seen
    assert asked.closed(0).tolist() == [0, 1]
    (mask,) = (mask.copy() for mask in asked.masks(-1e9))
    assert mask.tolist() == [-1e9, -1e9, 0, 0, 0, 0]


def test_only_items_that_the_device_has_are_asked_for(tmp_path):
    people = [[(0, 1, 1), (4, 2, 2), (5, 2, 2)], [(1, 1, 3), (2, 2, 4)]]
    asked = of(bundle(tmp_path, people), np.asarray([0, 1, 4], np.int32))
    assert asked.users.tolist() == [0]
    assert asked.items.tolist() == [2]


def test_what_the_device_does_not_know_is_left_out_of_histories(tmp_path):
    people = [[(0, 1, 1), (3, 2, 2), (5, 3, 3), (1, 4, 4)]]
    asked = of(bundle(tmp_path, people), np.asarray([0, 1], np.int32), kept=np.asarray([5], np.int32))
    assert asked.histories.of(0).item.tolist() == [0, 5]
    assert asked.items.tolist() == [1]


def test_nobody_to_ask(tmp_path):
    with pytest.raises(ExportError, match="no histories to compare"):
        of(bundle(tmp_path, [[(0, 1, 1)], []]))


def test_ndcg(tmp_path):
    asked = of(bundle(tmp_path, [[(0, 1, 1), (2, 2, 2)], [(1, 1, 3), (3, 2, 4)]]))
    assert asked.ndcg(np.asarray([[2, 1], [0, 3]], np.int32)).tolist() == [1, pytest.approx(1 / np.log2(3))]
