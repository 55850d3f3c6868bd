import numpy as np
import pytest

from savor.core.errors import TrainingError
from savor.training.rating.bayesian_factorization import BayesianFactorization, FactorizationOptions
from savor.training.rating.biases import Biases
from savor.training.rating.rating_table import RatingTable

USERS, ITEMS = 120, 60
OPTIONS = FactorizationOptions(factors=3, samples=40, warm_up=15, keep=20)


def ratings(seed: int = 0, contexts: bool = False) -> tuple[RatingTable, np.ndarray]:
    """Half of all pairs, made of biases, two factors, a context and noise of 0.3; and which of them are known."""
    rng = np.random.default_rng(seed)
    user, item = np.nonzero(rng.random((USERS, ITEMS)) < 0.5)
    one, other = rng.standard_normal((USERS, 2)), rng.standard_normal((ITEMS, 2))
    value = 3.5 + 0.4 * rng.standard_normal(USERS)[user] + 0.4 * rng.standard_normal(ITEMS)[item]
    value += (one[user] * other[item]).sum(axis=1) + 0.3 * rng.standard_normal(len(user))
    columns: tuple[np.ndarray, ...] = ()
    if contexts:
        codes = (user * 4 + rng.integers(0, 4, len(user))).astype(np.int32)
        value += rng.standard_normal(USERS * 4)[codes]
        columns = (codes,)
    table = RatingTable(user.astype(np.int32), item.astype(np.int32), value.astype(np.float32), columns)
    return table, rng.random(len(user)) < 0.8


def error(model, table: RatingTable) -> float:
    return float(np.sqrt(np.mean((model.predict(table) - table.value) ** 2)))


def test_it_finds_biases_and_factors():
    table, known = ratings()
    model = BayesianFactorization(OPTIONS, 1)
    model.fit(table.select(known), USERS, ITEMS)
    baseline = Biases()
    baseline.fit(table.select(known), USERS, ITEMS)
    assert error(baseline, table.select(~known)) > 1.2
    # Noise alone is 0.3; a little is left to learn.
    assert error(model, table.select(~known)) < 0.45
    assert model.samples[-1].noise_precision ** -0.5 == pytest.approx(0.3, abs=0.05)


def test_it_finds_what_a_context_adds():
    table, known = ratings(contexts=True)
    errors = []
    for columns in ((), table.contexts):
        one = RatingTable(table.user, table.item, table.value, columns)
        model = BayesianFactorization(OPTIONS, 1)
        model.fit(one.select(known), USERS, ITEMS, context_sizes=[USERS * 4] * len(columns))
        errors.append(error(model, one.select(~known)))
    assert errors[1] < 0.75 * errors[0]


def test_what_is_known_of_a_newcomer_helps():
    rng = np.random.default_rng(3)
    group = rng.integers(0, 2, USERS)
    user, item = np.nonzero(rng.random((USERS, ITEMS)) < 0.4)
    taste = np.where((group[user] == 0) == (item % 2 == 0), 1.0, -1.0)
    value = (3 + taste + 0.2 * rng.standard_normal(len(user))).astype(np.float32)
    table = RatingTable(user.astype(np.int32), item.astype(np.int32), value)
    newcomers = user < 20
    side = np.eye(2, dtype=np.float32)[group]
    errors = []
    for given in (None, side):
        model = BayesianFactorization(OPTIONS, 2)
        model.fit(table.select(~newcomers), USERS, ITEMS, user_side=given)
        errors.append(error(model, table.select(newcomers)))
    assert errors[0] > 0.9
    assert errors[1] < 0.4


def test_the_same_seed_gives_the_same_draws():
    table, known = ratings()
    made = []
    for seed in (5, 5, 6):
        model = BayesianFactorization(FactorizationOptions(factors=2, samples=3, warm_up=1, keep=3), seed)
        model.fit(table.select(known), USERS, ITEMS)
        made.append(model.predict(table))
    np.testing.assert_array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])


def test_saved_and_loaded_it_says_the_same(tmp_path):
    table, known = ratings(contexts=True)
    model = BayesianFactorization(FactorizationOptions(factors=2, samples=4, warm_up=1, keep=4), 1)
    model.fit(table.select(known), USERS, ITEMS, context_sizes=[USERS * 4])
    model.save(tmp_path / "model.npz")
    again = BayesianFactorization.load(tmp_path / "model.npz")
    np.testing.assert_array_equal(again.predict(table), model.predict(table))


def test_noisy_users_count_less():
    """Half of the users rate at random: told apart, the others are predicted better."""
    table, known = ratings()
    rng = np.random.default_rng(9)
    wild = table.user % 2 == 0
    value = np.where(wild, table.value + 3 * rng.standard_normal(len(table)), table.value).astype(np.float32)
    table = RatingTable(table.user, table.item, value)
    errors = []
    for freedom in (None, 4.0):
        model = BayesianFactorization(
            FactorizationOptions(factors=3, samples=40, warm_up=15, keep=20, noise_freedom=freedom), 1
        )
        model.fit(table.select(known), USERS, ITEMS)
        errors.append(error(model, table.select(~known & ~wild)))
    assert errors[1] < 0.9 * errors[0]


def test_no_ratings_is_said():
    table, _ = ratings()
    with pytest.raises(TrainingError, match="there are none"):
        BayesianFactorization(OPTIONS).fit(table.select(np.zeros(len(table), bool)), USERS, ITEMS)


def test_biases_by_hand():
    table = RatingTable(np.array([0, 0, 1], np.int32), np.array([0, 1, 0], np.int32), np.array([5, 3, 4], np.float32))
    model = Biases(user_shrinkage=1, item_shrinkage=1, sweeps=1)
    model.fit(table, 2, 2)
    # Mean 4. Items: (1 + 0) / 3 and -1 / 2. Users: ((1 - 1/3) + (-1 + 1/2)) / 3 and (0 - 1/3) / 2.
    np.testing.assert_allclose(model.items, [1 / 3, -1 / 2])
    np.testing.assert_allclose(model.users, [1 / 18, -1 / 6])
    np.testing.assert_allclose(model.predict(table)[0], 4 + 1 / 3 + 1 / 18, rtol=1e-6)
