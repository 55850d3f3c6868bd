"""`[pipeline.fairness]` and diversity, as served: what the rules say reaches the user."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from savor.core.errors import BundleError
from savor.features.columns import CategoryColumn
from savor.pipeline.build import Serving, assemble, build_serving
from savor.pipeline.fairness.exposure import exposure_shares
from savor.pipeline.fairness.options import FairnessOptions, GroupOptions
from savor.pipeline.item_tables import ItemTables
from savor.pipeline.opened_bundle import OpenedBundle
from savor.pipeline.options import Diversity, PipelineOptions
from savor.pipeline.query import Query
from savor.pipeline.scenario import Scenario
from tests.synthetic_bundle import DAY, NOW

USERS = [f"household-{row}" for row in range(19)]
FRUIT = {"department": {"eq": "fruit"}}


def made(shop, groups=None, scenarios=None, **changes):
    """The shop with owners and days of coming: item r came r days ago; three businesses own one item each."""
    fairness = FairnessOptions(groups=groups or {}, **changes.pop("fairness", {}))
    tables = ItemTables.load(shop)
    owners = ["small a", "small b", "small c"] + ["large"] * (len(tables) - 3)
    catalogue = replace(
        tables.catalogue,
        owner=CategoryColumn.from_strings(owners),
        created=NOW - np.arange(len(tables), dtype=np.int64) * DAY,
    )
    options = PipelineOptions(fairness=fairness, **changes)
    opened = OpenedBundle.load(shop, catalogue, options, scenarios=scenarios)
    return assemble(opened, replace(tables, catalogue=catalogue))


def lists(serving, times=1, scenario="home", **changes):
    return [
        serving.pipelines[scenario].run(Query(user, NOW, scenario=scenario, **changes))
        for _ in range(times)
        for user in USERS
    ]


def share(serving, results, member):
    shares = [exposure_shares(member[None, one.items], np.arange(len(one.items)), len(one.items))[0] for one in results]
    return np.array(shares)


def fruit(serving):
    column = serving.catalogue.categories["department"]
    return column.codes == column.values.index("fruit")


def test_the_order_of_the_rules_reaches_the_user_and_scores_stay_true(shop):
    plain, varied = build_serving(shop), build_serving(shop, PipelineOptions(diversity=Diversity(mmr=0.8)))
    moved = other = 0
    for user in USERS:
        before = plain.pipeline.run(Query(user, NOW, n=59))
        after = varied.pipeline.run(Query(user, NOW))
        scores = dict(zip(before.items.tolist(), before.scores.tolist(), strict=True))
        assert after.scores.tolist() == pytest.approx([scores[item] for item in after.items.tolist()])
        assert after.fallback is None
        moved += not (np.diff(after.scores) <= 0).all()
        other += after.items.tolist() != before.items[:10].tolist()
        same = varied.pipeline.run(Query(user, NOW, diverse=False))
        assert same.items.tolist() == before.items[:10].tolist()
    assert other > len(USERS) / 2
    assert moved


def test_caps_on_businesses(shop):
    serving = made(shop, diversity=Diversity(owner_cap=7))
    large = serving.catalogue.owner.codes == serving.catalogue.owner.values.index("large")
    for result in lists(serving):
        assert large[result.items].sum() == 7
        assert len(result.items) == 10


@given(least=st.floats(0.05, 0.6), n=st.integers(3, 12), user=st.sampled_from(USERS))
def test_each_list_gives_a_group_its_least_share(shop, least, n, user):
    serving = quotas(shop, round(least, 2))
    result = serving.pipeline.run(Query(user, NOW, n=n))
    member = fruit(serving) & serving.catalogue.in_stock
    assert share(serving, [result], member)[0] >= round(least, 2) - 1e-9
    assert len(set(result.items.tolist())) == n
    assert result.fallback is None


_MADE: dict[float, Serving] = {}


def quotas(shop, least):
    if least not in _MADE:
        _MADE[least] = made(shop, {"fruits": GroupOptions(filter=FRUIT, list_share=least)})
    return _MADE[least]


def test_a_quota_takes_no_more_than_it_needs(shop):
    plain, held = made(shop), quotas(shop, 0.2)
    member = fruit(plain)
    enough = [
        (before, after)
        for before, after in zip(lists(plain), lists(held), strict=True)
        if share(plain, [before], member)[0] >= 0.2
    ]
    assert enough
    assert all(before.items.tolist() == after.items.tolist() for before, after in enough)


def test_shares_over_time_are_reached(shop):
    target = 0.5
    plain = made(shop)
    serving = made(shop, {"fruits": GroupOptions(filter=FRUIT, share=target)})
    assert share(plain, lists(plain), fruit(plain)).mean() < target - 0.1
    lists(serving, times=4)
    reached = share(serving, lists(serving, times=3), fruit(serving)).mean()
    assert abs(reached - target) < 0.06
    account = serving.opened.exposure
    assert account.targets == {"fruits": target}
    assert 0 < account.reached()["fruits"] <= 1


def test_scenarios_have_their_own_account_and_may_stand_aside(shop):
    scenarios = {"free": Scenario(fairness=False)}
    serving = made(shop, {"fruits": GroupOptions(filter=FRUIT, share=0.6, list_share=0.3)}, scenarios)
    plain = made(shop)
    free, before = lists(serving, scenario="free"), lists(plain)
    assert [one.items.tolist() for one in free] == [one.items.tolist() for one in before]
    assert np.isnan(serving.opened.exposure.reached()["fruits"])
    lists(serving, scenario="discover")
    assert serving.opened.exposure.controller("discover").lists == len(USERS)
    assert serving.opened.exposure.controller("home").lists == 0


def test_the_account_outlives_a_change_of_items(shop):
    serving = made(shop, {"fruits": GroupOptions(filter=FRUIT, share=0.9)})
    lists(serving)
    before = serving.opened.exposure.controller("home").boosts.copy()
    assert before > 0
    assert serving.over(serving.tables).opened.exposure.controller("home").boosts == before


def test_what_nobody_sees_does_not_count(shop):
    serving = made(shop, {"fruits": GroupOptions(filter=FRUIT, share=0.6)})
    serving.warm()
    assert serving.opened.exposure.controller("home").lists == 0
    lists(serving, unseen=True)
    assert np.isnan(serving.opened.exposure.reached()["fruits"])


def test_boosts_and_dampening(shop):
    plain = made(shop)
    up = made(shop, {"fruits": GroupOptions(filter=FRUIT, boost=0.5)})
    down = made(shop, {"fruits": GroupOptions(filter=FRUIT, boost=-0.5)})
    shares = [share(serving, lists(serving), fruit(serving)).mean() for serving in (down, plain, up)]
    assert shares[0] < shares[1] < shares[2]
    damped = made(shop, fairness={"popularity": 0.8})
    popularity = plain.tables.popularity

    def mean(results):
        return np.mean([popularity[one.items].mean() for one in results])

    assert mean(lists(damped)) < mean(lists(plain))
    undone = lists(damped, weights={"popularity": 0.0})
    assert [one.items.tolist() for one in undone] == [one.items.tolist() for one in lists(plain)]


def test_new_items_and_small_businesses_are_groups(shop):
    groups = {"new_items": GroupOptions(new_days=4.5, list_share=0.25), "small": GroupOptions(owner_items=1, boost=1)}
    serving = made(shop, groups)
    # Nobody knows the new ones: no source but that of the groups brings them.
    serving.tables.popularity[:5] = 0
    for result in lists(serving):
        assert set(range(5)) & set(result.items.tolist())
    later = serving.pipeline.run(Query(USERS[3], NOW + 30 * DAY))
    assert "groups" in later.trace.sources
    assert later.trace.retrieved["groups"] == 0


def test_what_only_a_group_brings_says_so(shop):
    serving = made(shop, {"new_items": GroupOptions(new_days=4.5, list_share=0.9)}, sources=("buy_again",))
    result = serving.pipeline.run(Query(USERS[3], NOW))
    own = set(serving.states.history(USERS[3], NOW).item.tolist())
    said = {reason for item, reason in zip(result.items.tolist(), result.reasons, strict=True) if item not in own}
    assert ("declared_group", "one of: new items") in said


def test_no_ranker_learns_from_the_groups(shop):
    serving = made(shop, {"small": GroupOptions(owner_items=1, share=0.1)})
    assert "groups" in [source.name for source in serving.pipeline.main]
    assert not any(name.startswith(("groups", "popular")) for name in serving.pipeline.source_columns)


def test_groups_that_the_items_know_nothing_of(shop):
    for group in (GroupOptions(owner_items=1), GroupOptions(new_days=3), GroupOptions(filter={"colour": {"eq": "x"}})):
        with pytest.raises(BundleError, match="group 'odd'"):
            build_serving(shop, PipelineOptions(fairness=FairnessOptions(groups={"odd": group})))
