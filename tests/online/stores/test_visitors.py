import pytest

from savor.online.stores.errors import StoreError
from savor.online.stores.visitors import Visitors
from savor.online.visitor_ids import is_visitor, new_visitor_id


@pytest.fixture
def visitors(database):
    return Visitors(database)


def test_merging_is_done_once(visitors):
    first, second = new_visitor_id(), new_visitor_id()
    assert first != second
    assert is_visitor(first)
    assert visitors.user_of(first) is None
    assert visitors.merge(first, "ann")
    assert not visitors.merge(first, "ann")
    assert visitors.merge(second, "ann")
    assert visitors.user_of(first) == "ann"
    assert visitors.visitors_of("ann") == [first, second]
    merges = visitors.read_after(0)
    assert [(merge.visitor_id, merge.user_id) for merge in merges] == [(first, "ann"), (second, "ann")]
    assert visitors.read_after(merges[0].version) == merges[1:]


def test_nobody_takes_what_is_not_theirs(visitors):
    visitors.merge("visitor-1", "ann")
    for visitor_id, user_id, code in (
        ("visitor-1", "eve", "visitor_merged"),
        ("ann", "eve", "not_a_visitor"),
        ("visitor-2", "visitor-1", "not_a_user"),
    ):
        with pytest.raises(StoreError) as caught:
            visitors.merge(visitor_id, user_id)
        assert caught.value.code == code
    assert visitors.user_of("visitor-1") == "ann"
    assert visitors.user_of("visitor-2") is None
