import numpy as np
import pytest

from savor.training.ncf.networks import Kind, build_ncf
from savor.training.ncf.options import NcfOptions

OPTIONS = NcfOptions(factors=2, mlp_factors=1, hidden=(2,))
USER, ITEM = np.array([1, 0], np.int32), np.array([2, 1], np.int32)
GMF_USERS = np.array([[1, 2], [3, 4]], np.float32)
GMF_ITEMS = np.array([[0, 0], [1, -1], [0.5, 2]], np.float32)
MLP_USERS = np.array([[1], [2]], np.float32)
MLP_ITEMS = np.array([[0], [3], [-1]], np.float32)
KERNEL, BIAS = np.array([[1, -1], [2, 1]], np.float32), np.array([0, 1], np.float32)


def network(kind: Kind):
    made = build_ncf(kind, 2, 3, OPTIONS, 0)
    for layer in made.pair.layers:
        match layer.name:
            case "gmf_user_embedding":
                layer.set_weights([GMF_USERS])
            case "gmf_item_embedding":
                layer.set_weights([GMF_ITEMS])
            case "mlp_user_embedding":
                layer.set_weights([MLP_USERS])
            case "mlp_item_embedding":
                layer.set_weights([MLP_ITEMS])
            case "hidden_0":
                layer.set_weights([KERNEL, BIAS])
            case "weights":
                layer.set_weights([np.array([2, 0.5], np.float32)])
    return made


def scores(made) -> np.ndarray:
    return np.asarray(made.pair.predict_on_batch({"user_id": USER, "item_id": ITEM}))[:, 0]


def test_gmf_by_hand():
    made = network("gmf")
    # h · (p ⊙ q): 2·(3·0.5) + 0.5·(4·2) = 7 and 2·(1·1) + 0.5·(2·-1) = 1.
    np.testing.assert_allclose(scores(made), [7, 1])


def test_gmf_is_an_inner_product():
    made = network("gmf")
    users = np.asarray(made.user.predict_on_batch({"user_id": USER}))
    items = np.asarray(made.item.predict_on_batch({"item_id": ITEM}))
    np.testing.assert_allclose((users * items).sum(axis=1), scores(made))


def test_mlp_by_hand():
    made = network("mlp")
    made.pair.get_layer("log_odds").set_weights([np.array([[10], [1]], np.float32), np.array([0.5], np.float32)])
    # Pair (2, -1): [2·1 - 1·2, -2·1 - 1·1 + 1] = [0, -2], cut off at 0: [0, 0]; log-odds 0.5.
    # Pair (1, 3): [1 + 6, -1 + 3 + 1] = [7, 3]; log-odds 70 + 3 + 0.5.
    np.testing.assert_allclose(scores(made), [0.5, 73.5])


def test_neumf_by_hand():
    made = network("neumf")
    weights = np.array([[1], [1], [10], [1]], np.float32)
    made.pair.get_layer("log_odds").set_weights([weights, np.array([-1], np.float32)])
    # p ⊙ q is [1.5, 8] and [1, -2]; the dense layer gives [0, 0] and [7, 3].
    np.testing.assert_allclose(scores(made), [1.5 + 8 - 1, 1 - 2 + 70 + 3 - 1])


@pytest.mark.parametrize(("kind", "tables"), [("gmf", 2), ("mlp", 2), ("neumf", 4)])
def test_neumf_has_vectors_of_its_own_for_both_parts(kind, tables):
    assert len(build_ncf(kind, 5, 7, OPTIONS, 0).vectors) == tables
