import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from savor.bench.config import read_benchmark
from savor.bench.export import export_split
from savor.bench.peer import run_peer
from savor.bench.prepare import prepare
from savor.bench.protocol import protocol_of
from savor.bench.questions import Questions
from savor.bench.ranking_models import answer
from savor.bench.run import run_benchmark
from savor.core.errors import DataError


@pytest.fixture
def exported(suite, data, tmp_path):
    benchmark = read_benchmark(suite.find("made-up"))
    _, options = protocol_of(benchmark)
    return export_split(prepare(benchmark, suite, data), options, tmp_path / "split")


def test_the_split_has_everything_known_and_nothing_of_the_test(exported, suite, data):
    events = pq.read_table(exported / "events.parquet").to_pydict()
    protocol = json.loads((exported / "protocol.json").read_text())
    assert protocol["exclude_seen"] == {"new": True}
    assert len(events["user"]) == 40 * 5
    assert sum(events["validation"]) == 40
    of_first = [place for user, place in zip(events["user"], events["place"], strict=True) if user == 0]
    assert of_first == [0, 1, 2, 3, 4]
    with np.load(exported / "questions-new.npz") as questions:
        assert questions["users"].tolist() == list(range(40))


def test_lists_made_elsewhere_get_the_same_figures(suite, data, tmp_path, exported):
    path = suite.find("made-up")
    benchmark = read_benchmark(path)
    _, options = protocol_of(benchmark)
    prepared = prepare(benchmark, suite, data)
    own = answer(prepared, Questions.of(prepared.dataset, options), 5, benchmark.models[1], 7, tmp_path)
    lists = tmp_path / "lists.npz"
    about = json.dumps({"fit_seconds": 1.5, "version": "2", "seeds": [3]})
    np.savez(lists, **{"items/new": own.arrays["items/new"].astype(np.int64), "about": about})  # type: ignore[arg-type]
    (found,) = run_peer(path, suite, data, lists=lists, model="theirs", command="x").models
    (right,) = run_benchmark(path, suite, data, command="x", only=("knn",)).models
    assert found.figures["new"]["hr@5"] == right.figures["new"]["hr@5"]
    assert (found.kind, found.fit_seconds, found.details, found.seeds) == ("peer", 1.5, {"version": "2"}, (3,))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"items/all": np.zeros((40, 5), np.int32)}, "no lists of the task 'new'"),
        ({"items/new": np.zeros((39, 5), np.int32)}, "40 questions"),
        ({"items/new": np.full((40, 5), 20)}, "there are 20"),
    ],
)
def test_lists_that_do_not_fit_are_refused(suite, data, tmp_path, arrays, message):
    lists = tmp_path / "lists.npz"
    np.savez(lists, **arrays)
    with pytest.raises(DataError, match=message):
        run_peer(suite.find("made-up"), suite, data, lists=lists, model="theirs", command="x")
    lists.write_text("nothing")
    with pytest.raises(DataError, match="cannot be read"):
        run_peer(suite.find("made-up"), suite, data, lists=lists, model="theirs", command="x")
