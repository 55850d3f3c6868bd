import numpy as np
import pytest

from savor.online.experiments.options import ExplorationOptions
from savor.pipeline.build import build_serving
from savor.pipeline.options import Diversity, PipelineOptions
from savor.pipeline.query import Query
from tests.synthetic_bundle import NOW

USER = "household-3"


def ask(serving, number, exploration, **changes):
    return serving.pipeline.run(
        Query(USER, NOW, recommendation_id=f"{number:032x}", exploration=exploration, **changes)
    )


def test_without_exploration_nothing_is_drawn(serving):
    assert ask(serving, 1, None).explored is None
    none = ask(serving, 1, ExplorationOptions(share=0.0))
    assert none.explored.propensities().tolist() == [1.0] * 10
    assert none.items.tolist() == ask(serving, 1, None).items.tolist()


@pytest.mark.parametrize(("method", "mmr"), [("swap", None), ("plackett_luce", 0.8)])
def test_propensities_are_how_often_items_stand_where_they_stand(shop, method, mmr):
    serving = build_serving(shop, PipelineOptions(diversity=Diversity(mmr=mmr)))
    options = ExplorationOptions(share=0.5, method=method, pool=8, keep=1)
    plain = ask(serving, 0, None, n=4)
    results = [ask(serving, number, options, n=4) for number in range(500)]
    drawn = [result.explored.drawn for result in results]
    assert np.mean(drawn) == pytest.approx(0.5, abs=0.09)
    assert all(result.items[0] == plain.items[0] for result in results)
    assert all(len(set(result.items.tolist())) == 4 for result in results)
    told: dict[tuple[int, int], float] = {}
    counted: dict[tuple[int, int], int] = {}
    for result in results:
        for place, (item, chance) in enumerate(
            zip(result.items.tolist(), result.explored.propensities().tolist(), strict=True)
        ):
            assert told.setdefault((place, item), chance) == pytest.approx(chance)
            counted[place, item] = counted.get((place, item), 0) + 1
    for key, chance in told.items():
        error = 5 * np.sqrt(chance * (1 - chance) / len(results)) + 2e-3
        assert counted[key] / len(results) == pytest.approx(chance, abs=error)


def test_what_is_drawn_follows_from_the_id(serving):
    options = ExplorationOptions(share=1.0)
    assert ask(serving, 5, options).items.tolist() == ask(serving, 5, options).items.tolist()
    assert len({tuple(ask(serving, number, options).items.tolist()) for number in range(8)}) > 1


def test_drawn_items_are_allowed_ones(serving):
    options = ExplorationOptions(share=1.0, pool=40)
    exclude = np.arange(0, 30, dtype=np.int32)
    for number in range(40):
        items = ask(serving, number, options, exclude=exclude).items
        assert not np.isin(items, [*exclude.tolist(), 7]).any()
