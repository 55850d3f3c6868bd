import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from optuna.trial import TrialState

from savor.core.errors import ConfigError, MissingDependencyError, TrainingError
from savor.training.tracking.tracker import VALIDATION
from savor.training.tuning.results import best_of, explained, importances, trial_results
from savor.training.tuning.study import JOURNAL, WORKER, WORKERS, fail_abandoned, open_study
from savor.training.tuning.trial_tracker import TrialTracker
from savor.training.tuning.worker_lock import is_alive, worker_lock
from tests.training.tuning.known_best import PASSES, KnownBest, search
from tests.training.tuning.silent_tracker import SilentTracker

ROOT = Path(__file__).parents[3]


def run(directory: Path, trials: int, objective: Any = None, *, resume: bool = False, **changed: Any) -> Any:
    one = search(directory, objective or KnownBest(), **changed)
    one.begin(resume=resume)
    left = iter(range(trials))
    one.work(lambda: next(left, None) is not None)
    return open_study(directory, one.options, 0)


def test_it_finds_the_known_best(tmp_path: Path) -> None:
    study = run(tmp_path, 40)
    results = trial_results(study)
    assert [one.number for one in results] == list(range(40))
    assert results[0].present
    assert results[0].changes == {}
    assert results[0].value == pytest.approx(1 - (1 - 0.30103) / 2 - 0.2, abs=1e-4)
    best = best_of(results)
    assert best is not None
    assert best.changes["retrieval.width"] == 32
    assert 0.07 < best.changes["retrieval.temperature"] < 0.14
    shares = importances(study)
    assert next(iter(shares)) in {"retrieval.temperature", "retrieval.width"}
    assert all(0 <= share <= 1 for share in shares.values())
    assert "retrieval.depth" not in best.changes


def test_importance_is_the_share_of_the_spread_that_a_setting_explains() -> None:
    value = np.array([1.0, 1.0, 3.0, 3.0, 5.0, 5.0])
    assert explained(np.array([0, 0, 1, 1, 2, 2]), value) == pytest.approx(1)
    # η² = 1 - 4/16 with two groups of six: 1 - 4/16 · 5/4.
    assert explained(np.array([0, 0, 0, 0, 1, 1]), np.array([1.0, 1, 3, 3, 5, 5])) == pytest.approx(1 - 4 / 16 * 5 / 4)
    assert explained(np.array([0, 1, 0, 1, 0, 1]), value) == 0
    assert explained(np.zeros(6, np.int64), np.ones(6)) == 0


def test_the_same_seed_gives_the_same_search(tmp_path: Path) -> None:
    first, second = (trial_results(run(tmp_path / name, 8)) for name in "ab")
    assert [one.changes for one in first] == [one.changes for one in second]


def test_poor_trainings_are_ended_early(tmp_path: Path) -> None:
    objective = KnownBest()
    results = trial_results(run(tmp_path, 30, objective, tuning={"compared_with": 3}))
    ended = [one for one in results if one.state == "pruned"]
    assert ended
    assert all(one.passes < PASSES for one in ended if "below others" in one.reason)
    assert sum(objective.passes) < 30 * PASSES
    everything = KnownBest()
    run(tmp_path / "all", 30, everything, tuning={"pruner": "none"})
    assert set(everything.passes) <= {0, PASSES}


def test_a_setting_that_cannot_be_used_is_pruned_with_its_reason(tmp_path: Path) -> None:
    space = {"retrieval.temperature": {"low": 0.95, "high": 1.0}, "retrieval.width": {"choices": [64]}}
    values = {"retrieval": {"temperature": 0.1}}
    results = trial_results(run(tmp_path, 4, tuning={"space": space}, values=values))
    assert [one.state for one in results] == ["complete", "pruned", "pruned", "pruned"]
    assert {one.reason for one in results[1:]} == {"these do not go together"}


def test_a_setting_that_breaks_the_rules_of_a_section_is_pruned_with_its_reason(tmp_path: Path) -> None:
    space = {"retrieval.width": {"choices": [16, "wide"]}}
    results = trial_results(run(tmp_path, 12, tuning={"space": space}))
    (reason,) = {one.reason for one in results if one.state == "pruned"}
    assert "retrieval.width" in reason


class Failing(KnownBest):
    def __call__(self, configuration: Any, trial: Any, directory: Path) -> float:
        if trial.number:
            raise ZeroDivisionError("a fault of ours")
        return super().__call__(configuration, trial, directory)


def test_faults_are_kept_and_end_the_search_when_there_is_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"3 trials in a row failed.*a fault of ours"):
        run(tmp_path, 10, Failing())
    results = trial_results(open_study(tmp_path, search(tmp_path, None).options, 0))
    assert [one.state for one in results] == ["complete", "fail", "fail", "fail"]
    assert "ZeroDivisionError" in (tmp_path / "trials" / "0001" / "error.txt").read_text()


class Lacking(KnownBest):
    def __call__(self, configuration: Any, trial: Any, directory: Path) -> float:
        raise MissingDependencyError("wandb", "track")


def test_what_every_trial_lacks_ends_the_search_at_once(tmp_path: Path) -> None:
    with pytest.raises(MissingDependencyError):
        run(tmp_path, 10, Lacking())


def test_going_on_keeps_what_was_tried(tmp_path: Path) -> None:
    before = trial_results(run(tmp_path, 5))
    after = trial_results(run(tmp_path, 5, resume=True))
    assert after[:5] == before
    assert len(after) == 10
    assert len({str(one.changes) for one in after}) == 10


def test_going_on_must_be_asked_for_and_must_be_comparable(tmp_path: Path) -> None:
    run(tmp_path, 2)
    with pytest.raises(ConfigError, match=r"--resume"):
        run(tmp_path, 2)
    with pytest.raises(ConfigError, match=r"retrieval\.model was 'flat' and is 'deep'"):
        run(tmp_path, 2, resume=True, values={"retrieval": {"model": "deep"}})
    with pytest.raises(ConfigError, match="the data was 'd' and is 'other'"):
        run(tmp_path, 2, resume=True, **{"the data": "other"})
    with pytest.raises(ConfigError, match=r"the choices of retrieval\.width"):
        run(tmp_path, 2, resume=True, tuning={"space": {"retrieval.width": {"choices": [8, 16]}}})
    # A key that is tuned may have any value in the meantime, as after the winner was written.
    assert len(trial_results(run(tmp_path, 1, resume=True, values={"retrieval": {"temperature": 0.1}}))) == 3


def test_a_present_setting_outside_the_space_runs_as_it_is(tmp_path: Path) -> None:
    results = trial_results(run(tmp_path, 1, values={"retrieval": {"temperature": 2.0, "width": 48}}))
    assert results[0].present
    assert results[0].value == pytest.approx(1 - 1.30103 / 2 - 0.2, abs=1e-4)


def test_a_killed_worker_leaves_a_failed_trial_and_the_others_go_on(tmp_path: Path) -> None:
    search(tmp_path, KnownBest()).begin(resume=False)
    command = [sys.executable, "-m", "tests.training.tuning.known_best", str(tmp_path)]
    workers = [subprocess.Popen([*command, str(number)], cwd=ROOT) for number in (1, 2)]
    try:
        options = search(tmp_path, None).options

        def states() -> list[str]:
            return [one.state for one in trial_results(open_study(tmp_path, options, 0))]

        def signed() -> int:
            trials = open_study(tmp_path, options, 0).get_trials(states=(TrialState.RUNNING,))
            return sum(WORKER in trial.user_attrs for trial in trials)

        wait_until(lambda: signed() == 2 and "complete" in states())
        workers[0].send_signal(signal.SIGKILL)
        workers[0].wait()
        study = open_study(tmp_path, options, 0)
        wait_until(lambda: len(fail_abandoned(study, tmp_path)) == 1)
        done = states().count("complete") + states().count("pruned")
        wait_until(lambda: states().count("complete") + states().count("pruned") > done + 1)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    fail_abandoned(study, tmp_path)
    killed = [one for one in trial_results(study) if one.state == "fail"]
    assert {one.reason for one in killed} == {"its process was killed"}
    before = [one for one in trial_results(study) if one.state == "complete"]
    after = trial_results(run(tmp_path, 3, resume=True))
    assert all(one in after for one in before)


def wait_until(happened: Any) -> None:
    deadline = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_worker_is_known_to_be_alive_by_its_lock(tmp_path: Path) -> None:
    with worker_lock(tmp_path / WORKERS) as name:
        assert is_alive(tmp_path / WORKERS, name)
    assert not is_alive(tmp_path / WORKERS, name)
    assert not is_alive(tmp_path / WORKERS, "unheard-of")


def test_trainings_that_watch_another_metric_are_not_compared(tmp_path: Path) -> None:
    study = run(tmp_path, 6, tuning={"compared_with": 1})
    trial = study.ask()
    tracker = TrialTracker(trial, SilentTracker())
    tracker.scalars({VALIDATION + "hr@1": -5.0}, 1)
    tracker.scalars({VALIDATION + "hr@1": -5.0}, 2)
    assert not trial.storage.get_trial(trial._trial_id).intermediate_values


def test_the_record_is_one_file(tmp_path: Path) -> None:
    run(tmp_path, 1)
    assert (tmp_path / JOURNAL).stat().st_size > 0


def test_without_optuna_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingDependencyError, match=r"savor\[tune\]"):
        search(tmp_path, KnownBest()).begin(resume=False)
