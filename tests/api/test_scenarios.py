"""Scenarios and pages over HTTP."""

import orjson
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from savor.api.app import create_app
from savor.api.cursor import Cursor
from savor.api.engine import Engine
from savor.api.requests import RecommendationRequest
from savor.api.serve import load_engine
from savor.core.errors import SavorError
from savor.online.experiments.options import ExplorationOptions
from savor.online.experiments.plan import Plan
from savor.pipeline.build import build_serving
from savor.pipeline.fairness.options import FairnessOptions, GroupOptions
from savor.pipeline.options import Diversity, PipelineOptions
from tests.api.test_problems import check
from tests.api.test_recommendations import USER, post


def shown(answer):
    return [item["item_id"] for item in answer["recommendations"]]


def test_scenarios_are_listed(client):
    found = client.get("/scenarios").json()
    by_name = {one["name"]: one for one in found["scenarios"]}
    assert set(by_name) == {"home", "discover", "basket", "item_page", "search", "buy_again"}
    assert by_name["basket"]["sources"] == ["together"]
    assert by_name["basket"]["wants"] == "items"
    assert by_name["discover"]["exclude_seen"] is True
    assert by_name["home"]["stages"][0] == "user"
    assert len(by_name["search"]["hash"]) == 64


@pytest.mark.parametrize(
    ("scenario", "context", "reasons"),
    [
        ("basket", {"basket": ["1003", 1011]}, {"bought_together"}),
        ("item_page", {"item_id": 1005}, {"bought_together", "similar_item"}),
        ("search", {"query": "dairy"}, {"search_words"}),
        ("buy_again", {}, {"repeat_rhythm", "bought_before"}),
    ],
)
def test_each_is_what_it_is_about(client, scenario, context, reasons):
    answer = post(client, "/recommendations", user_id=USER, scenario=scenario, context=context, num_recommendations=5)
    assert answer["num_recommendations"] == 5
    assert answer["fallback"] is None
    assert {item["reason"]["code"] for item in answer["recommendations"]} <= reasons
    assert not {"1003", "1011", "1005"} & set(shown(answer)) or scenario in ("search", "buy_again")


@pytest.mark.parametrize(
    "context",
    [
        {"basket": "1003"},
        {"basket": [""]},
        {"basket": ["a\u0000"]},
        {"basket": ["1"] * 201},
        {"basket": [["1"]]},
        {"item_id": ["1"]},
        {"item_id": 1.5},
        {"item_id": "x" * 257},
        {"query": 3},
        {"query": "x" * 1001},
        {"other": ["1"]},
    ],
)
def test_context_that_means_nothing(client, context):
    document = check(
        client.post("/recommendations", json={"user_id": USER, "context": context}), 422, "validation_failed"
    )
    assert all(error["field"].startswith("context") for error in document["errors"])


def test_pages_of_one_list(client):
    answer = post(client, "/recommendations", user_id=USER, num_recommendations=7)
    pages, first = [shown(answer)], answer
    while answer["next_cursor"] is not None:
        answer = post(client, "/recommendations", user_id=USER, num_recommendations=7, cursor=answer["next_cursor"])
        assert answer["recommendation_id"] == first["recommendation_id"]
        pages.append(shown(answer))
    items = [item for page in pages for item in page]
    assert len(items) == len(set(items)) == 59
    assert [len(page) for page in pages] == [7] * 8 + [3]
    whole = post(client, "/recommendations", user_id=USER, num_recommendations=35)
    assert items[:35] == shown(whole)


def test_a_cursor_is_for_one_user_and_scenario(client):
    cursor = post(client, "/recommendations", user_id=USER)["next_cursor"]
    for body in ({"user_id": "household-4"}, {"user_id": USER, "scenario": "discover"}):
        check(client.post("/recommendations", json={**body, "cursor": cursor}), 422, "cursor_invalid")
    assert post(client, "/recommendations", user_id=USER, cursor=cursor)["num_recommendations"] == 10


@given(st.text(max_size=80) | st.binary(max_size=80).map(lambda raw: orjson.dumps(raw.hex()).decode()))
def test_hostile_cursors_are_refused(text):
    with pytest.raises(SavorError) as caught:
        Cursor.decode(text, "a", "home")
    assert caught.value.code == "cursor_invalid"


@given(
    st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=30),
    st.text(max_size=20),
    st.integers(0, 2**40 - 1),
)
def test_cursors_come_back_as_they_went(ids, user, now):
    cursor = Cursor("0" * 32, now, tuple(ids))
    try:
        text = cursor.encode(user, "home")
    except TypeError:  # a lone surrogate, which no id of a catalogue holds
        return
    assert text is not None
    assert Cursor.decode(text, user, "home") == cursor


def test_forged_content_is_refused():
    from base64 import urlsafe_b64encode

    from savor.api.cursor import _key

    good = [1, _key("a", "home"), "0" * 32, 5, ["x"]]
    for place, value in [
        (0, 2),
        (1, "z"),
        (2, "short"),
        (2, 7),
        (3, True),
        (3, -1),
        (4, []),
        (4, [3]),
        (4, ["x"] * 1000),
    ]:
        content = [*good[:place], value, *good[place + 1 :]]
        with pytest.raises(SavorError):
            Cursor.decode(urlsafe_b64encode(orjson.dumps(content)).decode(), "a", "home")
    assert Cursor.decode(urlsafe_b64encode(orjson.dumps(good)).decode(), "a", "home").shown == ("x",)


def test_a_list_ends_at_a_thousand_items():
    assert Cursor("0" * 32, 5, tuple(str(number) for number in range(1000))).encode("a", "home") is None
    assert Cursor("0" * 32, 5, ("x" * 256,) * 999).encode("a", "home") is None


def test_an_old_list_goes_on_at_the_present_moment():
    cursor = Cursor("0" * 32, 1_000_000, ("a",))
    assert cursor.moment(1_000_100) == 1_000_000
    assert cursor.moment(2_000_000) == 2_000_000


def test_pages_survive_another_bundle(registry_directory):
    """Rows mean other items there; ids mean the same."""
    engine = load_engine(registry_directory)
    answer, _ = engine.recommend(RecommendationRequest(user_id=USER))
    other = Engine(build_serving(engine.serving.bundle, PipelineOptions(sources=("trending",))))
    body = RecommendationRequest(user_id=USER, cursor=answer["next_cursor"])
    assert not set(shown(other.recommend(body)[0])) & set(shown(answer))


def test_exposure_of_groups_is_shown(registry_directory):
    groups = {"fruits": GroupOptions(filter={"department": {"eq": "fruit"}}, share=0.4)}
    engine = load_engine(registry_directory, options=PipelineOptions(fairness=FairnessOptions(groups=groups)))
    client = TestClient(create_app(engine))
    post(client, "/recommendations", user_id=USER)
    text = client.get("/metrics").text
    assert 'savor_exposure_target{group="fruits"} 0.4' in text
    assert 'savor_exposure_share{group="fruits"} ' in text


def test_a_plan_of_experiments_changes_the_list(registry_directory):
    engine = load_engine(registry_directory, options=PipelineOptions(diversity=Diversity(mmr=0.0)))
    body = RecommendationRequest(user_id=USER, num_recommendations=20)
    plain, _ = engine.recommend(body)
    changed, _ = engine.recommend(body, Plan(USER, "home", weights={"mmr": 0.9}))
    assert shown(changed) != shown(plain)
    assert changed["variant"] == plain["variant"] == "control"
    other, result = engine.recommend(body, Plan(USER, "discover"))
    assert not set(shown(other)) & {reason for reason in shown(plain) if reason in _own(engine)}
    drawn, result = engine.recommend(body, Plan(USER, "home", exploration=ExplorationOptions(share=1.0)))
    assert result.explored is not None
    assert result.explored.drawn
    page, result = engine.recommend(
        body.model_copy(update={"cursor": drawn["next_cursor"]}),
        Plan(USER, "home", exploration=ExplorationOptions(share=1.0)),
    )
    assert result.explored is None
    assert not set(shown(page)) & set(shown(drawn))
    strange, _ = engine.recommend(body, Plan(USER, "nowhere", weights={"colour": 1.0}))
    assert shown(strange) == shown(plain)
    assert "scenario_unknown" in strange["fallback"]
    assert "weight_unknown" in strange["fallback"]


def _own(engine):
    serving = engine.serving
    return {serving.catalogue.ids[row] for row in serving.states.history(USER, serving.clock()).item.tolist()}


def test_time_that_is_up_leaves_an_answer(registry_directory):
    engine = load_engine(registry_directory, options=PipelineOptions(deadline_ms=1e-6))
    answer, _ = engine.recommend(RecommendationRequest(user_id=USER))
    assert answer["num_recommendations"] == 10
    assert "ranker_deadline" in answer["fallback"]
    patient, _ = engine.recommend(RecommendationRequest(user_id=USER), patient=True)
    assert patient["fallback"] is None
