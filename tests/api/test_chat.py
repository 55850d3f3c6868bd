"""`POST /chat`."""

import json

import pytest
from fastapi.testclient import TestClient

from savor.api.app import create_app
from savor.api.engine import Engine
from savor.api.security import Access
from savor.api.security_options import SecurityOptions
from savor.assistant.conversation_options import ConversationOptions
from savor.assistant.options import AssistantOptions
from savor.assistant.parts import Items
from savor.core.errors import SavorError
from tests.api.live_shop import made_database, prepared, server
from tests.api.test_security import key
from tests.assistant.grocery_shop import COFFEE, grocery_serving, names

USER = "household-3"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return made_database(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A client of a server that sells groceries, and keeps conversations in its process."""
    engine = Engine(grocery_serving(tmp_path_factory.getbasetemp()))
    patient = AssistantOptions(conversation=ConversationOptions(deadline_ms=10_000))
    return TestClient(create_app(engine, assistant=patient), raise_server_exceptions=False)


def say(client, message, conversation=None, user=USER, **more):
    body = {"user_id": user, "message": message, **more}
    if conversation is not None:
        body["conversation_id"] = conversation
    return client.post("/chat", json=body)


def events(answer):
    """Names and values of the events of a stream."""
    found = []
    for one in answer.text.strip().split("\n\n"):
        name, value = one.split("\n")
        found.append((name.removeprefix("event: "), json.loads(value.removeprefix("data: "))))
    return found


def test_a_question_in_words_is_answered_with_items(shop):
    answer = say(shop, "something quick and vegetarian for six, not pasta again")
    assert answer.status_code == 200
    body = answer.json()
    assert 0 < len(body["items"]) <= 5
    assert not names(body["items"]) & {"CHOICE BEEF", "CHICKEN WINGS", "FRZN ENTREES", "SPAGHETTI DRY"}
    assert {"item_id", "name", "category", "price", "score", "reason"} <= body["items"][0].keys()
    assert body["understood"] == {"qualities": ["quick"], "diets": ["vegetarian"], "without": ["pasta"], "people": 6}
    assert (body["words"], body["variant"], body["fallback"]) == ("plain", "control", None)
    assert body["usage"] == {"prompt_tokens": 0, "completion_tokens": 0, "cost": 0.0}
    assert len(body["conversation_id"]) == len(body["recommendation_id"]) == 32


def test_the_conversation_goes_on(shop):
    first = say(shop, "soup or coffee").json()
    second = say(shop, "the second one", first["conversation_id"]).json()
    assert [item["item_id"] for item in second["items"]] == [first["items"][1]["item_id"]]
    assert second["conversation_id"] == first["conversation_id"]


def test_it_comes_as_events_where_that_is_asked_for(shop):
    answer = say(shop, "coffee", stream=True)
    assert answer.headers["content-type"].startswith("text/event-stream")
    (first, items), (second, words), (last, done) = events(answer)
    assert (first, second, last) == ("items", "words", "done")
    assert names(items["items"]) <= COFFEE
    assert words["source"] == "plain"
    assert f"[{items['items'][0]['item_id']}]" in words["text"]
    whole = say(shop, "coffee").json()
    assert done.keys() == whole.keys() - {"items", "message"}
    for name in ("conversation_id", "recommendation_id"):
        assert items[name] == done[name]
    later = events(say(shop, "cheaper", done["conversation_id"], stream=True))
    assert later[-1][1]["want"].startswith("coffee, at most")


@pytest.mark.parametrize("error", [KeyError("rows"), SavorError("told", code="some_code")])
def test_whatever_fails_in_a_stream_is_an_event(shop, monkeypatch, error):
    def failing(self, *_, **__):
        yield Items([], "0" * 32, "1" * 32)
        raise error

    monkeypatch.setattr("savor.assistant.conversation.Assistant.answer", failing)
    (_, (name, told)) = events(say(shop, "coffee", stream=True))
    assert name == "error"
    assert told["code"] == getattr(error, "code", "internal_error")
    assert "rows" not in told["detail"]


def test_a_long_conversation_is_answered_to_its_end(registry_directory, made, tmp_path):
    with server(registry_directory, prepared(made, tmp_path)) as client:
        conversation = None
        for turn in range(45):
            answer = say(client, f"and without {chr(97 + turn % 26)}{'z' * 700}{turn}, and dairy", conversation)
            assert answer.status_code == 200
            conversation = answer.json()["conversation_id"]
        assert say(client, "and show me milk", conversation).status_code == 200


def test_ids_are_echoed_as_they_came(shop):
    assert say(shop, "coffee", user=7).json()["user_id"] == 7


def test_what_is_outside_is_declined_and_is_no_error(shop):
    body = say(shop, "who won the election?").json()
    assert body["items"] == []
    assert body["understood"]["outside_domain"] is True


@pytest.mark.parametrize("stream", [False, True])
def test_a_conversation_that_is_not_there(shop, stream):
    mine = say(shop, "coffee").json()["conversation_id"]
    for conversation, user in (("0" * 32, USER), (mine, "household-4")):
        answer = say(shop, "cheaper", conversation, user, stream=stream)
        assert answer.status_code == 404
        assert answer.json()["code"] == "conversation_unknown"


@pytest.mark.parametrize(
    "change",
    [
        {"message": ""},
        {"message": "  \n "},
        {"message": "x" * 1001},
        {"message": 5},
        {"message": None},
        {"conversation_id": "../../etc"},
        {"conversation_id": "A" * 32},
        {"stream": "yes"},
        {"user_id": ""},
        {"user_id": "a\x00b"},
        {"limit": 5},
    ],
)
def test_what_cannot_be_used_is_refused(shop, change):
    answer = shop.post("/chat", json={"user_id": USER, "message": "coffee", **change})
    assert answer.status_code == 422
    assert answer.json()["code"] == "validation_failed"


def test_a_large_body_is_refused(shop):
    assert shop.post("/chat", content=b'{"message": "' + b"x" * (2 << 20)).status_code == 413


def test_without_a_bundle_it_is_not_ready():
    answer = say(TestClient(create_app(), raise_server_exceptions=False), "coffee")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")


def test_it_remembers_in_the_database(registry_directory, made, tmp_path):
    project = prepared(made, tmp_path)
    with server(registry_directory, project) as client:
        first = say(client, "dairy under 5").json()
        assert first["items"]
    with server(registry_directory, project) as client:
        later = say(client, "something else", first["conversation_id"]).json()
        assert later["fallback"] is None
        assert later["want"] == "dairy, under 5.00 each"
        shown = {item["item_id"] for item in first["items"]}
        assert not shown & {item["item_id"] for item in later["items"]}


def test_a_key_that_reads_may_ask_and_each_message_counts_for_several(registry_directory, made, tmp_path):
    options = SecurityOptions(keys="required", requests_per_second=0.001, burst=8)
    with server(registry_directory, prepared(made, tmp_path), access=Access(options, keys=True)) as client:
        reading, device = (key(client, scope) for scope in ("read", "device"))
        asked = {"user_id": USER, "message": "dairy"}
        assert client.post("/chat", json=asked).status_code == 401
        assert client.post("/chat", json=asked, headers=device).status_code == 403
        assert client.post("/chat", json=asked, headers=reading).status_code == 200
        assert client.post("/chat", json=asked, headers=reading).status_code == 429
