"""One list of names: what the API shows, what rules and dashboard ask for, what the page says."""

import json
import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from savor.api.metrics import Metrics
from savor.online.metric_names import BY_NAME, METRIC_NAMES

ROOT = Path(__file__).parents[2]
SERIES = {series: metric for metric in METRIC_NAMES for series in metric.series}
FILES = (
    "deploy/prometheus/alerts.yml",
    "deploy/prometheus/alerts_test.yml",
    "deploy/prometheus/alerts_week_test.yml",
    "deploy/grafana/dashboard.json",
)


def expressions(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("expr", "query", "definition") and isinstance(value, str):
                yield value
            else:
                yield from expressions(value)
    elif isinstance(node, list):
        for value in node:
            yield from expressions(value)


def dashboard():
    return json.loads((ROOT / FILES[-1]).read_text(encoding="utf-8"))


def test_names_are_well_formed():
    assert len(BY_NAME) == len(METRIC_NAMES)
    for metric in METRIC_NAMES:
        assert re.fullmatch(r"savor_[a-z_]+", metric.name)
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert metric.help.endswith(".")
        assert not set(metric.labels) & {"le", "job", "instance"}


def test_what_the_api_shows_is_declared():
    metrics = Metrics()
    metrics.serving("abc")
    metrics.answered("/rank", 200, 0.1)
    metrics.refused()
    families = {family.name: family for family in text_string_to_metric_families(metrics.text().decode())}
    assert {"savor_bundle_info", "savor_requests", "savor_request_seconds"} <= families.keys()
    for family in families.values():
        declared = BY_NAME[f"{family.name}_total" if family.type == "counter" else family.name]
        assert family.type == declared.kind
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(declared.labels)


@pytest.mark.parametrize("file", FILES)
def test_what_is_asked_for_is_declared(file):
    asked = set(re.findall(r"\bsavor_[a-z_]+", (ROOT / file).read_text(encoding="utf-8")))
    assert asked
    assert asked <= SERIES.keys()


@pytest.mark.parametrize("file", FILES[:-1])
def test_labels_that_are_asked_for_are_declared(file):
    check_labels((ROOT / file).read_text(encoding="utf-8"))


def test_labels_of_the_dashboard_are_declared():
    for expression in expressions(dashboard()):
        check_labels(expression)


def check_labels(text):
    for name, selector in re.findall(r"\b(savor_[a-z_]+)\{([^}]*)\}", text):
        asked = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector))
        assert asked <= {*SERIES[name].labels, "le", "job", "instance"}, (name, asked)


def test_the_dashboard_shows_every_metric():
    shown = set(re.findall(r"\bsavor_[a-z_]+", " ".join(expressions(dashboard()))))
    assert {SERIES[series].name for series in shown} == set(BY_NAME)


def test_the_page_lists_every_metric():
    page = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `(savor_[a-z_]+)` \| ([^|]*) \|", page, re.MULTILINE))
    assert list(listed) == list(BY_NAME)
    for name, labels in listed.items():
        assert tuple(re.findall(r"`(\w+)`", labels)) == BY_NAME[name].labels


def test_the_page_lists_every_alert():
    page = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    rules = (ROOT / FILES[0]).read_text(encoding="utf-8")
    assert re.findall(r"^\| `(Savor\w+)`", page, re.MULTILINE) == re.findall(r"alert: (\w+)", rules)
