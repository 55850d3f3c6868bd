"""`RESULTS.md`, made from the log."""

from collections.abc import Sequence
from pathlib import Path

from savor.bench.entry import ModelEntry, RunEntry
from savor.bench.log import read_runs
from savor.bench.suite import Suite
from savor.bench.table import run_table
from savor.core.files import write_text_atomic

NOTICE = "<!-- Written by `savor bench results` from LOG.md; run benchmarks instead of editing. -->"


def latest(runs: Sequence[RunEntry]) -> list[RunEntry]:
    """One entry for each benchmark, by name: the last run, with the last figures of every model of the same questions.

    Models that only an earlier run had are kept if data, split and protocol were the same. A failed run does not take
    the place of one with figures.
    """
    by_name: dict[str, RunEntry] = {}
    for run in runs:
        before = by_name.get(run.benchmark)
        models: dict[str, ModelEntry] = {}
        if before is not None and _asks(before) == _asks(run):
            models = {model.name: model for model in before.models}
        for model in run.models:
            if not model.failed or model.name not in models:
                models[model.name] = model
        by_name[run.benchmark] = run.model_copy(update={"models": tuple(models.values())})
    return [by_name[name] for name in sorted(by_name)]


def _asks(run: RunEntry) -> tuple[object, ...]:
    asked = {key: run.protocol.get(key) for key in ("kind", "questions", "exclude_seen", "cold_items", "newcomers")}
    return (run.dataset.get("split_hash"), run.dataset.get("fingerprint"), *asked.values())


def results_text(runs: Sequence[RunEntry]) -> str:
    """The page."""
    lines = [
        NOTICE,
        "",
        "# Results",
        "",
        "The latest figures of every model on every benchmark, beside par (the best published or measured) and goal.",
        "Means over the seeds, with 95% intervals by bootstrap over users; ± is the standard deviation over seeds.",
        "Ranking is over the full catalogue; ties count against the model. Configurations stand in `quality/`, every",
        "run with its command, versions and machine in `LOG.md`; what the words mean, in `docs/benchmarks.md`.",
    ]
    for run in latest(runs):
        lines += ["", f"## {run.benchmark}", "", f"{run.title}. {_protocol_line(run)}", "", *run_table(run)]
    return "\n".join(lines) + "\n"


def write_results(suite: Suite) -> Path:
    """Write `RESULTS.md` anew."""
    write_text_atomic(suite.results, results_text(read_runs(suite.log)))
    return suite.results


def _protocol_line(run: RunEntry) -> str:
    protocol, parts = run.protocol, [f"Last run {run.at} UTC"]
    if split := run.dataset.get("split_hash"):
        parts.append(f"split `{split[:16]}`")
    questions = protocol.get("questions", {})
    for task, counts in questions.items():
        parts.append(f"{counts['users']:,} {'rounds' if 'rewards' in counts else 'users'} ({task})")
    if "cold_items" in protocol:
        parts.append(f"cold items {protocol['cold_items']}")
    if "query_time_is_input" in protocol:
        parts.append("query time given" if protocol["query_time_is_input"] else "query time not given")
    refit = {model.refit for model in run.models}
    if len(refit) == 1 and "candidates" in protocol:
        parts.append("refitted on train and validation" if refit.pop() else "not refitted")
    return ", ".join(parts) + "."
