import json
from html.parser import HTMLParser

import numpy as np
import pytest
from rich.console import Console

from savor.core.errors import DataError, SavorError
from savor.evaluation.evaluate import evaluate_lists
from savor.evaluation.holdout import Holdout
from savor.evaluation.protocol import describe_protocol
from savor.evaluation.report_html import render_html, write_report_html
from savor.evaluation.report_json import read_report_json, report_document, write_report_json
from savor.evaluation.report_table import report_tables
from savor.evaluation.tuning import refit, tune
from savor.models.baselines.families import FAMILIES
from savor.models.ranked import Ranked
from tests.evaluation.evaluation_fixtures import DAY, ROWS, Sizes, events_of


def world():
    """60 users of 30 items: each has five favourites of ten tastes, taken again and again."""
    generator = np.random.default_rng(0)
    rows = []
    for user in range(60):
        favourites = (user % 10) * 3 + np.arange(3)
        for day in range(0, 100, 5):
            item = generator.choice(favourites) if generator.random() < 0.8 else generator.integers(0, 30)
            rows.append((user, int(item), day, int(day >= 60) + int(day >= 80)))
    return events_of(sorted(rows, key=lambda row: row[2]))


@pytest.fixture(scope="module")
def document():
    events, sizes = world(), Sizes(number_of_users=60, number_of_items=30)
    families = [
        family for family in FAMILIES if family.name in ("popularity", "recent_popularity", "own_frequency", "ease")
    ]
    tuned = tune(
        events.select(events.split == 0),
        {task: h for task, h in Holdout.by_task(events, 1, cut=60 * DAY, **sizes).items() if task in ("all", "new")},
        now=60 * DAY,
        families=families,
        **sizes,
    )
    holdouts = Holdout.by_task(events, 2, cut=80 * DAY, **sizes)
    lists = refit(tuned, events.select(events.split < 2), holdouts, now=80 * DAY, k=20, **sizes)
    results = [
        evaluate_lists(
            holdouts[task],
            lists[task],
            resamples=100,
            reference="ease",
            item_category=np.arange(30, dtype=np.int32) // 3,
        )
        for task in ("all", "new")
    ]
    protocol = describe_protocol(
        holdouts["all"],
        {"method": "temporal", "hash": "abc"},
        seeds=[1, 2],
        refitted=True,
        query_time_is_input=True,
        number_of_users=60,
        tuned={name: one.as_json() for name, one in tuned.items()},
    )
    training = {"two_tower": [{"epoch": e, "loss": 3 - e, "examples_per_second": 1e4 * e} for e in (1, 2)]}
    return report_document(protocol, results, training=training)


def test_shape(document):
    assert set(document["tasks"]) == {"all", "new"}
    assert set(document["tasks"]["all"]) == {"popularity", "recent_popularity", "own_frequency", "ease"}
    assert set(document["tasks"]["new"]) == {"popularity", "recent_popularity", "ease"}
    for models in document["tasks"].values():
        for row in models.values():
            assert {"ndcg@10", "recall_min@20", "coverage@10", "gini@10", "novelty@10", "diversity@10"} <= set(row)
            assert "ndcg@100" not in row
            for value in row.values():
                assert set(value) == {"mean", "low", "high"}
                assert value["low"] - 1e-9 <= value["mean"] <= value["high"] + 1e-9
    assert document["protocol"]["split_hash"] == "abc"
    assert document["protocol"]["seeds"] == [1, 2]
    assert document["differences"]["all"]["reference"] == "ease"
    assert sum(document["exposure"]["all"]["ease"]) == pytest.approx(1)


def test_the_better_model_is_better(document):
    everything = document["tasks"]["all"]
    assert everything["own_frequency"]["ndcg@10"]["low"] > everything["popularity"]["ndcg@10"]["high"]
    assert document["differences"]["all"]["against"]["popularity"]["ndcg@10"]["low"] > 0


def test_tuning_chooses_the_best_of_each_task(document):
    for one in document["protocol"]["baselines"].values():
        for task, params in one["best"].items():
            best = max(trial["ndcg@10"][task] for trial in one["trials"])
            assert best == next(trial["ndcg@10"][task] for trial in one["trials"] if trial["params"] == params)


def test_json_round_trip(document, tmp_path):
    write_report_json(document, tmp_path / "reports" / "evaluation.json")
    assert read_report_json(tmp_path / "reports" / "evaluation.json") == json.loads(json.dumps(document))
    for content in (None, "{", "[]"):
        path = tmp_path / "other.json"
        if content is not None:
            path.write_text(content)
        with pytest.raises(DataError, match="savor evaluate"):
            read_report_json(path)


def test_html_is_whole_and_fetches_nothing(document, tmp_path):
    write_report_html(document, tmp_path / "evaluation.html", title="A <shop>")
    page = (tmp_path / "evaluation.html").read_text(encoding="utf-8")
    opened: list[str] = []

    class Check(HTMLParser):
        charts = 0

        def handle_starttag(self, tag, attrs):
            assert not {"src", "href", "srcset"} & {name for name, _ in attrs}
            assert not any(name.startswith("on") for name, _ in attrs)
            Check.charts += tag == "svg"
            if tag not in ("meta", "br"):
                opened.append(tag)

        def handle_startendtag(self, tag, attrs):
            pass

        def handle_endtag(self, tag):
            assert opened.pop() == tag

    Check().feed(page)
    assert not opened
    assert Check.charts == 2 * 2 + 4 + 3 + 2
    assert "A &lt;shop&gt;" in page
    assert "abc" in page
    for forbidden in ("http:", "https:", "url(", "@import", "<script"):
        assert forbidden not in page


def test_names_of_models_cannot_break_the_page(document):
    hostile = {**document, "tasks": {"all": {"<b onload=x>": document["tasks"]["all"]["ease"]}}}
    assert "<b onload" not in render_html(hostile)


def test_tables_read_well(document):
    console = Console(width=220, record=True, quiet=True)
    tables = report_tables(document)
    assert len(tables) == 2
    for table in tables:
        console.print(table)
    assert next(iter(tables[0].columns[0].cells)) == "own_frequency"


def test_cold_tasks_stand_beside_the_warm_ones():
    holdouts = Holdout.by_task(events_of(ROWS), 2, cut=5 * DAY, number_of_users=5, number_of_items=5)
    lists = {"popularity": np.array([[1, 0, 2]], np.int32)}
    results = [evaluate_lists(holdouts[t], lists, cutoffs=(2,), resamples=10) for t in ("cold_users", "cold_items")]
    document = report_document({"tasks": holdouts["all"].counts}, results)
    assert document["tasks"] == {}
    assert document["cold_users"]["popularity"]["mrr@2"]["mean"] == 0.5
    assert document["cold_items"]["popularity"]["recall@2"]["mean"] == 0
    assert "Users without a history" in render_html(document)


def test_misuse_is_a_clear_error():
    holdout = Holdout.from_events(events_of(ROWS), 2, cut=5 * DAY, number_of_users=5, number_of_items=5)
    lists = np.array([[1, 2], [1, 0]], np.int32)
    with pytest.raises(SavorError, match="shortest cutoff"):
        evaluate_lists(holdout, {"a": lists})
    with pytest.raises(SavorError, match="reference"):
        evaluate_lists(holdout, {"a": lists}, cutoffs=(2,), reference="b")


def test_scores_make_ties_count_against_the_model():
    holdout = Holdout.from_events(events_of(ROWS), 2, cut=5 * DAY, number_of_users=5, number_of_items=5)
    lists = np.array([[1, 3], [1, 3]], np.int32)
    kept = evaluate_lists(holdout, {"a": lists}, cutoffs=(2,), resamples=5)
    tied = evaluate_lists(holdout, {"a": Ranked(lists, np.ones((2, 2), np.float32))}, cutoffs=(2,), resamples=5)
    assert kept.metrics["a"]["mrr@2"].mean == 1
    assert tied.metrics["a"]["mrr@2"].mean == 0.5
