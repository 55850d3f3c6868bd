import numpy as np
import pytest

from savor.data.histories import Histories
from savor.export.fit_own_items import fit_own_items
from savor.export.own_items import OwnItemsBonus
from savor.export.questions import Questions
from savor.features.columns import Columns
from savor.features.profiles import Profiles
from savor_edge.bundle import EdgeBundle
from savor_edge.golden import golden_problems
from tests.edge.made_bundle import made_edge
from tests.synthetic_bundle import DAY, NOW

PEOPLE, ITEMS = 200, 60


def questions(*, repeating, excludes_seen=False):
    """People with five own items each, who then take one of them, or anything."""
    rng = np.random.default_rng(1)
    own = np.stack([rng.choice(ITEMS, 5, replace=False) for _ in range(PEOPLE)])
    number = PEOPLE * 5
    histories = Histories(
        np.arange(0, number + 1, 5, dtype=np.int64),
        own.ravel().astype(np.int32),
        np.tile(NOW - np.asarray([80, 60, 40, 20, 10]) * DAY, PEOPLE),
        np.zeros(number, np.uint8),
        np.ones(number, np.float32),
        np.ones(number, np.float32),
        np.full(number, -1),
    )
    return Questions(
        np.arange(PEOPLE, dtype=np.int32),
        np.full(PEOPLE, NOW),
        histories,
        Profiles([str(row) for row in range(PEOPLE)], Columns({}, {}, {})),
        np.arange(PEOPLE + 1, dtype=np.int64),
        own[:, 2].astype(np.int32) if repeating else rng.integers(0, ITEMS, PEOPLE).astype(np.int32),
        np.arange(ITEMS, dtype=np.int32),
        excludes_seen,
        np.asarray([7], np.int32),
    )


@pytest.fixture
def fitted(edge_shop):
    rng = np.random.default_rng(2)
    users, vectors = rng.standard_normal((PEOPLE, 8)), rng.standard_normal((ITEMS, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return lambda asked: fit_own_items(edge_shop.server, asked, users.astype(np.float32), vectors.astype(np.float32))


def test_people_who_take_things_again_get_a_bonus(fitted):
    bonus = fitted(questions(repeating=True))
    assert bonus is not None
    assert bonus.weight > 0
    assert bonus.kinds == ("purchase",)
    assert bonus.gain is not None
    assert bonus.gain.low > 0.1


def test_others_get_none(fitted):
    assert fitted(questions(repeating=False)) is None
    assert fitted(questions(repeating=True, excludes_seen=True)) is None


def test_a_device_that_gives_the_bonus_answers_as_the_exporter_said(edge_shop, tmp_path_factory):
    made = made_edge(tmp_path_factory.getbasetemp(), None, OwnItemsBonus(0.7, 30.0, ("purchase",)))
    bundle = EdgeBundle.open(made.folder)
    assert golden_problems(bundle) == []
    assert bundle.id != EdgeBundle.open(edge_shop.folder).id
    features = bundle.features
    features.own_items = None
    assert any("the bonus of own items differs" in problem for problem in golden_problems(bundle))
