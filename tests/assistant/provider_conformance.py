"""What holds for every provider: a test class inherits these and gives a fixture `provider`."""

import json
import math
from collections.abc import Iterator
from contextlib import closing
from threading import Thread
from time import monotonic
from typing import Any, cast

import numpy as np
import pytest

from savor.assistant.providers.errors import NotOfferedError, ProviderSlowError
from savor.assistant.providers.prompt import Message, Prompt
from savor.assistant.providers.provider import Piece, Provider

PROMPT = Prompt("You are a shop assistant. Answer in one sentence.", (Message("user", "What goes well with tea?"),))
FRUIT = Prompt("Answer with a fruit as JSON.", (Message("user", "Name a fruit."),))
SCHEMA = {
    "type": "object",
    "properties": {"fruit": {"type": "string", "maxLength": 20}},
    "required": ["fruit"],
    "additionalProperties": False,
}
TEXT = "The capital of France is"
ANSWERS = (" Paris", " a large old bicycle")


class ProviderConformance:
    """The tests; `offers_likelihoods` says whether `likelihoods` is answered."""

    offers_likelihoods = True
    honours_deadline = True

    def test_has_a_name(self, provider: Provider) -> None:
        assert provider.name
        assert isinstance(provider.remote, bool)

    def test_answers_in_pieces_and_the_last_carries_the_usage(self, provider: Provider) -> None:
        pieces = list(provider.complete(PROMPT, limit=12, deadline=monotonic() + 60))
        assert len(pieces) > 1
        assert "".join(piece.text for piece in pieces).strip()
        assert all(piece.usage is None for piece in pieces[:-1])
        usage = pieces[-1].usage
        assert usage is not None
        assert usage.prompt_tokens > 0
        assert usage.completion_tokens > 0
        assert usage.cost >= 0

    def test_stops_at_the_limit(self, provider: Provider) -> None:
        usage = list(provider.complete(PROMPT, limit=3, deadline=monotonic() + 60))[-1].usage
        assert usage is not None
        assert usage.completion_tokens <= 3

    def test_the_same_prompt_gives_the_same_answer(self, provider: Provider) -> None:
        first, second = (_text(provider, PROMPT, limit=12) for _ in range(2))
        assert first == second

    def test_obeys_a_schema(self, provider: Provider) -> None:
        pieces = provider.complete(FRUIT, limit=60, schema=SCHEMA, deadline=monotonic() + 60)
        said = json.loads("".join(piece.text for piece in pieces))
        assert set(said) == {"fruit"}
        assert isinstance(said["fruit"], str)

    def test_can_be_left_in_the_middle_and_used_again(self, provider: Provider) -> None:
        pieces = provider.complete(PROMPT, limit=12, deadline=monotonic() + 60)
        with closing(cast("Any", pieces)):
            next(pieces)
        assert _text(provider, PROMPT, limit=12)

    def test_a_deadline_that_has_passed_is_an_error(self, provider: Provider) -> None:
        if not self.honours_deadline:
            pytest.skip("answers without waiting")
        with pytest.raises(ProviderSlowError):
            list(provider.complete(PROMPT, limit=12, deadline=monotonic() - 1))

    def test_answers_several_threads(self, provider: Provider) -> None:
        expected, said = _text(provider, PROMPT, limit=12), []
        threads = [Thread(target=lambda: said.append(_text(provider, PROMPT, limit=12))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert said == [expected] * 3

    def test_holds_the_likely_answer_for_likelier(self, provider: Provider) -> None:
        if not self.offers_likelihoods:
            with pytest.raises(NotOfferedError):
                provider.likelihoods(TEXT, ANSWERS, deadline=monotonic() + 60)
            return
        found = provider.likelihoods(TEXT, ANSWERS, deadline=monotonic() + 60)
        assert found.log_probability.dtype == np.float64
        assert found.log_probability.shape == found.tokens.shape == (2,)
        assert (found.log_probability <= 0).all()
        assert (found.tokens >= 1).all()
        assert found.log_probability[0] > found.log_probability[1]
        assert math.isclose(found.per_token[1], found.log_probability[1] / found.tokens[1])
        assert found.usage.prompt_tokens > 0

    def test_likelihoods_need_text(self, provider: Provider) -> None:
        with pytest.raises(NotOfferedError):
            provider.likelihoods(TEXT, [" Paris", ""], deadline=monotonic() + 60)

    def test_warms_up(self, provider: Provider) -> None:
        provider.warm_up()


def _text(provider: Provider, prompt: Prompt, *, limit: int) -> str:
    pieces: Iterator[Piece] = provider.complete(prompt, limit=limit, deadline=monotonic() + 120)
    return "".join(piece.text for piece in pieces)
