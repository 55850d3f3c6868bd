"""Whatever is missing or broken: an answer, and a fallback that says what happened."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from savor.features.columns import CategoryColumn
from savor.pipeline.build import assemble, build_serving
from savor.pipeline.item_filter import ItemFilter
from savor.pipeline.query import Query
from tests.pipeline.test_pipeline import Broken, made_of
from tests.synthetic_bundle import NOW, Sizes, seal, write_parts

KNOWN, SCENARIOS = "household-3", ("home", "discover", "basket", "item_page", "search", "buy_again")
CONTEXT = {"basket": ["1003"], "query": "dairy"}


def ask(serving, scenario="home", user=KNOWN, **changes):
    changes = {"context": CONTEXT, **changes}
    return serving.pipelines[scenario].run(Query(user, serving.clock(), scenario=scenario, **changes))


def codes(result):
    return {one.code for one in result.fallbacks}


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("user", [KNOWN, "nobody", "household-19", ""])
def test_everybody_gets_a_list_everywhere(serving, scenario, user):
    result = ask(serving, scenario, user)
    assert len(result.items) == len(result.reasons) == 10
    told = {KNOWN: set(), "household-19": {"no_history"}}.get(user, {"unknown_user"})
    assert codes(result) - {"filled_from_usual", "filled_from_popularity"} == told
    assert all(reason.text for reason in result.reasons)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_unknown_items_of_the_moment(serving, scenario):
    result = ask(serving, scenario, context={"basket": ["?"], "item_id": "?", "query": "?"})
    assert len(result.items) == 10
    about = scenario in ("basket", "item_page")
    assert ("context_absent" in codes(result)) == about


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A shop of three items, all of them in stock."""
    folder = tmp_path_factory.mktemp("tiny")
    write_parts(folder / "parts", Sizes(items=9, users=4, events=40, neighbours=2), tower=False)
    serving = build_serving(seal(folder / "parts", folder / "made"))
    serving.catalogue.in_stock[3:] = False
    return serving


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("user", ["household-0", "nobody"])
def test_a_catalogue_of_three_items(tiny, scenario, user):
    result = ask(tiny, scenario, user, n=50, context={})
    allowed = {0, 1, 2}
    if scenario == "discover":
        pipeline, query = tiny.pipelines[scenario], Query(user, tiny.clock(), n=50, exclude_seen=True)
        result = pipeline.run(query)
        allowed -= set(tiny.states.history(user, tiny.clock()).item.tolist())
    assert set(result.items.tolist()) == allowed
    assert codes(result) & {"catalogue_exhausted", "no_eligible_items"}


def test_more_than_there_is(serving):
    result = ask(serving, n=1000)
    assert len(result.items) == 58  # one is in the basket, one is out of stock
    assert "catalogue_exhausted" in codes(result)
    assert "only 58 items" in (result.fallback or "")


@pytest.mark.parametrize(
    ("absent", "code"),
    [
        ("features", "ann_absent"),
        ("towers", "ann_absent"),
        ("index", "ann_absent"),
        ("vectors", "ann_absent"),
        ("ranker", "ranker_absent"),
        ("state/statistics", "ranker_absent"),
        ("sources/co_purchase", "co_purchase_absent"),
        ("sources/trending.npy", "trending_absent"),
        ("sources/popularity.npy", "popular_absent"),
    ],
)
def test_files_that_are_not_there(shop, tmp_path, absent, code):
    parts = tmp_path / "parts"
    shutil.copytree(shop.directory, parts)
    path = parts / absent
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    serving = build_serving(seal(parts, tmp_path / "made"))
    for scenario in SCENARIOS:
        for user in (KNOWN, "nobody"):
            result = ask(serving, scenario, user)
            assert len(result.items) == 10
            assert result.failures == ()
            if scenario == "home":
                assert {one for one in codes(result) if one.endswith("_absent")} == {code}


@pytest.mark.parametrize(
    "phase", ["hydrators", "main", "backup", "enrichers", "ranker", "adjusters", "selectors", "reasoner", "effects"]
)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_optional_stage_may_fail(serving, phase, scenario):
    pipeline = serving.pipelines[scenario]
    stages = getattr(pipeline, phase)
    single = phase in ("ranker", "reasoner")
    for place, stage in enumerate((stages,) if single else stages):
        if stage.required:
            continue
        broken = _Failing(stage, RuntimeError("no"))
        parts = broken if single else [*stages[:place], broken, *stages[place + 1 :]]
        extra = {"main": "sources"}.get(phase, phase)
        changed = made_of(pipeline, **{**_kept(pipeline), extra: parts})
        result = changed.run(Query(KNOWN, NOW, scenario=scenario, context=CONTEXT))
        assert len(result.items) == 10
        if phase != "backup":
            assert f"{stage.name}_error" in codes(result)
            assert f"{stage.name} was left out (it failed)" in (result.fallback or "")


class _Failing(Broken):
    """Fails in every phase."""

    def _no(self, *arguments):
        raise self._outcome

    hydrate = retrieve = keep = rank = select = explain = enrich = adjust = note = _no


def _kept(pipeline):
    """What `made_of` does not carry over."""
    return {
        "backup": pipeline.backup,
        "adjusters": pipeline.adjusters,
        "effects": pipeline.effects,
        "columns": [name for name in pipeline._names if name not in {one.name for one in pipeline.sources}],
        "wants": pipeline.wants,
        "sources": pipeline.main,
    }


LARGE = 100_000


@pytest.fixture(scope="module")
def large(serving):
    """The shop with 99,940 more items, of which nothing is known but that they are there; one of them is blue."""
    tables, old = serving.tables, serving.catalogue
    more = LARGE - len(old)
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((LARGE, tables.vectors.shape[1])).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[: len(old)] = tables.vectors
    colour = np.ones(LARGE, np.int32)
    colour[77_777] = 2

    def longer(column):
        return CategoryColumn(np.concatenate([column.codes, np.ones(more, np.int32)]), column.values)

    catalogue = replace(
        old,
        ids=[*old.ids, *(f"more-{row}" for row in range(more))],
        names=[*old.names, *(f"More {row}" for row in range(more))],
        categories={
            **{name: longer(column) for name, column in old.categories.items()},
            "colour": CategoryColumn(colour, ["", "red", "blue"]),
        },
        tags={},
        numerics={},
        price=np.ones(LARGE, np.float32),
        in_stock=np.ones(LARGE, np.bool_),
    )
    fresh = np.arange(len(old), LARGE, dtype=np.int32)
    neighbours = type(tables.neighbours)(
        np.concatenate([tables.neighbours.item, np.full((more, tables.neighbours.item.shape[1]), -1, np.int32)]),
        np.concatenate([tables.neighbours.weight, np.zeros((more, tables.neighbours.item.shape[1]), np.float32)]),
    )
    wide = replace(
        tables,
        catalogue=catalogue,
        vectors=vectors,
        popularity=np.pad(tables.popularity, (0, more)),
        trending=np.pad(tables.trending, (0, more)),
        neighbours=neighbours,
        statistics=None,
        fresh=fresh,
    )
    return assemble(serving.opened, wide)


@pytest.mark.parametrize("scenario", ["home", "discover", "basket", "item_page", "buy_again"])
@pytest.mark.parametrize("user", [KNOWN, "nobody"])
def test_a_filter_that_one_item_in_100_000_matches_finds_it(large, scenario, user):
    condition = ItemFilter.parse({"colour": {"eq": "blue"}}, large.catalogue)
    result = ask(large, scenario, user, filter=condition)
    assert result.items.tolist() == [77_777]
    assert "catalogue_exhausted" in codes(result)


def test_a_filter_that_few_match_is_filled_by_retrieval_and_not_by_popularity(large):
    rare = np.ones(LARGE, np.int32)
    rare[60:100] = 2
    large.catalogue.categories["rare"] = CategoryColumn(rare, ["", "no", "yes"])
    condition = ItemFilter.parse({"rare": {"eq": "yes"}}, large.catalogue)
    result = ask(large, filter=condition, n=20)
    assert set(result.items.tolist()) <= set(range(60, 100))
    assert len(result.items) == 20
    assert not {"filled_from_popularity", "catalogue_exhausted"} & codes(result)
    assert result.trace.retrieved["ann"] == 40
