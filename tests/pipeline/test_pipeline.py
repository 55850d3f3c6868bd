"""The runner, with made stages around the stock ones."""

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from savor.core.errors import PipelineError
from savor.pipeline.candidates import Retrieved
from savor.pipeline.item_filter import ItemFilter
from savor.pipeline.pipeline import Pipeline
from savor.pipeline.query import Query

KNOWN = "household-3"


def made_of(pipeline, **changes):
    """The same pipeline with some parts changed."""
    parts = {
        "hydrators": pipeline.hydrators,
        "sources": pipeline.sources[:-1],
        "filters": pipeline.filters,
        "popular": pipeline.popular,
        "enrichers": pipeline.enrichers,
        "ranker": pipeline.ranker,
        "selectors": pipeline.selectors,
        "reasoner": pipeline.reasoner,
        "number_of_items": pipeline._number_of_items,
        "absent": pipeline.absent,
    }
    return Pipeline(**{**parts, **changes})


def ask(serving, user=KNOWN, **changes):
    return Query(user, serving.clock(), **changes)


class Broken:
    """Stands in for a stage and fails as told."""

    def __init__(self, stage, outcome):
        self.name, self.reads, self.writes, self.required = stage.name, stage.reads, stage.writes, stage.required
        self._outcome = outcome

    def _fail(self, *arguments):
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome

    hydrate = retrieve = keep = rank = select = explain = _fail


def test_answers(serving):
    result = serving.pipeline.run(ask(serving))
    assert len(result.items) == len(result.reasons) == 10
    assert len(set(result.items.tolist())) == 10
    assert (np.diff(result.scores) <= 0).all()
    assert result.fallback is None
    assert result.failures == ()
    assert result.trace.scorer == "ranker"
    stages = [one["name"] for one in serving.pipeline.describe() if one["name"] not in ("popular", "explore")]
    assert list(result.trace.timings) == stages
    assert all(nanoseconds > 0 for nanoseconds in result.trace.timings.values())


def test_same_query_same_answer(serving):
    first, second = (serving.pipeline.run(ask(serving)) for _ in range(2))
    assert first.items.tolist() == second.items.tolist()
    assert first.scores.tolist() == second.scores.tolist()


def test_description_has_a_hash(serving):
    assert serving.pipeline.hash == made_of(serving.pipeline).hash
    assert serving.pipeline.hash != made_of(serving.pipeline, ranker=None).hash


@pytest.mark.parametrize("place", range(4))
def test_a_source_may_fail(serving, place):
    sources = list(serving.pipeline.sources[:-1])
    sources[place] = Broken(sources[place], ValueError("no"))
    name = sources[place].name
    result = made_of(serving.pipeline, sources=sources).run(ask(serving))
    assert len(result.items) == 10
    assert [(one.stage, one.kind, one.message) for one in result.failures] == [(name, "error", "ValueError: no")]
    assert result.fallback == f"{name}_error: {name} was left out (it failed)"


@pytest.mark.parametrize(
    "outcome",
    [
        Retrieved(np.array([3, 3], np.int32), np.zeros(2, np.float32)),
        Retrieved(np.array([3, 60], np.int32), np.zeros(2, np.float32)),
        Retrieved(np.array([-1], np.int32), np.zeros(1, np.float32)),
        Retrieved(np.array([3], np.int64), np.zeros(1, np.float32)),
        Retrieved(np.array([3], np.int32), np.zeros(2, np.float32)),
    ],
)
def test_a_source_that_breaks_its_contract_is_left_out(serving, outcome):
    first, *others = serving.pipeline.sources[:-1]
    result = made_of(serving.pipeline, sources=[Broken(first, outcome), *others]).run(ask(serving))
    assert [(one.stage, one.kind) for one in result.failures] == [("ann", "contract")]
    assert "ann" not in result.trace.retrieved


def test_without_a_user_vector_there_is_no_ann(serving):
    hydrators = [Broken(one, {}) if one.name == "user_vector" else one for one in serving.pipeline.hydrators]
    result = made_of(serving.pipeline, hydrators=hydrators).run(ask(serving))
    assert [(one.stage, one.kind) for one in result.failures] == [
        ("user_vector", "contract"),
        ("ann", "missing_input"),
        ("vector_fit", "missing_input"),
    ]
    assert len(result.items) == 10
    assert result.trace.scorer == "ranker"


@pytest.mark.parametrize("outcome", [RuntimeError("no"), np.full(3, 1, np.float32), None])
def test_a_failing_ranker_leaves_the_blend(serving, outcome):
    result = made_of(serving.pipeline, ranker=Broken(serving.pipeline.ranker, outcome)).run(ask(serving))
    assert result.trace.scorer == "blend"
    assert "ranker was left out" in (result.fallback or "")
    ranks = np.stack([result.candidates.columns[f"{name}_rank"] for name in result.trace.sources])
    np.testing.assert_allclose(result.scores, np.nansum(1 / (60 + ranks), axis=0), rtol=1e-5)


@pytest.mark.parametrize("outcome", [RuntimeError("no"), np.ones(3, np.bool_), None])
@pytest.mark.parametrize("place", range(4))
def test_filters_fail_closed(serving, place, outcome):
    filters = list(serving.pipeline.filters)
    filters[place] = Broken(filters[place], outcome)
    with pytest.raises(PipelineError, match=f"'{filters[place].name}' failed") as caught:
        made_of(serving.pipeline, filters=filters).run(ask(serving))
    assert caught.value.code == "stage_failed"


def test_filters_count_what_they_take_out(serving):
    sources = serving.pipeline.sources[:-1]
    careless = Broken(sources[3], Retrieved(np.array([7, 8], np.int32), np.ones(2, np.float32)))
    result = made_of(serving.pipeline, sources=[*sources[:3], careless]).run(
        ask(serving, exclude=np.array([8], np.int32))
    )
    assert result.dropped == (("in_stock", 1), ("exclude", 1))
    assert not {7, 8} & set(result.items.tolist())


def test_past_the_deadline_only_what_must_run_runs(serving):
    result = serving.pipeline.run(ask(serving, deadline=time.perf_counter_ns() - 1))
    assert len(result.items) == 10
    assert {one.kind for one in result.failures} == {"deadline", "missing_input"}
    assert "filled_from_popularity" in (result.fallback or "")
    assert {reason.code for reason in result.reasons} == {"unexplained"}


def test_reasons_may_fail(serving):
    result = made_of(serving.pipeline, reasoner=Broken(serving.pipeline.reasoner, ValueError("no"))).run(ask(serving))
    assert [reason.code for reason in result.reasons] == ["unexplained"] * 10


def test_somebody_unknown_gets_an_answer_that_says_so(serving):
    result = serving.pipeline.run(ask(serving, "nobody"))
    assert len(result.items) == 10
    assert [one.code for one in result.fallbacks] == ["unknown_user"]
    newcomer = serving.pipeline.run(ask(serving, "household-19"))
    assert [one.code for one in newcomer.fallbacks] == ["no_history"]


def test_more_than_there_is(serving):
    result = serving.pipeline.run(ask(serving, n=500))
    assert sorted(result.items.tolist()) == [row for row in range(60) if row != 7]
    assert "catalogue_exhausted" in (result.fallback or "")


def test_one_item_matches(serving):
    one = float(serving.catalogue.numerics["grams"][41])
    condition = ItemFilter.parse({"grams": {"eq": one}, "department": {"eq": "dairy"}}, serving.catalogue)
    result = serving.pipeline.run(ask(serving, filter=condition))
    assert result.items.tolist() == [41]
    nothing = ItemFilter.parse({"price": {"lt": -1}}, serving.catalogue)
    result = serving.pipeline.run(ask(serving, filter=nothing))
    assert len(result.items) == 0
    assert "no_eligible_items" in (result.fallback or "")


def test_rank_scores_all_and_only_what_is_asked(serving):
    asked = np.array([40, 7, 3], np.int32)
    result = serving.pipeline.rank(ask(serving), asked)
    assert sorted(result.items.tolist()) == [3, 7, 40]
    everything = serving.pipeline.run(ask(serving, n=60))
    scores = dict(zip(everything.items.tolist(), everything.scores.tolist(), strict=True))
    for item, score in zip(result.items.tolist(), result.scores.tolist(), strict=True):
        if item != 7:
            assert score == pytest.approx(scores[item])


def test_gather_is_what_the_ranker_sees(serving):
    hydrated, candidates = serving.pipeline.gather(ask(serving))
    assert len(candidates) == serving.pipeline.run(ask(serving)).trace.ranked
    assert len(hydrated["history"]) > 0


def test_only_new_uses_the_other_ranker(serving):
    result = serving.pipeline.run(ask(serving, exclude_seen=True))
    own = serving.states.history(KNOWN, serving.clock()).item
    assert not np.isin(result.items, own).any()
    swapped = made_of(
        serving.pipeline,
        ranker=type(serving.pipeline.ranker)(serving.pipeline.ranker._features, serving.pipeline.ranker._new),
    )
    same = swapped.run(ask(serving, exclude_seen=True))
    assert same.items.tolist() == result.items.tolist()


@given(
    user=st.sampled_from([KNOWN, "household-0", "household-19", "nobody"]),
    n=st.integers(1, 80),
    exclude=st.lists(st.integers(0, 59), max_size=60),
    exclude_seen=st.booleans(),
    diverse=st.booleans(),
    limit=st.none() | st.floats(0, 20),
)
def test_lists_are_full_and_allowed_at_any_selectivity(serving, user, n, exclude, exclude_seen, diverse, limit):
    condition = None if limit is None else ItemFilter.parse({"price": {"lte": limit}}, serving.catalogue)
    result = serving.pipeline.run(
        ask(
            serving,
            user,
            n=n,
            exclude=np.array(exclude, np.int32),
            exclude_seen=exclude_seen,
            diverse=diverse,
            filter=condition,
        )
    )
    allowed = {row for row in range(60) if row != 7} - set(exclude)
    if exclude_seen:
        allowed -= set(serving.states.history(user, serving.clock()).item.tolist())
    if limit is not None:
        allowed &= set(np.flatnonzero(serving.catalogue.price <= np.float32(limit)).tolist())
    items = result.items.tolist()
    assert len(items) == len(set(items)) == min(n, len(allowed))
    assert set(items) <= allowed
    assert (np.diff(result.scores) <= 0).all()


def test_contributions_add_up_to_the_log_odds_of_the_score(serving):
    query = ask(serving)
    result = serving.pipeline.run(query)
    ranker = serving.pipeline.ranker
    every = ranker.strongest(query, result.hydrated, result.candidates, 1000)
    sums = np.array([sum(one.contribution for one in features) for features in every])
    log_odds = np.log(result.scores / (1 - result.scores))
    np.testing.assert_allclose(sums - sums[0], log_odds - log_odds[0], atol=1e-3)


def test_live_stock_counts(serving):
    best = int(serving.pipeline.run(ask(serving)).items[0])
    serving.catalogue.in_stock[best] = False
    try:
        assert best not in serving.pipeline.run(ask(serving)).items
    finally:
        serving.catalogue.in_stock[best] = True


def test_query_is_for_its_moment(serving):
    early = serving.pipeline.run(replace(ask(serving), now=0))
    assert "no_history" in (early.fallback or "")
