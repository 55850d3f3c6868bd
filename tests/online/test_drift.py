import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from savor.core.errors import BundleError
from savor.online.chi_square import chi_square_quantile
from savor.online.drift.catalogue_drift import catalogue_drift
from savor.online.drift.category_reference import OTHER, CategoryReference
from savor.online.drift.live import LiveDrift
from savor.online.drift.numeric_reference import NumericReference
from savor.online.drift.options import DriftOptions
from savor.online.drift.reference import DriftReference
from savor.online.drift.stability import population_stability, stability

HOUR = 3600
OPTIONS = DriftOptions()


def normal(seed, size, shift=0.0):
    return np.random.default_rng(seed).normal(shift, 1, size).astype(np.float32)


def reference(size=20_000):
    return DriftReference(
        {"price": NumericReference.fit(normal(0, size)), "score": NumericReference.fit(normal(1, size))},
        {"kind": CategoryReference.fit(["tea"] * 60 + ["jam"] * 40)},
    )


def both(first, second):
    return np.stack([first, second], axis=1)


def test_psi_by_hand():
    """Shares .5 and .5 against .8 and .2: .3 ln 1.6 - .3 ln .4."""
    p, q = np.array([500_000, 500_000]), np.array([800_000, 200_000])
    assert population_stability(p, q) == pytest.approx(0.3 * np.log(1.6) - 0.3 * np.log(0.4), abs=1e-5)
    assert population_stability(p, p * 3) == pytest.approx(0, abs=1e-9)
    assert population_stability(p, q) == pytest.approx(population_stability(q, p))
    assert np.isfinite(population_stability(np.array([10, 0]), np.array([0, 10])))


def test_bins_by_hand():
    made = NumericReference.fit(np.array([1, 2, 3, 4, np.nan], np.float32), bins=4)
    assert made.edges.tolist() == [1, 2, 3]
    assert made.counts.tolist() == [1, 1, 1, 1, 1]
    assert made.bins(np.array([0, 1, 1.5, 4, 9, np.nan, np.inf], np.float32)).tolist() == [0, 0, 1, 3, 3, 4, 4]


@pytest.mark.parametrize("values", [[], [np.nan, np.nan], [5, 5, 5], [0] * 90 + [1] * 10])
def test_odd_columns(values):
    made = NumericReference.fit(np.array(values, np.float32))
    assert made.counts.sum() == len(values)
    assert len(made.counts) == len(made.edges) + 2


@settings(deadline=None)
@given(arrays(np.float32, st.integers(1, 60), elements=st.floats(-10, 10, width=16) | st.just(np.nan)))
def test_every_value_has_one_bin(values):
    made = NumericReference.fit(values)
    assert made.counts.sum() == len(values)
    assert made.counts[-1] == np.isnan(values).sum()
    known = len(values) - made.counts[-1]
    if known and len(np.unique(values[~np.isnan(values)])) > 1:
        assert made.counts[:-1].min() > 0


def test_chance_exceeds_the_bound_as_often_as_said():
    """2,000 samples of 300 from what nothing happened to."""
    generator = np.random.default_rng(0)
    made = NumericReference.fit(normal(0, 5000))
    alarms = 0
    for _ in range(2000):
        live = np.bincount(made.bins(generator.normal(size=300).astype(np.float32)), minlength=len(made.counts))
        found = stability(made.counts, live, reference_n=made.n, live_n=300, threshold=1e-9, tail=0.05)
        alarms += found.alarm
    assert 0.02 < alarms / 2000 < 0.08


def test_the_bound_by_hand():
    found = stability(np.full(10, 100), np.full(10, 5), reference_n=1000, live_n=50, threshold=0.25, tail=0.01)
    assert found.bound == pytest.approx(chi_square_quantile(0.01, 9) * (1 / 1000 + 1 / 50))


def test_small_samples_do_not_alarm_and_large_changes_do():
    for requests, shift, alarm in ((5, 0.0, False), (30, 0.0, False), (2000, 0.0, False), (2000, 1.0, True)):
        live = LiveDrift(reference(), ["price", "score"], OPTIONS, 0)
        for request in range(requests):
            live.count(both(normal([2, request], 10, shift), normal([3, request], 10)), 100)
        found = live.read(100)
        assert found["price"].alarm == alarm
        assert not found["score"].alarm
        assert found["price"].n == requests


def test_values_of_one_request_do_not_count_as_independent():
    """One request with a thousand strange values is one strange request."""
    live = LiveDrift(reference(), ["price"], OPTIONS, 0)
    live.count(normal(4, 1000, 3.0)[:, None], 0)
    found = live.read(0)["price"]
    assert found.psi > 0.5
    assert found.n == 1
    assert not found.alarm


@pytest.mark.parametrize("requests", [3, 8, 30])
def test_few_users_whose_candidates_all_have_one_value_are_no_alarm(requests):
    """A feature of the user is the same for all candidates: a hundred equal values are one observation."""
    generator = np.random.default_rng(8)
    made = DriftReference(
        {"trips": NumericReference.fit(np.repeat(generator.normal(size=400), 100).astype(np.float32), 400)}, {}
    )
    alarms = 0
    for _ in range(40):
        live = LiveDrift(made, ["trips"], OPTIONS, 0)
        for value in generator.normal(size=requests):
            live.count(np.full((100, 1), value, np.float32), 0)
        alarms += live.read(0)["trips"].alarm
    assert alarms == 0


def test_missing_values_are_a_change():
    live = LiveDrift(reference(), ["price"], OPTIONS, 0)
    for _ in range(500):
        live.count(np.full((2, 1), np.nan, np.float32), 0)
    assert live.read(0)["price"].alarm


def test_live_counts_are_those_of_the_reference():
    made = reference(500)
    odd = NumericReference.fit(np.resize(np.array([0, 0, 0, 1], np.float32), 500))
    both_ = DriftReference({**made.numbers, "odd": odd}, {})
    live = LiveDrift(both_, ["price", "odd"], OPTIONS, 0)
    values = both(normal(0, 500), np.resize(np.array([0, 0, 0, 1], np.float32), 500))
    for row in values:
        live.count(row[None], 0)
    found = live.read(0)
    assert found["price"].psi == pytest.approx(0, abs=1e-12)
    assert found["odd"].psi == pytest.approx(0, abs=1e-12)


def test_the_past_passes():
    live = LiveDrift(reference(), ["price"], DriftOptions(hours=4, slots=4), 0)
    live.count(normal(5, 100, 5.0)[:, None], 0, requests=100)
    assert live.read(3 * HOUR + 3599)["price"].n == 100
    assert live.read(4 * HOUR)["price"].n == 0
    live.count(normal(5, 100)[:, None], 4 * HOUR, requests=100)
    live.count(normal(6, 100)[:, None], 2 * HOUR, requests=7)
    assert live.read(4 * HOUR)["price"].n == 107
    assert live.read(10**9)["price"].n == 0


def test_nothing_seen():
    found = LiveDrift(reference(), ["price"], OPTIONS, 0).read(0)["price"]
    assert (found.psi, found.alarm) == (0, False)
    assert found.as_json()["bound"] is None


def test_categories_by_hand():
    made = CategoryReference.fit(["tea", "jam", "tea", "", "ham", "rye"], most=2)
    assert made.values == ("tea", "", OTHER)
    assert made.counts.tolist() == [2, 1, 3]
    assert made.count(["tea", "new", ""]).tolist() == [1, 1, 1]
    found = catalogue_drift(reference(), {"kind": ["tea"] * 500 + ["jam"] * 500, "colour": ["red"]}, OPTIONS)
    assert list(found) == ["kind"]
    assert not found["kind"].alarm
    assert catalogue_drift(reference(), {"kind": ["ham"] * 1000}, OPTIONS)["kind"].alarm


def test_round_trip(tmp_path):
    values = both(normal(0, 20_000), normal(1, 20_000))
    made = DriftReference.fit(["price", "score"], values, 100, {"kind": ["tea"] * 60 + ["jam"] * 40})
    assert made.numbers["score"].counts.tolist() == reference().numbers["score"].counts.tolist()
    assert made.numbers["price"].n == 100
    made.save(tmp_path / "drift.json")
    loaded = DriftReference.load(tmp_path / "drift.json")
    assert loaded.numbers["price"].edges.tolist() == made.numbers["price"].edges.tolist()
    assert loaded.numbers["price"].counts.tolist() == made.numbers["price"].counts.tolist()
    assert loaded.categories["kind"].values == made.categories["kind"].values
    assert (tmp_path / "drift.json").stat().st_size < 3000


FALLING = {"a": {"edges": [2, 1], "counts": [1, 1, 1, 1], "n": 3}}
WITHOUT_OTHER = {"a": {"values": ["x"], "counts": [1], "n": 1}}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"format_version": 9}',
        json.dumps({"format_version": 1, "numbers": FALLING, "categories": {}}),
        json.dumps({"format_version": 1, "numbers": {}, "categories": WITHOUT_OTHER}),
    ],
)
def test_damage(tmp_path, content):
    (tmp_path / "drift.json").write_text(content)
    with pytest.raises(BundleError, match=r"drift\.json cannot be read"):
        DriftReference.load(tmp_path / "drift.json")
    with pytest.raises(BundleError, match="cannot be read"):
        DriftReference.load(tmp_path / "absent.json")
