import numpy as np
import pytest

from savor.features.columns import CategoryColumn, Columns, TagColumn
from savor.training.cross_network.options import DcnOptions
from savor.training.rating.contexts import rating_contexts
from savor.training.rating.options import RatingOptions
from savor.training.rating.predict import RatingTask, predict_ratings
from savor.training.rating.rating_table import RatingTable
from savor.training.rating.side import column_side, implicit_side

OPTIONS = RatingOptions(
    factors=2,
    samples=20,
    warm_up=10,
    keep=10,
    implicit=4,
    dcn=DcnOptions(ids=True, id_width=4, hidden=(16,), rank=4, batch_size=256, epochs=5, learning_rate=0.03),
)


def task() -> RatingTask:
    rng = np.random.default_rng(0)
    user, item = np.nonzero(rng.random((100, 40)) < 0.5)
    meant = 3 + rng.standard_normal(100)[user] + 0.7 * rng.standard_normal(40)[item]
    value = np.clip(meant + 0.3 * rng.standard_normal(len(user)), 1, 5).astype(np.float32)
    users = Columns({"age": CategoryColumn.from_strings([str(row % 3) for row in range(100)])}, {}, {})
    items = Columns({}, {}, {"year": rng.integers(1950, 2000, 40).astype(np.float32)})
    return RatingTask(
        user.astype(np.int32),
        item.astype(np.int32),
        rng.integers(0, 10**7, len(user)).astype(np.int64),
        value,
        rng.random(len(user)) < 0.8,
        users,
        items,
        100,
        40,
    )


@pytest.mark.parametrize("model", ["biases", "factorization", "dcn"])
@pytest.mark.parametrize("calibration", ["clip", "isotonic"])
def test_models_find_biases(model, calibration):
    if (model, calibration) == ("dcn", "isotonic"):
        pytest.skip("trains twice; the calibration is the same for all models")
    asked = task()
    predicted, _ = predict_ratings(model, asked, OPTIONS.model_copy(update={"calibration": calibration}), 1)
    truth = asked.value[~asked.known]
    assert predicted.shape == truth.shape
    assert np.sqrt(np.mean((predicted - truth) ** 2)) < 0.55
    assert predicted.min() >= 1
    assert predicted.max() <= 5


def test_what_is_asked_for_is_not_looked_at():
    asked = task()
    hidden = np.where(asked.known, asked.value, np.float32(-100))
    other = type(asked)(**{**vars(asked), "value": hidden})
    one, _ = predict_ratings("factorization", asked, OPTIONS, 1)
    again, _ = predict_ratings("factorization", other, OPTIONS, 1)
    np.testing.assert_array_equal(one, again)


def test_sides_by_hand():
    columns = Columns(
        {"age": CategoryColumn.from_strings(["old", None, "young"])},
        {"tags": TagColumn.from_lists([["a"], ["a", "b"], None])},
        {},
    )
    side = column_side(columns)
    assert side.shape == (3, 4)
    assert sorted(map(tuple, side[:, :2].tolist())) == [(0, 0), (0, 1), (1, 0)]
    assert side[:, 2:].sum(axis=1).tolist() == [1, 2, 0]


def test_implicit_sides_do_not_know_the_ratings():
    asked = task()
    table = RatingTable(asked.user, asked.item, asked.value)
    user, item = implicit_side(table, 100, 40, 5)
    assert user.shape == (100, 5)
    assert item.shape == (40, 5)
    other = implicit_side(RatingTable(asked.user, asked.item, asked.value * 0), 100, 40, 5)
    np.testing.assert_array_equal(user, other[0])


def test_contexts_by_hand():
    day = 86_400
    user, item = np.array([0, 0, 1, 0], np.int32), np.array([3, 4, 3, 3], np.int32)
    time = np.array([10, 10, 20, 70 * day], np.int64)
    places, runs, days, periods = rating_contexts(user, item, time, "days")
    # The first, second, first and third rating of its user: floor(3 log2 of 1, 2, 1 and 3).
    assert places.tolist() == [0, 3, 0, 4]
    assert runs[0] == runs[1] == runs[3] != runs[2]
    assert days[0] == days[1] != days[3]
    assert len({days[0], days[2], days[3]}) == 3
    assert periods[0] == periods[2] != periods[3]
    assert len(rating_contexts(user, item, time, "place")) == 2
    assert rating_contexts(user, item, time, "none") == ()


def test_a_run_has_eight_ratings():
    user, item = np.zeros(20, np.int32), np.arange(20, dtype=np.int32)
    _, runs = rating_contexts(user, item, np.arange(20, dtype=np.int64), "place")
    assert np.bincount(runs).tolist() == [8, 8, 4]
