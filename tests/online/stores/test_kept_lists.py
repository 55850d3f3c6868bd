import threading

import pytest

from savor.core.errors import DataError
from savor.online.stores.kept_lists import KeptList, KeptLists


@pytest.fixture
def lists(database):
    return KeptLists(database, lambda: 1_700_000_000)


def test_put_get_remove_delete(lists):
    assert lists.get("ann") is None
    given = KeptList(("a", "b", "c"), (3.0, 2.5, -1.0), {"recommendation_id": "r", "ids": [1, "ö"]})
    put = lists.put("ann", given)
    assert put.changed == 1_700_000_000
    assert lists.get("ann") == put
    assert (put.items, put.scores, put.detail) == (given.items, given.scores, given.detail)
    removed = lists.remove("ann", ["b", "unknown"])
    assert removed is not None
    assert removed.items == ("a", "c")
    assert removed.scores == (3.0, -1.0)
    assert lists.get("ann") == removed
    assert lists.put("ann", KeptList((), ())).items == ()
    assert lists.get("ann") == KeptList((), (), {}, 1_700_000_000)
    assert lists.delete("ann")
    assert not lists.delete("ann")
    assert lists.get("ann") is None
    assert lists.remove("ann", ["a"]) is None


def test_customers_do_not_meet(lists):
    lists.put("ann", KeptList(("a",), (1.0,)))
    lists.put("bob", KeptList(("b",), (2.0,)))
    lists.delete("ann")
    assert lists.get("bob").items == ("b",)


def test_removals_at_once_all_count(lists):
    items = tuple(f"i{number}" for number in range(12))
    lists.put("ann", KeptList(items, (0.0,) * 12))
    callers = [threading.Thread(target=lists.remove, args=("ann", [item])) for item in items[:8]]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert lists.get("ann").items == items[8:]


@pytest.mark.parametrize(("items", "scores"), [(("a", "a"), (1.0, 2.0)), (("a",), ())])
def test_lists_that_are_none(items, scores):
    with pytest.raises(DataError):
        KeptList(items, scores)
