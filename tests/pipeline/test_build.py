import json
import shutil

import numpy as np
import pytest

from savor.core.clock import frozen_clock
from savor.core.errors import BundleError
from savor.pipeline.build import build_pipeline, build_serving
from savor.pipeline.options import Diversity, PipelineOptions
from savor.pipeline.query import Query
from tests.synthetic_bundle import NOW, seal


@pytest.fixture
def without(shop, tmp_path):
    """Makes the shop's bundle without some of its files."""

    def make(*names, change=None):
        parts = tmp_path / "parts"
        shutil.copytree(shop.directory, parts)
        for name in names:
            path = parts / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if change is not None:
            change(parts)
        return seal(parts, tmp_path / "made")

    return make


@pytest.mark.parametrize(
    ("names", "codes", "scorer"),
    [
        (["towers"], ["ann_absent"], "ranker"),
        (["index"], ["ann_absent"], "ranker"),
        (["vectors"], ["ann_absent"], "ranker"),
        (["ranker"], ["ranker_absent"], "blend"),
        (["sources/co_purchase"], ["co_purchase_absent"], "ranker"),
        (
            ["sources", "towers", "ranker"],
            ["popular_absent", "ann_absent", "co_purchase_absent", "trending_absent", "ranker_absent"],
            "blend",
        ),
    ],
)
def test_absent_parts_are_done_without_and_said(without, names, codes, scorer):
    serving = build_serving(without(*names))
    for user in ("household-3", "nobody"):
        result = serving.pipeline.run(Query(user, NOW))
        assert len(result.items) == 10
        assert result.trace.scorer == scorer
        assert [one.code for one in result.fallbacks if one.code.endswith("_absent")] == codes
    similar = serving.similar.find(3, 5, None)
    assert len(similar.items) == 5
    assert 3 not in similar.items
    assert bool(similar.fallback) == (not serving.bundle.has("index") or not serving.bundle.has("vectors"))


def test_what_is_not_wanted_is_not_missed(without):
    bundle = without("towers")
    options = PipelineOptions(sources=("buy_again", "trending"))
    result = build_pipeline(bundle, options).run(Query("household-3", NOW))
    assert result.fallbacks == ()
    assert set(result.trace.retrieved) == {"buy_again", "trending"}


def test_clock(shop, without):
    assert build_serving(shop).clock() == NOW
    assert build_serving(shop, clock=frozen_clock(5)).clock() == 5

    def live(parts):
        config = json.loads((parts / "config.json").read_text())
        (parts / "config.json").write_text(json.dumps({**config, "now": "wall"}))

    assert build_serving(without(change=live)).clock() != NOW


def test_tables_of_another_catalogue(without):
    bundle = without(change=lambda parts: np.save(parts / "sources" / "trending.npy", np.ones(3, np.float32)))
    with pytest.raises(BundleError, match=r"sources/trending\.npy .* has 3 rows and the catalogue 60"):
        build_serving(bundle)


def test_options_that_name_nothing(shop):
    with pytest.raises(BundleError, match=r"diversity\.category is 'colour'"):
        build_serving(shop, PipelineOptions(diversity=Diversity(category="colour", cap=1)))
    with pytest.raises(BundleError, match="repeat_kinds"):
        build_serving(shop, PipelineOptions(repeat_kinds=("view",)))


def test_mmr_makes_lists_less_alike(shop):
    plain = build_serving(shop, PipelineOptions(diversity=Diversity(cap=None)))
    varied = build_serving(shop, PipelineOptions(diversity=Diversity(cap=None, mmr=0.7)))
    vectors = np.load(shop.path("vectors/items.npy"))

    def likeness(serving):
        total = 0.0
        for user in serving.states.ids:
            chosen = vectors[serving.pipeline.run(Query(user, NOW, n=5)).items]
            total += float((chosen @ chosen.T).sum())
        return total

    assert likeness(varied) < likeness(plain)


def test_cap_holds_where_there_is_enough(shop):
    serving = build_serving(shop, PipelineOptions(diversity=Diversity(category="department", cap=1)))
    codes = serving.catalogue.categories["department"].codes
    assert sorted(codes[serving.pipeline.run(Query("household-3", NOW, n=4)).items]) == [1, 2, 3, 4]
