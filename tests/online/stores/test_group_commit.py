import threading

import pytest

from savor.online.stores.errors import StoreAwayError, StoreError
from savor.online.stores.group_commit import GroupCommit


class Writer:
    """Remembers its groups; can be held up, and refuses some values."""

    def __init__(self):
        self.groups, self.refused, self.failure = [], set(), StoreError("refused")
        self.free = threading.Event()
        self.free.set()
        self.begun = threading.Semaphore(0)

    def __call__(self, group):
        self.begun.release()
        assert self.free.wait(30)
        self.groups.append(list(group))
        if self.refused & set(group):
            raise self.failure
        return [value * 10 for value in group]


@pytest.fixture
def writer():
    return Writer()


@pytest.fixture
def commits(writer):
    commits = GroupCommit(writer, lambda value: 1, most=3)
    yield commits
    commits.close()


def held_up(writer, commits, values):
    """Submit the first value, and the others while it is being written."""
    writer.free.clear()
    futures = [commits.submit(values[0])]
    assert writer.begun.acquire(timeout=30)
    futures += [commits.submit(value) for value in values[1:]]
    writer.free.set()
    return futures


def test_a_lone_caller_is_not_kept_waiting(writer, commits):
    assert commits.submit(1).result(30) == 10
    assert writer.groups == [[1]]


def test_those_who_come_meanwhile_share_the_next_step(writer, commits):
    futures = held_up(writer, commits, [1, 2, 3, 4, 5])
    assert [future.result(30) for future in futures] == [10, 20, 30, 40, 50]
    assert writer.groups == [[1], [2, 3, 4], [5]]


def test_one_who_is_refused_does_not_harm_the_others(writer, commits):
    writer.refused = {3}
    futures = held_up(writer, commits, [1, 2, 3, 4])
    assert [futures[place].result(30) for place in (0, 1, 3)] == [10, 20, 40]
    with pytest.raises(StoreError, match="refused"):
        futures[2].result(30)


@pytest.mark.parametrize("failure", [StoreAwayError("away"), ZeroDivisionError("a fault")])
def test_all_learn_that_it_failed(writer, commits, failure):
    writer.refused, writer.failure = {3}, failure
    futures = held_up(writer, commits, [1, 2, 3])
    assert futures[0].result(30) == 10
    for future in futures[1:]:
        with pytest.raises(type(failure)):
            future.result(30)
    assert commits.submit(7).result(30) == 70


def test_who_no_longer_waits_is_left_out(writer, commits):
    writer.free.clear()
    first = commits.submit(1)
    assert writer.begun.acquire(timeout=30)
    second = commits.submit(2)
    assert second.cancel()
    third = commits.submit(3)
    writer.free.set()
    assert (first.result(30), third.result(30)) == (10, 30)
    assert writer.groups == [[1], [3]]


def test_closing_writes_what_is_waiting(writer, commits):
    futures = held_up(writer, commits, [1, 2])
    commits.close()
    assert [future.result(0) for future in futures] == [10, 20]
    with pytest.raises(StoreAwayError, match="closed"):
        commits.submit(3)
    commits.close()
