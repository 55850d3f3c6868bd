import numpy as np
import pytest

from savor.bench.config import read_benchmark
from savor.bench.prepare import prepare
from savor.bench.protocol import protocol_of
from savor.bench.questions import Questions
from savor.core.errors import TrainingError
from savor.data.splits import TEST
from savor.training.tower_recommender import TowerRecommender
from tests.bench.conftest import write_lines

TOWERS = """
[[models]]
name = "towers"
kind = "two_tower"
seeds = [3]
[models.features]
text = false
history_length = 8
minimum_count = 1
[models.retrieval]
embedding_dimension = 16
hidden = [32]
id_width = 8
history_width = 16
history_heads = 2
batch_size = 64
epochs = 10
learning_rate = 0.02
temperature = 0.2
"""


@pytest.mark.slow
def test_a_retriever_is_stopped_on_validation_and_fitted_again(suite, tmp_path, monkeypatch):
    write_lines(tmp_path / "more" / "beauty", users=200)
    path = suite.find("made-up")
    path.write_text(path.read_text() + TOWERS)
    benchmark = read_benchmark(path)
    prepared = prepare(benchmark, suite, tmp_path / "more")
    kind, options = protocol_of(benchmark)
    spec = benchmark.models[-1]
    kind.check(spec)
    fitted = []
    train = TowerRecommender._train

    def remember(self, events, now, options, validation):
        fitted.append((len(events), options.retrieval.epochs, validation is not None))
        if validation is not None:
            train(self, events, now, options, validation)

    monkeypatch.setattr(TowerRecommender, "_train", remember)
    answer = kind.answer(prepared, options, spec, 3, tmp_path / "training")
    assert fitted == [(800, 10, True), (1000, answer.details["best_pass"], False)]
    items = answer.arrays["items/new"]
    questions = Questions.of(prepared.dataset, options)
    parity = np.array([int(prepared.dataset.user_ids[user]) % 2 for user in questions.test["new"].users])
    right = np.array([[int(prepared.dataset.item_ids[item]) % 2 for item in row] for row in items]) == parity[:, None]
    assert right[:, 0].mean() > 0.8
    known = prepared.dataset.events.select(prepared.dataset.events.split < TEST)
    for user, row in zip(questions.test["new"].users, items, strict=True):
        assert not np.isin(row, known.item[known.user == user]).any()
    scores = kind.score(prepared, options, {"towers": [answer.arrays, answer.arrays]})
    assert scores.figures["towers"]["new"]["hr@5"].spread == 0
    assert answer.details["weights"] > 0


def test_an_unfitted_retriever_says_so(suite, data, tmp_path):
    from savor.bench.sections import stages_of

    path = suite.find("made-up")
    path.write_text(path.read_text() + TOWERS)
    benchmark = read_benchmark(path)
    stages = stages_of(prepare(benchmark, suite, data), benchmark.models[-1], 3, tmp_path, {})
    with pytest.raises(TrainingError, match="not fitted"):
        TowerRecommender(stages, tmp_path).number_of_weights()
