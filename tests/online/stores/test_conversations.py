"""What conversations have come to, in the database."""

import pytest

from savor.online.stores.conversations import DAY, Conversations


class Time:
    def __init__(self):
        self.now, self.rising = 1_000_000, 0.0

    def later(self, seconds):
        self.now += seconds
        self.rising += seconds


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def kept(database, time):
    return Conversations(database, forget_days=2, most=3, clock=lambda: time.now, rising=lambda: time.rising)


def test_the_last_document_is_kept_for_its_user(kept):
    kept.put("c", "ann", {"things": ["soup"]})
    kept.put("c", "ann", {"things": ["tea", "café"]})
    assert kept.get("c", "ann") == {"things": ["tea", "café"]}
    assert kept.get("c", "bob") is None
    assert kept.get("d", "ann") is None


def test_somebody_elses_is_left_alone(kept):
    kept.put("c", "ann", {"at": 1})
    kept.put("c", "bob", {"at": 2})
    assert kept.get("c", "ann") == {"at": 1}


def test_the_silent_ones_are_forgotten(kept, time):
    kept.put("old", "ann", {})
    time.later(2 * DAY + 1)
    assert kept.get("old", "ann") is None
    kept.put("new", "ann", {})
    time.later(-DAY)
    assert kept.get("old", "ann") is None
    assert kept.get("new", "ann") == {}


def test_the_oldest_make_room(kept, time):
    for name in "abcdef":
        kept.put(name, "ann", {"at": name})
        time.later(400)
    assert [name for name in "abcdef" if kept.get(name, "ann")] == ["d", "e", "f"]


def test_a_document_has_an_end(kept):
    with pytest.raises(ValueError, match="too large"):
        kept.put("c", "ann", {"things": ["x" * 70_000]})
