from dataclasses import replace

import pytest

from savor.core.errors import SavorError
from savor.online.experiments.experiment import Experiment
from savor.online.experiments.options import ExperimentOptions
from savor.online.experiments.plan import Planner
from tests.online.experiments.test_rollout import EXPERIMENT, HARM, HOUR, WELL

PLAIN = ExperimentOptions.model_validate({"variants": {"control": {"weight": 3}, "other": {}}, "share": 0.2})


def experiment(**others):
    return replace(Experiment("ranker", PLAIN), **others)


def test_its_life():
    draft = experiment()
    assert not draft.running
    with pytest.raises(SavorError, match="not running"):
        draft.stopped(5)
    running = draft.started(10)
    assert (running.status, running.since) == ("running", 10)
    with pytest.raises(SavorError, match="running already"):
        running.started(11)
    stopped = running.stopped(20, "enough")
    assert (stopped.status, stopped.since) == ("stopped", 10)
    again = stopped.started(30)
    assert again.since == 30
    assert [change["code"] for change in again.changes] == ["started", "stopped", "started"]
    assert again.changes[1]["text"] == "enough"
    assert Experiment.from_json("ranker", again.as_json(), 4) == replace(again, version=4)


def test_more_users_may_take_part_and_none_leave():
    running = experiment().started(10)
    ramped = running.ramped(0.5, 20)
    assert ramped.options.share == 0.5
    assert ramped.since == 10
    before, after = Planner({"ranker": running}), Planner({"ranker": ramped})
    users = [f"u{number}" for number in range(2000)]
    for user in users:
        assert set(before.assign(user)) <= set(after.assign(user))
    assert sum(bool(after.assign(user)) for user in users) > sum(bool(before.assign(user)) for user in users)
    for share in (0.2, 0.1, 1.1):
        with pytest.raises(SavorError, match="above"):
            running.ramped(share, 20)


def test_a_running_one_keeps_its_options():
    other = PLAIN.model_copy(update={"metric": "ctr"})
    assert experiment().redeclared(other).options == other
    running = experiment().started(1)
    assert running.redeclared(other) is running


def test_shares():
    assert experiment().shares == {"control": 0.75, "other": 0.25}
    rolled = Experiment("new", EXPERIMENT)
    assert rolled.shares == {"control": 1.0, "candidate": 0.0}
    assert rolled.started(5).shares == {"control": 0.99, "candidate": 0.01}


def test_a_roll_out_goes_on_and_is_taken_back():
    running = Experiment("new", EXPERIMENT).started(0)
    assert running.looked(WELL, HOUR) is running
    further = running.looked(WELL, 24 * HOUR)
    assert further.shares["candidate"] == 0.05
    assert further.since == 24 * HOUR
    back = further.looked(HARM, 24 * HOUR + 5)
    assert (back.status, back.changes[-1]["code"]) == ("stopped", "guardrail")
    assert back.shares["candidate"] == 0
    assert back.since == 24 * HOUR
    assert back.shares_of_period["candidate"] == 0.05
    assert back.looked(WELL, 90 * HOUR) is back
    assert not Planner({"new": back}).assign("ann")


def test_a_roll_out_goes_further_by_hand_and_by_its_steps_only():
    running = Experiment("new", EXPERIMENT).started(0)
    assert running.ramped(0.2, 7).shares["candidate"] == 0.2
    assert running.ramped(0.2, 7).since == 7
    with pytest.raises(SavorError, match="steps yet to come"):
        running.ramped(0.3, 7)
    with pytest.raises(SavorError, match="steps yet to come"):
        running.ramped(0.2, 7).ramped(0.05, 8)
    assert running.stopped(9).changes[-1]["code"] == "stopped"
