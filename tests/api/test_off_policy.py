"""Off-policy estimates from the log of an experiment, where the truth is known."""

import numpy as np
import pytest

from savor.api.off_policy import off_policy
from savor.online.experiments.assignment import Assignment
from savor.online.experiments.experiment import Experiment
from savor.online.experiments.experiment_log import ExperimentLog, Rounds
from savor.online.experiments.exploration import explore
from savor.online.experiments.exposure_log import ExposureLog, ShownList
from savor.online.experiments.options import ExperimentOptions, ExplorationOptions
from savor.online.experiments.outcome_recorder import CLICK
from savor.online.stores.experiment_store import OutcomeBatch
from tests.online.experiments.conftest import made_database, shop  # noqa: F401 - fixtures

NOW, MICRO = 1_700_000_000, 1_000_000
PLACES, POOL = 4, 12
CLICK_OF_ITEM = np.linspace(0.5, 0.06, POOL)[np.random.default_rng(2).permutation(POOL)]
SEEN_AT = np.array([1.0, 0.8, 0.6, 0.5])


def logged(lists, seed, target, share=1.0):
    """What a swapping log says of a policy that always shows the items of `target`."""
    generator = np.random.default_rng(seed)
    options = ExplorationOptions(share=share, pool=POOL)
    scores = np.linspace(1, 0, POOL).astype(np.float32)
    columns: list[list[np.ndarray]] = [[], [], [], [], []]
    for number in range(lists):
        drawn = explore(options, scores, PLACES, f"{seed}-{number}")
        chances = CLICK_OF_ITEM[drawn.positions] * SEEN_AT
        values = (
            np.full(PLACES, number),
            np.arange(PLACES),
            (generator.random(PLACES) < chances).astype(np.float64),
            drawn.propensities(),
            (drawn.positions == target).astype(np.float64),
        )
        for column, value in zip(columns, values, strict=True):
            column.append(value)
    return Rounds(*(np.concatenate(column) for column in columns))


@pytest.mark.parametrize("target", [[0, 1, 2, 3], [7, 1, 2, 3], [0, 9, 2, 3]])
def test_intervals_cover_the_truth(target):
    truth = float((CLICK_OF_ITEM[target] * SEEN_AT).mean())
    held = dict.fromkeys(("ips", "snips", "dr"), 0)
    for seed in range(5):
        found = off_policy(logged(1200, seed, target))
        assert found["problem"] is None
        assert found["mean_weight"] == pytest.approx(1, abs=0.2)
        for name in held:
            held[name] += found[name]["low"] <= truth <= found[name]["high"]
    assert min(held.values()) >= 4


def test_an_estimate_tells_a_better_policy_from_a_worse_one():
    order = np.argsort(-CLICK_OF_ITEM[PLACES:]) + PLACES
    better, worse = ([int(at), 1, 2, 3] for at in (order[0], order[-1]))
    good, bad = (off_policy(logged(2000, 1, target))["snips"] for target in (better, worse))
    assert good["low"] > bad["high"]


def test_too_little_or_nothing_in_common_is_said():
    assert "are needed" in off_policy(logged(5, 1, [0, 1, 2, 3]))["problem"]
    assert "never chooses" in off_policy(logged(200, 1, [3, 2, 1, 0]))["problem"]
    nothing = np.empty(0)
    empty = off_policy(Rounds(nothing.astype(np.int64), nothing.astype(np.int64), nothing, nothing, nothing))
    assert (empty["rounds"], empty["logged"], empty["ips"]) == (0, None, None)


def test_rounds_are_read_from_the_store(shop):  # noqa: F811
    options = ExperimentOptions.model_validate(
        {"variants": {"control": {}, "other": {}}, "exploration": {"share": 0.5}, "judge": "candidate"}
    )
    running = Experiment("ranker", options).started(NOW)
    log = ExposureLog(shop.experiments)

    def show(name, variant, number, items, chances=None):
        shown = ShownList(
            f"r{number}",
            "ann",
            (Assignment(name, variant),),
            items,
            None if chances is None else lambda: np.array(chances),
            False,
            0.01,
            (NOW + number) * MICRO,
        )
        log.add(shown)

    show("ranker", "control", 1, ["a", "b"], [0.9, 0.05])
    show("~ranker", "judged", 1, ["a", "c"])
    show("ranker", "control", 2, ["b", "a"], [0.4, 0.6])
    show("~ranker", "judged", 2, ["a", "b"])
    show("ranker", "control", 3, ["a", "b"], [0.5, 0.5])
    log.flush()
    outcome = ("o1", "ranker", "control", "ann", CLICK, 1.0, "b", "r1", (NOW + 9) * MICRO, (NOW + 9) * MICRO)
    shop.experiments.observe(OutcomeBatch.from_rows([outcome])).result()
    logs = [ExperimentLog(shop.experiments, name) for name in ("ranker", "~ranker")]
    for one in logs:
        one.read()
    rounds = logs[0].rounds(running, logs[1], bought=False)
    assert rounds.position.tolist() == [0, 1, 0, 1]
    assert rounds.propensity.tolist() == [0.9, 0.05, 0.4, 0.6]
    assert rounds.reward.tolist() == [0, 1, 0, 0]
    assert rounds.target.tolist() == [1, 0, 0, 0]
    assert logs[0].rounds(running, logs[1], bought=True).reward.tolist() == [0, 0, 0, 0]
