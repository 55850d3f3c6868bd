"""Pages of one list: nothing twice, nothing left out."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from savor.pipeline.build import build_serving
from savor.pipeline.options import Diversity, PipelineOptions
from savor.pipeline.query import Query
from tests.synthetic_bundle import NOW

KNOWN = "household-3"


def pages(serving, sizes, scenario="home", **changes):
    """Pages of these sizes, one after the other, as clients ask for them."""
    shown: list[int] = []
    found = []
    for size in sizes:
        result = serving.pipelines[scenario].run(
            Query(KNOWN, NOW, n=size, scenario=scenario, shown=np.array(shown, np.int32), **changes)
        )
        found.append(result)
        shown += result.items.tolist()
    return found


@given(
    sizes=st.lists(st.integers(1, 25), min_size=1, max_size=8),
    scenario=st.sampled_from(["home", "discover", "basket", "search", "buy_again"]),
    diverse=st.booleans(),
    exclude=st.lists(st.integers(0, 59), max_size=20),
)
def test_no_item_twice_and_all_in_the_end(serving, sizes, scenario, diverse, exclude):
    seen = scenario == "discover"
    changes = {
        "exclude": np.array(exclude, np.int32),
        "diverse": diverse,
        "exclude_seen": seen,
        "context": {"basket": ["1003"], "query": "dairy"},
    }
    found = pages(serving, [*sizes, 60], scenario, **changes)
    items = [item for result in found for item in result.items.tolist()]
    allowed = set(range(60)) - {7, 3} - set(exclude)
    if seen:
        allowed -= set(serving.states.history(KNOWN, NOW).item.tolist())
    assert len(items) == len(set(items))
    assert set(items) == allowed
    for result in found:
        left = allowed - set(items[: items.index(result.items[-1]) + 1]) if len(result.items) else set()
        assert result.more == bool(left)


def test_pages_are_the_pieces_of_one_list(serving):
    whole = pages(serving, [40])[0].items.tolist()
    pieces = [item for result in pages(serving, [7, 13, 20]) for item in result.items.tolist()]
    assert pieces == whole


def test_caps_count_over_pages(shop):
    options = PipelineOptions(diversity=Diversity(category="department", cap=2))
    serving = build_serving(shop, options)
    codes = serving.catalogue.categories["department"].codes
    found = pages(serving, [4, 4, 4])
    first = codes[np.concatenate([found[0].items, found[1].items])]
    assert np.bincount(first, minlength=5)[1:].tolist() == [2, 2, 2, 2]
    assert len(found[2].items) == 4


def test_likeness_counts_over_pages(shop):
    serving = build_serving(shop, PipelineOptions(diversity=Diversity(mmr=1.0)))
    first, second = pages(serving, [1, 1])
    vectors = np.asarray(serving.tables.vectors)
    pool = [row for row in pages(serving, [6])[0].items.tolist() if row != first.items[0]]
    likeness = vectors[pool] @ vectors[first.items[0]]
    assert float(vectors[second.items[0]] @ vectors[first.items[0]]) <= float(likeness.max())


def test_after_the_last_page_nothing_is_left_and_it_says_so(serving):
    last = pages(serving, [59, 10])[1]
    assert len(last.items) == 0
    assert not last.more
    assert "everything that may be shown was on earlier pages" in (last.fallback or "")
