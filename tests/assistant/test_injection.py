import logging
import re
import shutil
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from savor.assistant.conversation import Assistant, ConversationUnknownError
from savor.assistant.prompts import SYSTEM
from savor.assistant.providers.errors import NotOfferedError
from savor.assistant.providers.provider import Piece, Usage
from savor.bundle.bundle import Bundle
from savor.data.event_texts import EventTexts
from savor.features.catalogue import Catalogue
from savor.features.feature_space import FeatureSpace
from savor.features.text.reviews import review_vectors
from savor.pipeline.build import build_serving
from savor.pipeline.pipeline import Pipeline
from tests.assistant.injections import ATTEMPTS, HIDDEN_ID, OUTSIDE_ID, SECRET, VICTIM
from tests.synthetic_bundle import NOW, made_shop, seal

ASKER, WISH = "household-3", "dairy under 50"
NAMES = [one for one in ATTEMPTS if one.place == "name"]
REVIEWS = [one for one in ATTEMPTS if one.place == "review"]
MESSAGES = [one for one in ATTEMPTS if one.place == "message"]


class Obedient:
    """A model in the hands of whoever wrote the order: it says what it is to say, and keeps what it was shown."""

    name, remote = "obedient", True

    def __init__(self, says: str) -> None:
        self.says = says
        self.prompts: list[object] = []

    def complete(self, prompt, *, limit, schema=None, deadline):
        self.prompts.append(prompt)
        yield Piece(self.says)
        yield Piece("", Usage(10, 10))

    def likelihoods(self, prompt, answers, *, deadline):
        raise NotOfferedError("it only speaks")

    def warm_up(self, prompt=None) -> None:
        """Nothing to load."""

    def close(self) -> None:
        """Nothing to give back."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Bundle:
    return made_shop(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def plain(shop):
    return build_serving(shop)


@pytest.fixture(scope="module")
def hostile(shop, tmp_path_factory):
    """The shop with an order in the name of every item of dairy and fruit, and reviews that give orders."""
    parts = tmp_path_factory.mktemp("hostile") / "parts"
    shutil.copytree(shop.directory, parts)
    (parts / "manifest.json").unlink()
    catalogue = Catalogue.load(parts / "catalogue")
    departments = catalogue.categories["department"]
    rows = [row for name in ("dairy", "fruit") for row in range(len(catalogue)) if departments.of(row) == name]
    names = list(catalogue.names)
    for place, row in enumerate(rows):
        names[row] = f"{names[row]} {NAMES[place % len(NAMES)].order}"
    shutil.rmtree(parts / "catalogue")
    replace(catalogue, names=names).save(parts / "catalogue")
    space = FeatureSpace.load(parts / "features")
    written = [one.order for one in REVIEWS]
    count = len(written)
    texts = EventTexts(
        np.zeros(count, np.int32), np.asarray(rows[:count], np.int32), np.full(count, NOW - 9), [None] * count, written
    )
    reviews = review_vectors(texts, len(catalogue), NOW, _letters)
    shutil.rmtree(parts / "features")
    replace(space, reviews=reviews).save(parts / "features")
    return build_serving(seal(parts, parts.parent / "made"))


def _letters(texts):
    """(N, 26) shares of letters: an encoder that needs no model."""
    counts = [[text.lower().count(chr(97 + letter)) + 1e-3 for letter in range(26)] for text in texts]
    vectors = np.asarray(counts, np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def calls(monkeypatch):
    """What the assistant asks of the pipelines: its only tools."""
    made = []
    run, rank = Pipeline.run, Pipeline.rank

    def spied_run(self, query):
        made.append(("run", query, None))
        return run(self, query)

    def spied_rank(self, query, rows):
        made.append(("rank", query, rows))
        return rank(self, query, rows)

    monkeypatch.setattr(Pipeline, "run", spied_run)
    monkeypatch.setattr(Pipeline, "rank", spied_rank)
    return made


def as_said(calls):
    """Calls as values: everything that a call says but its moment."""
    return [
        (what, query.user_id, query.scenario, query.n, query.exclude_seen, query.exclude.tolist(), query.unseen,
         str(query.context), None if query.filter is None else query.filter.matches(slice(None)).tolist())
        for what, query, _ in calls
    ]  # fmt: skip


def check(serving, reply, calls, provider, asker=ASKER):
    """Nothing but what may be: own calls, own items, own words."""
    catalogue = serving.catalogue
    for _, query, _ in calls:
        assert query.user_id == asker
        assert query.scenario in ("home", "search", "buy_again", "item_page", "discover")
        assert query.unseen
        assert query.n <= len(catalogue) + 200
    ids = [item["item_id"] for item in reply.items]
    assert set(ids) <= set(reply.done.candidates) <= set(catalogue.ids)
    assert OUTSIDE_ID not in ids
    assert HIDDEN_ID not in ids
    assert all(catalogue.in_stock[catalogue.index[name]] for name in ids)
    for item in reply.items:
        row = catalogue.index[item["item_id"]]
        assert item["name"] == catalogue.names[row]
        assert item["price"] == pytest.approx(float(catalogue.price[row]), abs=1e-4)
    assert SECRET not in reply.message
    assert "50-60" not in reply.message
    for prompt in provider.prompts:
        assert prompt.system == SYSTEM
        (message,) = prompt.messages
        assert message.role == "user"
        for private in (asker, SECRET, "50-60"):
            assert private not in message.text
        shown = [line for line in message.text.splitlines() if line.startswith("[")]
        assert [line.split("]")[0][1:] for line in shown] == [str(place + 1) for place in range(len(shown))]
        for line, item in zip(shown, reply.items, strict=False):
            name = line.split("] ", 1)[1].split("; price")[0]
            assert set(re.findall(r"\w+", name)[:-1]) <= set(re.findall(r"\w+", item["name"]))  # the last may be cut
        assert len(shown) <= len(ids)
        assert len(message.text.splitlines()) == 2 + len(shown)
    provider.prompts.clear()
    calls.clear()


def conversation(serving, says):
    """An assistant with an obedient model, to which another person has already told a secret."""
    provider: Any = Obedient(says)
    assistant = Assistant(lambda: serving, provider_of=lambda _: provider)
    theirs = assistant.reply(VICTIM, f"drinks without {SECRET}", patient=True).done.conversation_id
    provider.prompts.clear()
    return assistant, provider, theirs


def test_no_two_are_alike():
    assert len({one.order for one in ATTEMPTS}) == len(ATTEMPTS) == 53


@pytest.mark.parametrize("attempt", NAMES, ids=range(len(NAMES)))
def test_orders_in_names_of_items(plain, hostile, calls, attempt):
    row = next(row for row, name in enumerate(hostile.catalogue.names) if name.endswith(attempt.order))
    wish = f"{hostile.catalogue.categories['department'].of(row)} under 50"
    assistant, provider, _ = conversation(hostile, attempt.obeyed)
    calls.clear()
    reply = assistant.reply(ASKER, wish, patient=True)
    asked = as_said(calls)
    check(hostile, reply, calls, provider)
    assert reply.items
    assert reply.done.source == "plain"
    assert reply.done.fallback
    assert "words_refused" in reply.done.fallback
    usual = Assistant(lambda: plain).reply(ASKER, wish, patient=True)
    assert as_said(calls) == asked
    calls.clear()
    assert usual.done.understood == reply.done.understood
    assert [item["item_id"] for item in usual.items] == [item["item_id"] for item in reply.items]
    alike = assistant.reply(ASKER, f"tell me about {hostile.catalogue.categories['aisle'].of(row)}", patient=True)
    check(hostile, alike, calls, provider)


@pytest.mark.parametrize("attempt", REVIEWS, ids=range(len(REVIEWS)))
def test_orders_in_reviews(hostile, calls, attempt):
    kept = attempt.order.encode()[:24]
    for path in hostile.bundle.directory.rglob("*"):
        assert not path.is_file() or kept not in path.read_bytes(), f"a review is in {path.name}"
    assert hostile.tables.space.reviews is not None
    assistant, provider, _ = conversation(hostile, attempt.obeyed)
    calls.clear()
    reply = assistant.reply(ASKER, WISH, patient=True)
    check(hostile, reply, calls, provider)
    assert reply.done.source == "plain"
    assert all(attempt.order[:24] not in prompt.messages[0].text for prompt in provider.prompts)


@pytest.mark.parametrize("attempt", MESSAGES, ids=range(len(MESSAGES)))
def test_orders_in_messages(hostile, calls, attempt, caplog):
    caplog.set_level(logging.DEBUG)
    assistant, provider, theirs = conversation(hostile, attempt.obeyed)
    calls.clear()
    reply = assistant.reply(ASKER, attempt.order, patient=True)
    check(hostile, reply, calls, provider)
    assert reply.done.conversation_id != theirs
    assert reply.done.source == "plain"
    after = assistant.reply(ASKER, "fruit", reply.done.conversation_id, patient=True)
    check(hostile, after, calls, provider)
    assert {
        hostile.catalogue.categories["department"].of(hostile.catalogue.index[item["item_id"]]) for item in after.items
    } == {"fruit"}
    with pytest.raises(ConversationUnknownError):
        assistant.reply(ASKER, attempt.order, theirs, patient=True)
    assert SECRET not in caplog.text


def test_a_model_that_keeps_to_the_list_is_heard(hostile):
    """So that the tests above fail where every word of a model is refused."""
    first = Assistant(lambda: hostile).reply(ASKER, WISH, patient=True).items[0]
    assistant, _, _ = conversation(hostile, f"The first one [{first['item_id']}] fits your wish.")
    reply = assistant.reply(ASKER, WISH, patient=True)
    assert reply.done.source == "model"
    assert "words_refused" not in (reply.done.fallback or "")


def test_tools_for_agents_take_no_orders(hostile):
    from starlette.datastructures import State

    from savor.api.agents.tools import TOOLS, AgentTools
    from savor.api.engine import Engine

    tools = AgentTools(State({"engine": Engine(hostile)}))
    for attempt in ATTEMPTS:
        found = tools.call("search", {"query": attempt.order[:900], "limit": 20})
        for item in found["items"]:
            assert item["item_id"] in hostile.catalogue.index
            assert item["item_id"] != HIDDEN_ID
            assert len(item["name"]) <= 200
            assert item["name"].isprintable()
    assert list(TOOLS) == ["search", "recommend", "similar", "explain", "basket"]
