import json

import numpy as np
import pytest

from savor.online.experiments.moments import Moments
from savor.online.experiments.options import ExperimentOptions
from savor.online.experiments.results import moments_by_variant, results
from savor.online.experiments.user_totals import UserTotals


def options(**more):
    variants = {"control": {}, "candidate": {"channel": "candidate"}}
    return ExperimentOptions.model_validate({"variants": variants, "metrics": ["ctr"], **more})


def bought(rate, users=20_000):
    """Exactly that share of users."""
    return Moments.of((np.arange(users) < rate * users).astype(np.float64))


def clicked(rate, users=20_000):
    return Moments.of(np.where(np.arange(users) % 2, rate * 2, 0.0) * 10, np.full(users, 10.0))


def told(control, *others, users=20_000, ctr=None, counts=None, mixed=0, **more):
    made = options(**more)
    names = list(made.variants)
    moments = {
        "conversion": [bought(rate, users) for rate in (control, *others)],
        "ctr": [clicked(rate, users) for rate in ctr or [0.1] * len(names)],
        "fallback_rate": [clicked(rate, users) for rate in ctr or [0.1] * len(names)],
    }
    seen = dict(zip(names, counts or [users] * len(names), strict=True))
    return results("test", made, seen, moments, mixed=mixed)


@pytest.mark.parametrize(
    ("found", "verdict", "variant"),
    [
        (told(0.10, 0.10), "continue", None),
        (told(0.10, 0.12), "ship", "candidate"),
        (told(0.12, 0.10), "keep_control", "control"),
        (told(0.10, 0.10, users=4_000_000), "no_difference", None),
        (told(0.10, 0.20, users=50), "continue", None),
        (told(0.10, 0.12, counts=[20_000, 19_000]), "invalid", None),
        (told(0.10, 0.12, mixed=100), "invalid", None),
        (told(0.10, 0.12, ctr=[0.10, 0.05], guardrails=[{"metric": "ctr"}]), "stop", "candidate"),
        (told(0.10, 0.12, ctr=[0.10, 0.05], guardrails=[{"metric": "ctr", "tolerance": 0.6}]), "ship", "candidate"),
        (told(0.10, 0.12, ctr=[0.10, 0.20], guardrails=[{"metric": "ctr"}]), "ship", "candidate"),
        (told(0.10, 0.12, ctr=[0.10, 0.20], guardrails=[{"metric": "fallback_rate"}]), "stop", "candidate"),
        (told(0.10, 0.12, ctr=[0.10, 0.05], guardrails=[{"metric": "fallback_rate"}]), "ship", "candidate"),
    ],
)  # fmt: skip
def test_decisions(found, verdict, variant):
    assert (found.decision.verdict, found.decision.variant) == (verdict, variant)


def test_a_metric_where_less_is_better():
    assert told(0.1, 0.1, ctr=[0.10, 0.05], metric="fallback_rate").decision.verdict == "ship"
    assert told(0.1, 0.1, ctr=[0.05, 0.10], metric="fallback_rate").decision.verdict == "keep_control"


def test_the_best_of_several_variants():
    variants = {"control": {}, "a": {"scenario": "x"}, "b": {"scenario": "y"}}
    found = told(0.10, 0.13, 0.16, variants=variants)
    assert (found.decision.verdict, found.decision.variant) == ("ship", "b")
    two = told(0.10, 0.13)
    (alone,) = [row for row in two.rows if row.metric == "conversion" and row.variant == "candidate"]
    (shared,) = [row for row in found.rows if row.metric == "conversion" and row.variant == "a"]
    assert alone.difference is not None
    assert shared.difference is not None
    assert shared.difference.low < alone.difference.low


def test_the_table():
    found = told(0.10, 0.12, guardrails=[{"metric": "ctr", "tolerance": 0.01}])
    assert [(row.metric, row.variant) for row in found.rows] == [
        ("conversion", "control"), ("conversion", "candidate"), ("ctr", "control"), ("ctr", "candidate"),
    ]  # fmt: skip
    control, candidate = found.rows[:2]
    assert control.difference is control.lift is control.p is None
    assert candidate.mean.value == 0.12
    assert candidate.difference is not None
    assert candidate.difference.value == pytest.approx(0.02)
    assert candidate.difference.low > 0
    assert candidate.lift is not None
    assert candidate.lift.value == pytest.approx(0.2)
    assert candidate.p is not None
    assert candidate.p < 1e-4
    (rail,) = found.guardrails
    assert rail.harm.value == pytest.approx(-0.001)
    assert not rail.crossed
    shown = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert shown["decision"]["verdict"] == "ship"
    assert shown["sample_ratio"]["mismatch"] is False


def test_before_anybody_came():
    empty = Moments.of(np.empty(0))
    found = results("test", options(), {}, {"conversion": [empty] * 2, "ctr": [empty] * 2})
    assert found.decision.verdict == "continue"
    json.dumps(found.as_json(), allow_nan=False)


def test_from_users():
    columns = {
        name: np.array([1.0, 2.0, 3.0, 4.0])
        for name in ("lists", "impressions", "clicks", "purchases", "converted", "attributed_money", "money",
                     "fallbacks", "seconds")
    }  # fmt: skip
    totals = UserTotals(np.arange(4, dtype=np.int32), np.array([0, 0, 1, 1], np.int16), columns, 0)
    moments = moments_by_variant(totals, 2)
    assert moments["order_value"][1].x == 7
    assert moments["order_value"][1].y == 2
    assert moments["ctr"][0].ratio().value == 1
