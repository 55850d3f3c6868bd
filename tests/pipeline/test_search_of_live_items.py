"""Items that came or changed a moment ago are found, and obey the rules."""

import numpy as np
import pytest

from savor.pipeline.build import build_serving
from savor.pipeline.live_items import LiveItems, Said
from savor.pipeline.options import Diversity, PipelineOptions
from savor.pipeline.query import Query
from savor.pipeline.word_index import WordIndex
from tests.synthetic_bundle import NOW, seal

AT = 1_700_000_000


def find(serving, text, n=1):
    query = Query("household-3", NOW, n=n, scenario="search", context={"query": text})
    result = serving.pipelines["search"].run(query)
    assert result.failures == ()
    return [
        serving.catalogue.ids[row]
        for row, reason in zip(result.items.tolist(), result.reasons, strict=True)
        if reason.code == "search_words"
    ]


@pytest.mark.parametrize("published", [True, False])
def test_new_and_renamed_items_are_found_by_their_words(shop, tmp_path, published):
    import shutil

    parts = tmp_path / "parts"
    shutil.copytree(shop.directory, parts)
    (parts / "manifest.json").unlink()
    if published:
        WordIndex.build(build_serving(shop).catalogue).save(parts / "sources" / "words")
    serving = build_serving(seal(parts, tmp_path / "made"), PipelineOptions(diversity=Diversity(cap=2, mmr=0.3)))
    serving.warm()
    assert find(serving, "quince") == []
    assert find(serving, "renamed") == []
    live = LiveItems(serving.opened, serving.tables)
    tables = live.lay(
        [Said("new", {"name": "Quince jelly", "department": "fruit"}, AT), Said("1004", {"name": "Renamed thing"}, AT)]
    )
    later = serving.over(tables)
    assert find(later, "quince") == ["new"]
    assert find(later, "renamed") == ["1004"]
    assert find(serving, "quince") == []


def test_a_new_item_can_stand_in_basket_and_page(shop):
    serving = build_serving(shop)
    live = LiveItems(serving.opened, serving.tables)
    later = serving.over(live.lay([Said("new", {"name": "Quince jelly", "department": "fruit"}, AT)]))
    for scenario, context in (("basket", {"basket": ["new", "1003"]}), ("item_page", {"item_id": "new"})):
        result = later.pipelines[scenario].run(Query("household-3", NOW, scenario=scenario, context=context))
        assert len(result.items) == 10
        assert later.catalogue.index["new"] not in result.items
        assert result.failures == ()
        assert np.isfinite(result.scores).all()
