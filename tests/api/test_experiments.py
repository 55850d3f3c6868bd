"""Experiments over HTTP: declared, started, shown, bought, concluded."""

import shutil
import time
from typing import Any

import pytest
from fastapi.testclient import TestClient

from savor.api.app import create_app
from savor.api.live import Live
from savor.api.serve import load_engine
from savor.online.experiments.options import ExperimentOptions
from savor.online.stores.errors import StoreAwayError
from savor.online.stores.options import StoreOptions

DECLARED: dict[str, dict[str, Any]] = {
    "ranker": {
        "variants": {"control": {}, "new_only": {"scenario": "discover"}},
        "metric": "ctr",
        "least_users": 2,
        "guardrails": [{"metric": "fallback_rate", "tolerance": 0.5}],
        "exploration": {"share": 1.0, "pool": 15},
        "scenarios": ["home"],
    },
    "release": {
        "variants": {"control": {}, "candidate": {"channel": "candidate"}},
        "metric": "conversion",
        "guardrails": [{"metric": "conversion", "tolerance": 0.02}],
        "rollout": {"steps": [0.5, 1.0]},
    },
}


def declared(**others):
    return {name: ExperimentOptions.model_validate(value) for name, value in {**DECLARED, **others}.items()}


@pytest.fixture(scope="module")
def made_project(tmp_path_factory):
    """A project folder whose database has its tables."""
    folder = tmp_path_factory.mktemp("project")
    live = Live.open(StoreOptions(), folder)
    live.stores.database.ping()
    live.close()
    return folder


@pytest.fixture
def project(made_project, tmp_path):
    return shutil.copytree(made_project, tmp_path / "project")


@pytest.fixture
def serve(registry_directory, project):
    opened = []

    def begin(experiments=None):
        live = Live.open(StoreOptions(), project)
        engine = load_engine(registry_directory, over_states=live.over)
        app = create_app(engine, live=live, experiments=declared() if experiments is None else experiments)
        client = TestClient(app, raise_server_exceptions=False)
        client.__enter__()
        opened.append(client)
        return client

    yield begin
    for client in opened:
        client.__exit__(None, None, None)


def ok(response):
    assert response.status_code == 200, response.text
    return response.json()


def recommend(client, user, **body):
    return ok(client.post("/recommendations", json={"user_id": user, "num_recommendations": 5, **body}))


def test_a_whole_experiment(serve):
    client = serve()
    (release, ranker) = sorted(
        ok(client.get("/experiments"))["experiments"], key=lambda one: one["name"], reverse=True
    )[::-1]
    assert {release["name"], ranker["name"]} == {"ranker", "release"}
    assert all(one["status"] == "draft" for one in (release, ranker))
    assert recommend(client, "household-3")["variant"] == "control"

    begun = ok(client.post("/experiments/ranker/start"))
    assert (begun["status"], begun["changes"][0]["code"]) == ("running", "started")
    users = [f"household-{number}" for number in range(20)]
    seen = {"control": 0, "new_only": 0}
    for user in users:
        answer = recommend(client, user)
        assignment = ok(client.get("/experiments/ranker/assignment", params={"user_id": user}))
        assert answer["variant"] == f"ranker={assignment['variant']}"
        assert recommend(client, user)["variant"] == answer["variant"]
        seen[assignment["variant"]] += 1
        first = answer["recommendations"][0]["item_id"]
        event = {
            "user_id": user,
            "kind": "click" if assignment["variant"] == "control" else "view",
            "item_id": first,
            "recommendation_id": answer["recommendation_id"],
            "variant": answer["variant"],
        }
        ok(client.post("/events", json=event))
        assert recommend(client, user, scenario="discover")["variant"] == "control"
    assert min(seen.values()) > 2

    found = ok(client.get("/experiments/ranker/results"))
    assert found["users"] == seen
    means = {(row["metric"], row["variant"]): row["mean"]["value"] for row in found["metrics"]}
    assert means["ctr", "control"] == pytest.approx(1 / 10)
    assert means["ctr", "new_only"] == 0
    assert found["decision"]["verdict"] == "continue"
    assert found["sample_ratio"]["mismatch"] is False

    text = client.get("/metrics").text
    shown = f'savor_experiment_exposures_total{{experiment="ranker",variant="control"}} {2.0 * seen["control"]}'
    assert shown in text
    assert 'savor_explored_total{scenario="home",variant="ranker=new_only"}' in text
    clicks = f'savor_clicks_total{{scenario="home",variant="ranker=control"}} {float(seen["control"])}'
    assert clicks in text

    assert ok(client.post("/experiments/ranker/stop", json={"reason": "seen enough"}))["status"] == "stopped"
    assert recommend(client, users[0])["variant"] == "control"
    assert ok(client.get("/experiments/ranker/results"))["users"] == seen


def test_propensities_of_what_was_shown_are_kept(serve):
    client = serve()
    ok(client.post("/experiments/ranker/start"))
    answer = recommend(client, "household-3")
    ok(client.get("/experiments/ranker/results"))
    store = client.app.state.live.stores.experiments
    rows = store.exposures_after("ranker", 0).rows
    assert rows.item_id == [one["item_id"] for one in answer["recommendations"]]
    assert rows.position.tolist() == [0, 1, 2, 3, 4]
    drawn = 1 / (5 * 10)
    assert sorted(rows.propensity.tolist()) == pytest.approx([drawn, *[1 - 1 / 5] * 4])


def test_pages_are_logged_at_their_places(serve):
    client = serve()
    ok(client.post("/experiments/ranker/start"))
    first = recommend(client, "household-3")
    second = recommend(client, "household-3", cursor=first["next_cursor"])
    assert second["recommendation_id"] == first["recommendation_id"]
    ok(client.get("/experiments/ranker/results"))
    rows = client.app.state.live.stores.experiments.exposures_after("ranker", 0).rows
    assert rows.position.tolist() == list(range(10))


def test_every_server_and_a_restarted_one_agree(serve):
    first, second = serve(), serve()
    ok(first.post("/experiments/ranker/start"))
    variant = recommend(first, "household-3")["variant"]
    for _ in range(200):
        if recommend(second, "household-3")["variant"] == variant:
            break
        time.sleep(0.05)
    else:
        pytest.fail("the other server never took part")
    assert ok(serve({}).get("/experiments"))["experiments"][0]["name"] == "ranker"


def test_a_running_experiment_keeps_its_options(serve):
    ok(serve().post("/experiments/ranker/start"))
    changed = {**DECLARED["ranker"], "metric": "conversion"}
    again = serve(declared(ranker=changed))
    for _ in range(200):
        shown = ok(again.get("/experiments/ranker"))
        if shown["status"] == "running":
            break
        time.sleep(0.05)
    assert (shown["metric"], shown["differs_from_file"]) == ("ctr", True)
    ok(again.post("/experiments/ranker/stop"))
    assert ok(again.post("/experiments/ranker/start"))["metric"] == "conversion"


def test_a_variant_whose_bundle_is_not_there_is_answered_by_the_live_one(serve):
    client = serve()
    ok(client.post("/experiments/release/start"))
    ok(client.post("/experiments/release/ramp", json={"share": 1.0}))
    answer = recommend(client, "household-3")
    assert answer["variant"] == "release=candidate"
    assert answer["num_recommendations"] == 5
    assert answer["fallback"].startswith("variant_unavailable: ")
    assert 'savor_rollout_share{experiment="release"} 1.0' in client.get("/metrics").text


@pytest.mark.parametrize(
    ("call", "body", "status", "code"),
    [
        ("none/start", None, 404, "experiment_unknown"),
        ("none/results", "get", 404, "experiment_unknown"),
        ("ranker/stop", None, 409, "experiment_state"),
        ("ranker/ramp", {"share": 0.5}, 409, "experiment_state"),
        ("ranker/ramp", {"share": 2}, 422, "validation_failed"),
        ("ranker/ramp", {}, 422, "validation_failed"),
        ("ranker/stop", {"because": "x"}, 422, "validation_failed"),
        ("Bad%20Name/start", None, 422, "validation_failed"),
        ("ranker/assignment", "get", 422, "validation_failed"),
    ],
)
def test_problems(serve, call, body, status, code):
    client = serve()
    response = client.get(f"/experiments/{call}") if body == "get" else client.post(f"/experiments/{call}", json=body)
    assert response.status_code == status, response.text
    assert response.json()["code"] == code


def test_starting_twice_and_ramping_back_are_refused(serve):
    client = serve()
    ok(client.post("/experiments/release/start"))
    assert client.post("/experiments/release/start").json()["code"] == "experiment_state"
    assert client.post("/experiments/release/ramp", json={"share": 0.3}).json()["code"] == "share_invalid"


def test_without_a_database_experiments_are_shown_and_cannot_be_started(registry_directory):
    client = TestClient(
        create_app(load_engine(registry_directory), experiments=declared()), raise_server_exceptions=False
    )
    assert len(ok(client.get("/experiments"))["experiments"]) == 2
    refused = client.post("/experiments/ranker/start")
    assert (refused.status_code, refused.json()["code"]) == (503, "store_away")
    assert recommend(client, "household-3")["variant"] == "control"


def test_answers_go_on_while_the_store_is_away(serve, monkeypatch):
    client = serve()
    ok(client.post("/experiments/ranker/start"))
    variant = recommend(client, "household-3")["variant"]
    live = client.app.state.live

    def away(*_, **__):
        raise StoreAwayError("away")

    for name in ("definitions", "expose", "observe_events", "events_read", "pass_over_events"):
        monkeypatch.setattr(live.stores.experiments, name, away)
    assert recommend(client, "household-3")["variant"] == variant
    assert client.post("/experiments/ranker/stop").status_code == 503
    monkeypatch.undo()
    ok(client.get("/experiments/ranker/results"))
    rows = live.stores.experiments.exposures_after("ranker", 0).rows
    assert len(set(rows.recommendation_id)) == 2


def test_changes_are_in_the_audit(serve):
    client = serve()
    ok(client.post("/experiments/ranker/start"))
    ok(client.post("/experiments/ranker/stop", json={"reason": "enough"}))
    entries = client.app.state.live.stores.audit.latest(2)
    assert [(one.action, one.subject, one.actor) for one in entries] == [
        ("experiment.stop", "ranker", "loopback"),
        ("experiment.start", "ranker", "loopback"),
    ]


def test_another_bundle_is_judged_by_what_exploration_showed(serve):
    judged = {**DECLARED["ranker"], "judge": "live", "variants": {"control": {}, "other": {}}}
    client = serve(declared(ranker=judged))
    ok(client.post("/experiments/ranker/start"))
    live = client.app.state.experiments
    for _ in range(200):
        if live.bundle_of("live"):
            break
        time.sleep(0.05)
    users = [f"household-{number}" for number in range(15)]
    for user in (*users, *users):
        recommend(client, user)
    client.app.state.judge.wait()
    found = ok(client.get("/experiments/ranker/off_policy"))
    assert (found["channel"], found["lists"], found["rounds"]) == ("live", 30, 150)
    assert found["logged"] == 0
    assert found["problem"] is None
    rounds = live.rounds("ranker", bought=False)
    same = (rounds.target == 1).reshape(30, 5)
    agree = same.sum(axis=1) == 4
    assert agree.sum() >= 20  # a list whose ranker had no time on a busy machine is another list
    drawn = rounds.propensity.reshape(30, 5)[agree][~same[agree]]
    assert drawn.tolist() == pytest.approx([1 / 50] * len(drawn))
    assert client.get("/experiments/release/off_policy").json()["code"] == "experiment_state"
