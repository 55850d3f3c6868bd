from pathlib import Path

import pytest

from savor.bench.entry import ModelEntry, RunEntry
from savor.bench.log import append_run, entry_text, read_runs
from savor.bench.results import latest, results_text
from savor.bench.suite import Suite
from savor.core.errors import DataError

CHECKOUT = Suite(Path(__file__).parents[2])


def figures(mean: float) -> dict[str, dict[str, dict[str, float | None]]]:
    return {"new": {"hr@10": {"mean": mean, "low": mean - 0.1, "high": mean + 0.1, "spread": 0.01}}}


def run(split: str = "s", at: str = "2026-01-01 00:00", **models: ModelEntry) -> RunEntry:
    return RunEntry(
        benchmark="b",
        title="A task",
        at=at,
        command="savor bench quality b",
        protocol={"kind": "ranking", "tasks": ["new"], "metrics": ["hr@10"], "questions": {}},
        dataset={"split_hash": split},
        machine={"processors": 2, "memory_gib": 24, "architecture": "x", "python": "3", "threads": "1"},
        versions={},
        models=tuple(models.values()),
    )


def model(name: str, mean: float | None = None, **keys) -> ModelEntry:
    return ModelEntry(name=name, kind="k", figures={} if mean is None else figures(mean), **keys)


def test_the_results_of_the_checkout_are_what_its_log_gives():
    assert CHECKOUT.results.read_text(encoding="utf-8") == results_text(read_runs(CHECKOUT.log)), "savor bench results"


def test_a_later_run_takes_the_place_of_an_earlier_one_model_by_model():
    first = run(a=model("a", 0.5), b=model("b", 0.4))
    second = run(b=model("b", 0.6))
    (merged,) = latest([first, second])
    assert {one.name: one.mean("new", "hr@10") for one in merged.models} == {"a": 0.5, "b": 0.6}


def test_figures_of_another_split_do_not_stand_beside_each_other():
    (merged,) = latest([run("one", a=model("a", 0.5)), run("two", b=model("b", 0.6))])
    assert [one.name for one in merged.models] == ["b"]


def test_a_failure_does_not_wipe_out_a_figure():
    (merged,) = latest([run(a=model("a", 0.5)), run(a=model("a", failed="no memory"))])
    assert merged.models[0].mean("new", "hr@10") == 0.5


def test_the_log_keeps_what_is_written_by_hand(tmp_path):
    path = tmp_path / "LOG.md"
    path.write_text("# Log\n\n```json\n{}\n```\n")
    for mean in (0.5, 0.6):
        append_run(path, run(a=model("a", mean)))
    assert path.read_text().startswith("# Log\n\n```json\n{}\n```\n\n## 2026")
    assert [one.models[0].mean("new", "hr@10") for one in read_runs(path)] == [0.5, 0.6]
    assert read_runs(tmp_path / "absent.md") == []
    path.write_text(path.read_text().replace('"benchmark":"b"', '"colour":"b"'))
    with pytest.raises(DataError, match="no run of a benchmark"):
        read_runs(path)


def test_figures_as_people_read_them():
    text = entry_text(run(a=model("a", 0.5, seeds=(1, 2), fit_seconds=300.0, peak_mb=1500)))
    assert "| a | .5000 [.4000, .6000] ±.0100 | 2 | 5 min | 1,500 MB |" in text


def test_lower_is_better_comes_first():
    entry = run(a=model("a", 0.9), b=model("b", 0.8))
    renamed = entry.model_dump_json().replace("hr@10", "rmse")
    text = entry_text(RunEntry.model_validate_json(renamed))
    assert text.index("| b |") < text.index("| a |")


def test_what_the_reference_is_worth_stands_below_the_table():
    other = model("a", 0.4, differences={"new": {"hr@10": {"mean": 0.1, "low": -0.02, "high": 0.22, "spread": None}}})
    entry = run(a=other, b=model("b", 0.5))
    entry = entry.model_copy(update={"protocol": {**entry.protocol, "reference": "b"}})
    assert "Paired by user, hr@10 of b minus: a +.1000 [-.0200, .2200]." in entry_text(entry)
