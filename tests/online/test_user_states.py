import numpy as np
import pytest

from savor.core.errors import BundleError
from savor.data.event_texts import EventTexts
from savor.data.histories import Histories
from savor.features.columns import CategoryColumn, Columns
from savor.features.profiles import Profiles
from savor.features.searches import Searches
from savor.online.user_states import UserStates


@pytest.fixture
def states():
    histories = Histories(
        np.array([0, 3, 3, 5], np.int64),
        np.array([4, 5, 4, 1, 2], np.int32),
        np.array([10, 20, 30, 5, 6], np.int64),
        np.zeros(5, np.uint8),
        np.ones(5, np.float32),
        np.full(5, np.nan, np.float32),
        np.arange(5, dtype=np.int64),
    )
    ages = CategoryColumn.from_strings(["old", None, "young"])
    return UserStates(histories, Profiles(["ann", "bob", "cy"], Columns({"age": ages}, {}, {})))


def check(states):
    assert len(states) == 3
    assert states.ids == ["ann", "bob", "cy"]
    assert states.history("ann", 30).item.tolist() == [4, 5, 4]
    assert states.history("ann", 29).item.tolist() == [4, 5]
    assert states.history("ann", 29).basket.tolist() == [0, 1]
    assert len(states.history("ann", 9)) == len(states.history("bob", 99)) == len(states.history("eve", 99)) == 0
    assert states.profile("cy").categories == {"age": "young"}
    assert states.profile("eve").id == "eve"
    assert states.profile("eve").categories == {}
    assert "ann" in states
    assert "eve" not in states


def test_by_id_and_moment(states):
    check(states)


def test_round_trip(states, tmp_path):
    states.save(tmp_path)
    loaded = UserStates.load(tmp_path)
    check(loaded)
    item = loaded.history("ann", 30).item
    assert type(item) is np.ndarray
    while isinstance(item.base, np.ndarray):
        item = item.base
    assert isinstance(item, np.memmap)


def test_sample(states):
    assert states.sample(5) == [("ann", 3), ("cy", 2)]
    assert states.sample(1) == [("ann", 3)]
    assert states.sample(5, containing="B") == [("bob", 0)]
    assert states.sample(5, containing="zzz") == []


def test_damage(states, tmp_path):
    states.save(tmp_path)
    (tmp_path / "histories" / "time.npy").write_bytes(b"no")
    with pytest.raises(BundleError, match="user state"):
        UserStates.load(tmp_path)


def test_lengths_must_agree(states):
    with pytest.raises(BundleError, match="3 histories and 1 profiles"):
        UserStates(states._histories, Profiles(["x"], Columns({}, {}, {})))


def test_an_alias_finds_users_whose_ids_are_pseudonyms(states):
    hidden = UserStates(states._histories, states._profiles, lambda name: {"Ann Lee": "ann"}.get(name, name))
    assert hidden.history("Ann Lee", 30).item.tolist() == [4, 5, 4]
    assert hidden.profile("cy").categories == {"age": "young"}
    assert "Ann Lee" in hidden
    assert "Bob Ray" not in hidden


def test_searches_by_id(states, tmp_path):
    made = EventTexts(
        np.array([2, 0, 2], np.int32), np.full(3, -1, np.int32), np.array([5, 6, 9]), ["a", "b", "c"], [None] * 3
    )
    searches = Searches.encode(made, 3, lambda texts: np.asarray([[ord(text)] for text in texts], np.float32), "made")
    with_searches = UserStates(states._histories, states._profiles, searches=searches)
    with_searches.save(tmp_path)
    for one in (with_searches, UserStates.load(tmp_path)):
        check(one)
        assert one.searches("cy").time.tolist() == [5, 9]
        assert one.searches("cy").vectors.tolist() == [[ord("a")], [ord("c")]]
        assert len(one.searches("bob").time) == len(one.searches("eve").time) == 0
    assert len(states.searches("cy").time) == 0
