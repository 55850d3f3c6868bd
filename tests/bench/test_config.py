import tomllib
from pathlib import Path

import pytest

from savor.bench.config import BEST, Benchmark, merged, read_benchmark
from savor.bench.protocol import KINDS, protocol_of
from savor.bench.suite import Suite
from savor.core.errors import ConfigError, DataError
from tests.bench.conftest import RANKING

CHECKOUT = Suite(Path(__file__).parents[2])


def parse(text: str) -> Benchmark:
    return Benchmark.model_validate(tomllib.loads(text))


def test_sections_and_defaults_reach_every_model():
    text = RANKING + (
        '\n[[models]]\nname = "towers"\nkind = "two_tower"\n[models.retrieval]\nepochs = 3\n'
        "[models.features]\ntext = false\n[defaults]\nseeds = [1, 2]\n"
        "[defaults.retrieval]\nepochs = 9\nbatch_size = 64\n"
    )
    models = {model.name: model for model in parse(text).models}
    assert models["towers"].sections["retrieval"] == {"epochs": 3, "batch_size": 64}
    assert models["towers"].sections["features"] == {"text": False}
    assert models["popularity"].seeds == (1, 2)


def test_merged_goes_table_by_table():
    assert merged({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"c": 4}, "d": {"e": 5}}) == {
        "a": {"b": 1, "c": 4},
        "d": {"e": 5},
    }


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "knn"', 'name = "popularity"', "two models are called 'popularity'"),
        ("attributes = false", "colour = 1", "unknown key"),
        ('name = "amazon-beauty"', 'name = "nowhere"', "no known data set"),
        ('kind = "item_knn"', 'kind = "item_knn"\nspeed = 3', "unknown key"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, old, new, message):
    path = tmp_path / "wrong.toml"
    path.write_text(RANKING.replace(old, new))
    with pytest.raises(ConfigError, match=message):
        read_benchmark(path)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ('kind = "magic"', "is none of"),
        ('kind = "popularity"\n[models.features]\ntext = true', "no sections"),
        ('kind = "two_tower"\nparams = { a = 1 }', "no params"),
        ('kind = "two_tower"\n[models.retrieval]\nepoch = 3', "retrieval.epoch"),
        ('kind = "two_tower"\n[models.magic]\nepoch = 3', "no such section"),
        ('kind = "gf_cf"\nrefit = false', "refit"),
    ],
)
def test_a_model_is_checked_before_anything_runs(model, message):
    benchmark = parse(f'{RANKING}\n[[models]]\nname = "last"\n{model}\n')
    kind, _ = protocol_of(benchmark)
    with pytest.raises(ConfigError, match=message):
        kind.check(benchmark.models[-1])


def test_names_and_paths(suite, tmp_path):
    assert suite.names() == ["made-up"]
    assert suite.find("made-up") == suite.quality / "made-up.toml"
    assert suite.find(str(suite.quality / "made-up.toml")).is_file()
    with pytest.raises(DataError, match="there are: made-up"):
        suite.find("other")
    with pytest.raises(DataError, match="-C"):
        Suite(tmp_path / "nowhere").find("made-up")


def test_only_and_seeds():
    benchmark = parse(RANKING.replace('name = "knn"', 'name = "knn"\nseeds = [1, 2, 3]'))
    (chosen,) = benchmark.chosen(("knn",), 2)
    assert chosen.seeds == (1, 2)
    with pytest.raises(ConfigError, match="no model is called"):
        benchmark.chosen(("other",), None)


@pytest.mark.parametrize("name", CHECKOUT.names())
def test_every_benchmark_of_the_checkout_is_right(name):
    benchmark = read_benchmark(CHECKOUT.find(name))
    assert benchmark.kind in KINDS
    kind, options = protocol_of(benchmark)
    for model in benchmark.models:
        kind.check(model)
    tasks = getattr(options, "tasks", ("",))
    named = {par.task for par in benchmark.par} | {goal.task for goal in benchmark.goal}
    assert named <= {"", *tasks}
    known = {model.name for model in benchmark.models}
    assert {goal.above for goal in benchmark.goal if goal.above} <= {*known, BEST}
