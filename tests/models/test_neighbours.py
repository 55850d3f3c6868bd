import numpy as np
import pytest

from savor.core.errors import BundleError
from savor.models.neighbours import Neighbours


def table() -> Neighbours:
    return Neighbours(
        np.array([[1, 2], [0, -1], [-1, -1]], np.int32), np.array([[0.5, 0.25], [0.5, 0], [0, 0]], np.float32)
    )


def test_round_trip(tmp_path):
    table().save(tmp_path / "sources" / "co_purchase")
    again = Neighbours.load(tmp_path / "sources" / "co_purchase")
    np.testing.assert_array_equal(again.item, table().item)
    np.testing.assert_array_equal(again.weight, table().weight)
    assert len(again) == 3


def test_of():
    items, weights = table().of(0)
    assert (items.tolist(), weights.tolist()) == ([1, 2], [0.5, 0.25])
    assert [len(table().of(item)[0]) for item in (1, 2, 3, -1)] == [1, 0, 0, 0]
    assert table().narrowed(1).item.tolist() == [[1], [0], [-1]]


def test_damage_is_a_clear_error(tmp_path):
    with pytest.raises(BundleError, match="publish again"):
        Neighbours.load(tmp_path)
    table().save(tmp_path)
    np.save(tmp_path / "weight.npy", np.zeros((1, 2), np.float32))
    with pytest.raises(BundleError, match="neighbours must be"):
        Neighbours.load(tmp_path)
    np.save(tmp_path / "item.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(BundleError, match="publish again"):
        Neighbours.load(tmp_path)
