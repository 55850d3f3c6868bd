"""The page about experiments says what is so."""

import re
from pathlib import Path

import pytest
from pydantic import Field

from savor.core.config import Section, parse_config
from savor.online.drift.options import DriftOptions
from savor.online.experiments.metrics import METRICS
from savor.online.experiments.options import Experiments, ExplorationOptions
from savor.online.experiments.results import Verdict

DOCS = Path(__file__).parents[2] / "docs"


class Project(Section):
    experiments: Experiments = Field(default_factory=dict)


@pytest.fixture(scope="module")
def page() -> str:
    return (DOCS / "experiments.md").read_text(encoding="utf-8")


def test_the_examples_are_valid(page: str) -> None:
    examples = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    read = [parse_config(example, Project).experiments for example in examples]
    assert [list(one) for one in read] == [["ranker"], ["new_bundle"]]
    assert read[1]["new_bundle"].rollout is not None


def test_metrics_verdicts_and_methods_are_the_real_ones(page: str) -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| (higher|lower) \|$", page, re.MULTILINE)
    assert rows == [(name, metric.meaning, metric.better) for name, metric in METRICS.items()]
    verdicts = page.split("| verdict | when |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)`", verdicts, re.MULTILINE)) == set(Verdict.__args__)  # type: ignore[attr-defined]
    methods = page.split("| method |")[1].split("\n\n")[0]
    annotation = ExplorationOptions.model_fields["method"].annotation
    assert annotation is not None
    assert re.findall(r"^\| `(\w+)`", methods, re.MULTILINE) == list(annotation.__args__)


def test_the_keys_of_drift_are_the_real_ones() -> None:
    monitoring = (DOCS / "monitoring.md").read_text(encoding="utf-8").split("`[drift]`")[1]
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", monitoring, re.MULTILINE)
    defaults = {name: field.default for name, field in DriftOptions.model_fields.items()}
    assert {name: float(value) for name, value in rows} == defaults
