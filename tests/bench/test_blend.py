import numpy as np
import pytest

from savor.bench.blend import best_weights, blend
from savor.bench.config import read_benchmark
from savor.bench.kept import Kept
from savor.bench.outcome import Outcome
from savor.bench.run import run_benchmark
from savor.data.histories import Histories, History
from savor.evaluation.holdout import Holdout
from savor.models.ranked import Ranked

BLENDED = """
[[models]]
name = "blended"
kind = "blend"
[models.params]
members = ["knn", "popularity"]
"""


@pytest.fixture(autouse=True)
def few_threads(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def lists(items, scores) -> Ranked:
    return Ranked(np.array(items, np.int32), np.array(scores, np.float32))


def test_sums_standard_scores_whatever_the_scale():
    small = lists([[0, 1, 2]], [[3, 2, 1]])
    large = lists([[2, 1, 0]], [[3000, 2000, 1000]])
    mixed = blend([small, large], (0.7, 0.3), 4, 3)
    assert mixed.items.tolist() == [[0, 1, 2]]
    # Standard scores of 1, 2, 3 are -sqrt(3/2), 0 and sqrt(3/2).
    assert mixed.scores[0] == pytest.approx([0.4 * 1.5**0.5, 0, -0.4 * 1.5**0.5])


def test_what_a_list_leaves_out_stands_below_its_last_and_what_all_leave_out_stays_out():
    one, other = lists([[5, 6]], [[2, 1]]), lists([[7, -1]], [[4, -np.inf]])
    mixed = blend([one, other], (0.5, 0.5), 9, 4)
    assert mixed.items[0, 0] == 5
    assert set(mixed.items[0].tolist()) == {5, 6, 7, -1}
    assert np.isneginf(mixed.scores[0, 3])


def test_weights_are_those_that_are_best_on_the_questions():
    right, wrong = lists([[1, 2], [3, 4]], [[2, 1], [2, 1]]), lists([[2, 1], [4, 3]], [[2, 1], [2, 1]])
    holdout = question_of([1, 3])
    weights, value = best_weights([wrong, right], holdout)
    assert weights[1] > weights[0]
    assert value == 1.0


def question_of(items: list[int]) -> Holdout:
    """One right answer for each user, of whom nothing is known."""
    users = np.arange(len(items), dtype=np.int32)
    nothing = History.empty()
    return Holdout(
        task="new",
        users=users,
        now=np.zeros(len(items), np.int64),
        histories=Histories(indptr=np.zeros(len(items) + 1, np.int64), **vars(nothing)),
        indptr=np.arange(len(items) + 1),
        items=np.array(items, np.int32),
        number_of_items=6,
        counts={},
    )


def test_an_answer_is_found_again_by_what_it_follows_from(tmp_path, suite):
    benchmark = read_benchmark(suite.find("made-up"))
    popularity, knn = benchmark.models
    kept = Kept(tmp_path / "answers", benchmark)
    outcome = Outcome({"items/new": np.array([[1, 2]], np.int32)}, 1.5, 0.25, 100.0, {"passes": 3})
    assert kept.find(popularity, 7) is None
    kept.save(popularity, 7, outcome)
    found = kept.find(popularity.model_copy(update={"name": "another name"}), 7)
    assert found is not None
    assert found.arrays["items/new"].tolist() == [[1, 2]]
    assert (found.fit_seconds, found.details) == (1.5, {"passes": 3})
    assert kept.find(popularity, 8) is None
    assert kept.find(knn, 7) is None


def test_a_kept_answer_stands_for_a_training(suite, data, monkeypatch):
    path = suite.find("made-up")
    first = run_benchmark(path, suite, data, command="x", only=("knn",))
    monkeypatch.setattr("savor.bench.run.run_in_child", None)
    again = run_benchmark(path, suite, data, command="x", only=("knn",), resume=True)
    assert again.models[0].figures == first.models[0].figures


def test_a_blend_is_made_of_what_the_others_answered(suite, data):
    path = suite.find("made-up")
    text = path.read_text().replace('kind = "item_knn"', 'kind = "item_knn"\nvalidated = true')
    path.write_text(text.replace('kind = "popularity"', 'kind = "popularity"\nvalidated = true') + BLENDED)
    entry = run_benchmark(path, suite, data, command="x")
    blended = entry.models[2]
    assert not blended.failed
    assert blended.details["chosen"]["new"]["weights"]["knn"] > 0
    assert blended.mean("new", "hr@5") == 1.0


def test_a_blend_of_what_never_ran_says_what_to_run(suite, data):
    path = suite.find("made-up")
    path.write_text(path.read_text() + BLENDED)
    (blended,) = run_benchmark(path, suite, data, command="x", only=("blended",)).models
    assert "run knn" in blended.failed or "run popularity" in blended.failed
