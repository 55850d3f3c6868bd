"""What somebody searches for at this moment reaches the tower, or the result says why not."""

import sys

import numpy as np
import pytest

from savor.core.errors import MissingDependencyError
from savor.features.searches import SearchHistory
from savor.features.text.minilm import MiniLMEncoder
from savor.pipeline.query import Query
from savor.pipeline.stages.search_text import SearchText
from savor.pipeline.stages.user_vector import UserVector
from tests.pipeline.test_pipeline import KNOWN, made_of


class Encoder:
    name, dimension = "letters", 2

    def encode(self, texts):
        return np.asarray([[len(text), ord(text[0])] for text in texts], np.float32)


class Watched:
    """Stands in for a feature space, and keeps what it is asked."""

    def __init__(self):
        self.asked = []

    def user_input(self, history, profile, now, searches=None, search=None):
        self.asked.append((searches, None if search is None else search.tolist()))
        return {}


def run(serving, opened, context, name="letters"):
    features = Watched()
    (own,) = [stage for stage in serving.pipeline.hydrators if stage.name == "user_vector"]
    vector = np.asarray(serving.similar._search.vectors[5])
    hydrators = [stage for stage in serving.pipeline.hydrators if stage is not own]
    hydrators += [SearchText(name, opened), UserVector(features, lambda inputs: vector[None])]
    pipeline = made_of(serving.pipeline, hydrators=hydrators)
    result = pipeline.run(Query(KNOWN, serving.clock(), context=context))
    return result, features.asked, pipeline


@pytest.mark.parametrize("context", [{}, {"search": "  "}, {"search": None}, {"search": 3}, {"place": "home"}])
def test_without_a_search_there_is_none_and_no_encoder_is_opened(serving, context):
    def opened():
        raise AssertionError

    result, asked, _ = run(serving, opened, context)
    assert result.fallback is None
    ((searches, search),) = asked
    assert search is None
    assert isinstance(searches, SearchHistory)
    assert len(searches.time) == 0


def test_the_search_is_encoded_once_opened(serving):
    times = []

    def opened():
        times.append(1)
        return Encoder()

    result, asked, pipeline = run(serving, opened, {"search": " tea "})
    assert result.fallback is None
    assert asked[0][1] == [3, ord("t")]
    pipeline.run(Query(KNOWN, serving.clock(), context={"search": "jam"}))
    assert asked[1][1] == [3, ord("j")]
    assert times == [1]


def test_without_the_encoder_the_list_comes_and_says_so(serving):
    times = []

    def opened():
        times.append(1)
        raise MissingDependencyError("tokenizers", "train")

    result, asked, pipeline = run(serving, opened, {"search": "tea"})
    assert len(result.items) == 10
    assert asked[0][1] is None
    assert "search_text was left out" in (result.fallback or "")
    assert "tokenizers is needed" in result.failures[0].message
    again = pipeline.run(Query(KNOWN, serving.clock(), context={"search": "tea"}))
    assert again.fallback == result.fallback
    assert times == [1]


def test_another_encoder_than_the_bundles_is_not_used(serving):
    result, asked, _ = run(serving, Encoder, {"search": "tea"}, name="other")
    assert asked[0][1] is None
    assert "searches were encoded with other" in result.failures[0].message


def test_the_real_encoder_needs_its_packages(monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(MissingDependencyError):
        MiniLMEncoder()
