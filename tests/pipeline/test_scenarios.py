"""Named pipelines: what each is about, and what it does where that is missing."""

import numpy as np
import pytest

from savor.pipeline.build import build_serving
from savor.pipeline.item_filter import ItemFilter
from savor.pipeline.options import Diversity, PipelineOptions
from savor.pipeline.query import Query
from savor.pipeline.scenario import BUILT_IN, Scenario, known_scenarios
from tests.synthetic_bundle import NOW

KNOWN = "household-3"


def ask(serving, scenario, user=KNOWN, n=10, **changes):
    return serving.pipelines[scenario].run(Query(user, NOW, n=n, scenario=scenario, **changes))


def codes(result):
    return [one.code for one in result.fallbacks]


def ids(serving, *rows):
    return [serving.catalogue.ids[row] for row in rows]


def test_every_scenario_has_its_pipeline(serving):
    assert set(serving.pipelines) == set(BUILT_IN)
    for name, pipeline in serving.pipelines.items():
        wanted = BUILT_IN[name].sources
        if wanted is None:
            assert [source.name for source in pipeline.main] == ["ann", "buy_again", "co_purchase", "trending"]
            assert pipeline.backup == ()
        else:
            assert [source.name for source in pipeline.main] == [one for one in wanted if one != "search_meaning"]
            assert {source.name for source in pipeline.backup}.isdisjoint(wanted)
    hashes = {name: pipeline.hash for name, pipeline in serving.pipelines.items()}
    assert hashes["home"] == hashes["discover"]
    assert len(set(hashes.values())) == len(hashes) - 1


def test_basket_brings_what_goes_with_it_and_says_with_what(serving):
    basket = [3, 11]
    result = ask(serving, "basket", context={"basket": ids(serving, *basket)})
    assert result.fallback is None
    assert not set(basket) & set(result.items.tolist())
    table = serving.tables.neighbours
    for item, reason in zip(result.items.tolist(), result.reasons, strict=True):
        weights = {row: dict(zip(*(part.tolist() for part in table.of(row)), strict=True)).get(item) for row in basket}
        best = max((weight, row) for row, weight in weights.items() if weight is not None)[1]
        assert reason == ("bought_together", f"often bought with {serving.catalogue.names[best]}")


def test_item_page_is_about_the_item(serving):
    result = ask(serving, "item_page", context={"item_id": ids(serving, 5)[0]}, n=5)
    assert result.fallback is None
    assert 5 not in result.items
    assert {reason.code for reason in result.reasons} <= {"similar_item", "bought_together"}
    assert all(reason.text.endswith(serving.catalogue.names[5]) for reason in result.reasons)


def test_relevance_decides_where_it_has_all_the_weight(shop):
    serving = build_serving(shop, scenarios={"alike": Scenario(sources=("similar",), relevance=1.0)})
    result = ask(serving, "alike", context={"item_id": ids(serving, 5)[0]}, n=8)
    vectors = serving.tables.vectors
    assert vectors is not None
    cosine = vectors @ vectors[5]
    cosine[[5, 7]] = -2  # the item itself, and what is out of stock
    assert result.items.tolist() == np.argsort(-cosine, kind="stable")[:8].tolist()
    assert not (np.diff(result.scores) <= 0).all()
    plain = serving.pipelines["alike"].run(
        Query(KNOWN, NOW, n=8, scenario="alike", context={"item_id": "1005"}, weights={"relevance": 0.0})
    )
    assert (np.diff(plain.scores) <= 0).all()


def test_search_finds_words_of_names_and_categories(serving):
    result = ask(serving, "search", context={"query": "dairy 3"}, n=3)
    assert result.fallback is None
    assert {reason.code for reason in result.reasons} == {"search_words"}
    aisle = serving.catalogue.categories["aisle"]
    assert {aisle.values[code] for code in aisle.codes[result.items]} == {"dairy 3"}
    completed = ask(serving, "search", context={"query": "fru"}, n=3)
    department = serving.catalogue.categories["department"]
    assert {department.values[code] for code in department.codes[completed.items]} == {"fruit"}


def test_search_keeps_to_the_filter(serving):
    condition = ItemFilter.parse({"department": {"eq": "bakery"}}, serving.catalogue)
    result = ask(serving, "search", context={"query": "item"}, filter=condition)
    department = serving.catalogue.categories["department"]
    assert {department.values[code] for code in department.codes[result.items]} == {"bakery"}
    assert result.fallback is None


@pytest.mark.parametrize(
    ("scenario", "context", "expected"),
    [
        ("basket", {}, ["context_absent", "filled_from_usual"]),
        ("basket", {"basket": ["not there"]}, ["context_absent", "filled_from_usual"]),
        ("item_page", {"item_id": "not there"}, ["context_absent", "filled_from_usual"]),
        ("search", {}, ["context_absent", "filled_from_usual"]),
        ("search", {"query": "zzqqx"}, ["filled_from_usual"]),
    ],
)
def test_without_what_it_is_about_the_usual_comes_and_it_says_so(serving, scenario, context, expected):
    result = ask(serving, scenario, context=context)
    assert len(result.items) == 10
    assert codes(result) == expected
    assert result.items.tolist() == ask(serving, "home").items.tolist()


def test_buy_again_holds_own_items_first(serving):
    own = set(serving.states.history(KNOWN, NOW).item.tolist()) - {7}
    result = ask(serving, "buy_again", n=len(own) + 3)
    assert set(result.items[: len(own)].tolist()) == own
    assert codes(result) == ["filled_from_usual"]
    assert all(reason.code in ("repeat_rhythm", "bought_before") for reason in result.reasons[: len(own)])
    newcomer = ask(serving, "buy_again", "household-19")
    assert codes(newcomer) == ["no_history", "filled_from_usual"]
    assert len(newcomer.items) == 10


def test_a_shelf_may_stay_short(shop):
    serving = build_serving(shop, scenarios={"buy_again": Scenario(fill=False), "basket": Scenario(fill=False)})
    own = set(serving.states.history(KNOWN, NOW).item.tolist()) - {7}
    result = ask(serving, "buy_again", n=len(own) + 3)
    assert set(result.items.tolist()) == own
    assert codes(result) == ["catalogue_exhausted"]
    assert "brought by the sources" in (result.fallback or "")
    empty = ask(serving, "basket", context={"basket": ["none"]})
    assert codes(empty) == ["context_absent", "no_eligible_items"]


def test_what_the_moment_is_about_comes_before_what_fills_up(serving):
    everything = ask(serving, "basket", n=59, context={"basket": ids(serving, 3)})
    neighbours = set(serving.tables.neighbours.of(3)[0].tolist()) - {7}
    assert set(everything.items[: len(neighbours)].tolist()) == neighbours


def test_configured_scenarios_change_the_built_in_ones_and_add_to_them(shop):
    configured = {
        "discover": Scenario(sources=("trending",)),
        "narrow": Scenario(diversity=Diversity(category="department", cap=1), exclude_seen=True),
    }
    places = known_scenarios(configured)
    assert places["discover"].exclude_seen
    assert places["discover"].sources == ("trending",)
    serving = build_serving(shop, scenarios=configured)
    assert set(ask(serving, "discover").trace.retrieved) >= {"trending"}
    found = ask(serving, "narrow", n=4)
    department = serving.catalogue.categories["department"].codes
    assert sorted(department[found.items].tolist()) == [1, 2, 3, 4]
    assert len(set(department[ask(serving, "home", n=4).items].tolist())) < 4


def test_items_of_the_moment_are_never_shown(serving):
    home = ask(serving, "home")
    basket = ids(serving, *home.items[:3].tolist())
    again = ask(serving, "home", context={"basket": basket})
    assert not set(home.items[:3].tolist()) & set(again.items.tolist())
    assert again.fallback is None


def test_what_the_bundle_lacks_is_said_only_where_nothing_is_left(shop, tmp_path):
    import shutil

    from tests.synthetic_bundle import seal

    parts = tmp_path / "parts"
    shutil.copytree(shop.directory, parts)
    shutil.rmtree(parts / "sources" / "co_purchase")
    serving = build_serving(seal(parts, tmp_path / "made"), PipelineOptions(sources=("buy_again", "trending")))
    context = {"item_id": "1005"}
    assert codes(ask(serving, "item_page", context=context)) == []
    assert codes(ask(serving, "basket", context=context))[0] == "together_absent"
