from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from savor.online.experiments.moments import Moments
from savor.online.experiments.options import ExperimentOptions
from savor.online.experiments.results import ExperimentResults, results
from savor.online.experiments.rollout import RolloutState, Transition, advance, start, stop
from savor.online.experiments.rollout_options import RolloutOptions

HOUR = 3600
OPTIONS = RolloutOptions()
EXPERIMENT = ExperimentOptions.model_validate(
    {
        "variants": {"control": {}, "candidate": {"channel": "candidate"}},
        "metric": "conversion",
        "metrics": [],
        "guardrails": [{"metric": "conversion", "tolerance": 0.01}],
        "rollout": {},
    }
)


def seen(control=0.1, candidate=0.1, users=20_000, share=0.5, mixed=0) -> ExperimentResults:
    treated = round(users * share)
    counts = {"control": users - treated, "candidate": treated}
    moments = [
        Moments.of((np.arange(count) < rate * count).astype(np.float64))
        for count, rate in zip(counts.values(), (control, candidate), strict=True)
    ]
    shares = {"control": 1 - share, "candidate": share}
    return results("x", EXPERIMENT, counts, {"conversion": moments}, shares=shares, mixed=mixed)


WELL, HARM = seen(), seen(candidate=0.07)


def test_the_whole_way():
    now = 1000
    transition: Transition | None = start(OPTIONS, now)
    shares, codes = [], []
    while transition is not None:
        shares.append(transition.share_after)
        codes.append(transition.code)
        state = transition.after
        assert advance(OPTIONS, state, WELL, now + 24 * HOUR - 1) is None
        now += 24 * HOUR
        transition = advance(OPTIONS, state, WELL, now)
    assert shares == [0.01, 0.05, 0.2, 0.5, 1.0, 1.0]
    assert codes == ["started", "advanced", "advanced", "advanced", "advanced", "finished"]
    assert state.status == "finished"


def test_harm_leads_back_at_once():
    state = RolloutState("running", 2, 1000)
    transition = advance(OPTIONS, state, HARM, 1001)
    assert transition is not None
    assert (transition.code, transition.share_before, transition.share_after) == ("guardrail", 0.2, 0.0)
    assert transition.after == RolloutState("rolled_back", 2, 1001)
    assert transition.evidence["guardrails"][0]["crossed"] is True
    assert "conversion" in transition.text
    assert advance(OPTIONS, transition.after, WELL, 10**9) is None


@pytest.mark.parametrize(
    ("found", "code"),
    [(seen(users=20_000, share=0.5, mixed=1000), "mixed_users"), (HARM, "guardrail")],
)
def test_even_after_the_end(found, code):
    transition = advance(OPTIONS, RolloutState("finished", 4, 0), found, 10)
    assert transition is not None
    assert transition.code == code


def test_a_wrong_sample_ratio():
    found = replace(WELL, users={"control": 10_000, "candidate": 9_000})
    counts = {"control": 10_000, "candidate": 9_000}
    moments = {"conversion": [Moments.of(np.zeros(count)) for count in counts.values()]}
    found = results("x", EXPERIMENT, counts, moments, shares={"control": 0.5, "candidate": 0.5})
    transition = advance(OPTIONS, RolloutState("running", 3, 0), found, 10)
    assert transition is not None
    assert transition.code == "sample_ratio"


def test_too_few_users_wait():
    assert advance(OPTIONS, RolloutState("running", 0, 0), seen(users=50_000, share=0.01), 48 * HOUR) is None
    assert advance(OPTIONS, RolloutState("running", 0, 0), seen(users=200_000, share=0.01), 48 * HOUR) is not None


def test_by_hand():
    state = RolloutState("running", 1, 0)
    transition = stop(OPTIONS, state, 5, "asked for")
    assert transition is not None
    assert (transition.code, transition.text, transition.after.status) == ("stopped", "asked for", "rolled_back")
    assert stop(OPTIONS, transition.after, 6, "again") is None


def test_all_steps_share_one_alpha():
    without = EXPERIMENT.model_copy(update={"rollout": None, "alpha": 0.01})
    moments = {"conversion": [Moments.of((np.arange(5000) < 500).astype(np.float64))] * 2}
    counts = {"control": 5000, "candidate": 5000}
    shared = results("x", EXPERIMENT, counts, moments, shares={"control": 0.5, "candidate": 0.5})
    alone = results("x", without, counts, moments)
    assert shared.guardrails == alone.guardrails
    assert shared.rows == alone.rows


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(-5, 60), st.sampled_from(["well", "harm", "few"])), max_size=30))
def test_shares_rise_step_by_step_or_fall_to_nothing_for_good(looks):
    found = {"well": WELL, "harm": HARM, "few": seen(users=500)}
    now = 0
    state, share = start(OPTIONS, now).after, OPTIONS.steps[0]
    for hours, kind in looks:
        now += hours * HOUR
        transition = advance(OPTIONS, state, found[kind], now)
        if transition is None:
            assert kind != "harm" or state.status == "rolled_back"
            continue
        assert transition.before == state
        assert transition.share_before == share
        if transition.share_after:
            assert kind == "well"
            assert now - state.since >= OPTIONS.hours * HOUR
            steps = [0.0, *OPTIONS.steps]
            assert steps.index(transition.share_after) - steps.index(share) == (transition.code == "advanced")
        else:
            assert kind == "harm"
        state, share = transition.after, transition.share_after
        assert share == state.share(OPTIONS)
