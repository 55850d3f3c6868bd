import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from savor.online.chi_square import chi_square_tail
from savor.online.experiments.assignment import Assigner, Assignment, Draw, VariantDraw
from savor.online.experiments.options import ExperimentOptions

USERS = [f"user-{number}" for number in range(20_000)]
PLAIN = {"control": {}, "candidate": {"channel": "candidate"}}


def experiment(**more):
    return ExperimentOptions.model_validate({"variants": PLAIN, **more})


def test_a_draw_is_always_the_same_everywhere():
    assert Draw("home").of("ann") == 0.7690374160285627
    assert [VariantDraw("salt", {"a": 1, "b": 1}).of(f"user-{number}") for number in range(12)] == list("aabbbaabbaaa")
    assert Draw("home").of("ann") == Draw("home").of("ann") != Draw("home").of("bob") != Draw("basket").of("bob")
    assert [VariantDraw("s", {"b": 1, "a": 1}).of(user) for user in USERS[:100]] == [
        VariantDraw("s", {"a": 1, "b": 1}).of(user) for user in USERS[:100]
    ]


def test_draws_are_uniform():
    draw = Draw("any")
    counts = np.bincount([int(draw.of(user) * 50 - 1e-12) for user in USERS], minlength=50)
    expected = len(USERS) / 50
    assert chi_square_tail(float(((counts - expected) ** 2 / expected).sum()), 49) > 1e-4
    assert 0 < min(map(draw.of, USERS)) < max(map(draw.of, USERS)) <= 1


def test_similar_ids_and_similar_names_are_independent():
    first, second = Draw("layer\na"), Draw("layer\nb")
    table = np.zeros((4, 4))
    for user in USERS:
        table[int(first.of(user) * 4 - 1e-12), int(second.of(user) * 4 - 1e-12)] += 1
    expected = len(USERS) / 16
    assert chi_square_tail(float(((table - expected) ** 2 / expected).sum()), 15) > 1e-4


def test_shares_follow_the_weights():
    draw = VariantDraw("salt", {"a": 1, "b": 2, "c": 5, "never": 0})
    found = [draw.of(user) for user in USERS]
    counts = np.array([found.count(name) for name in "abc"])
    assert counts.sum() == len(USERS)
    expected = len(USERS) * np.array([1, 2, 5]) / 8
    assert chi_square_tail(float(((counts - expected) ** 2 / expected).sum()), 2) > 1e-4


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0.01, 5), min_size=2, max_size=4), st.floats(0.01, 5), st.integers(0, 3))
def test_changing_one_weight_moves_users_only_to_or_from_that_variant(weights, new, changed):
    changed %= len(weights)
    names = [f"v{number}" for number in range(len(weights))]
    before = dict(zip(names, weights, strict=True))
    after = {**before, names[changed]: new}
    old, now = VariantDraw("s", before), VariantDraw("s", after)
    for user in USERS[:300]:
        was, is_ = old.of(user), now.of(user)
        if was != is_:
            assert names[changed] == (is_ if new > before[names[changed]] else was)


def test_a_change_moves_no_more_users_than_it_must():
    old, now = VariantDraw("s", {"a": 1, "b": 1}), VariantDraw("s", {"a": 1, "b": 3})
    moved = np.mean([old.of(user) != now.of(user) for user in USERS])
    assert moved == pytest.approx(0.25, abs=0.015)


def test_another_salt_draws_anew():
    first, second = VariantDraw("s", {"a": 1, "b": 1}), VariantDraw("t", {"a": 1, "b": 1})
    same = np.mean([first.of(user) == second.of(user) for user in USERS])
    assert same == pytest.approx(0.5, abs=0.02)


def test_independent_experiments():
    assigner = Assigner({"one": experiment(), "two": experiment(share=0.5)})
    table = {("control", "control"): 0, ("control", "candidate"): 0, ("candidate", "control"): 0,
             ("candidate", "candidate"): 0}  # fmt: skip
    taking_part = 0
    for user in USERS:
        found = dict(assigner.assign(user))
        if "two" in found:
            taking_part += 1
            table[found["one"], found["two"]] += 1
    assert taking_part / len(USERS) == pytest.approx(0.5, abs=0.02)
    expected = taking_part / 4
    assert chi_square_tail(sum((count - expected) ** 2 / expected for count in table.values()), 3) > 1e-4


def test_layers_exclude_each_other_and_adding_one_moves_nobody():
    first = {"one": experiment(layer="place", share=0.3)}
    both = {**first, "two": experiment(layer="place", share=0.6, offset=0.3)}
    before, after = Assigner(first), Assigner(both)
    found = {user: dict(after.assign(user)) for user in USERS}
    assert all(len(one) <= 1 for one in found.values())
    assert all(dict(before.assign(user)) == {k: v for k, v in one.items() if k == "one"} for user, one in found.items())
    assert np.mean(["two" in one for one in found.values()]) == pytest.approx(0.6, abs=0.02)


def test_a_growing_share_keeps_those_who_were_in():
    small, large = Assigner({"one": experiment(share=0.1)}), Assigner({"one": experiment(share=0.4)})
    for user in USERS[:3000]:
        if found := small.assign(user):
            assert large.assign(user) == found


def test_a_rollout_never_takes_the_variant_from_anybody():
    options = experiment(rollout={}, guardrails=[{"metric": "ctr"}])
    assert all(Assigner({"one": options}).assign(user)[0].variant == "control" for user in USERS[:500])
    had: set[str] = set()
    for share in (0.0, 0.01, 0.05, 0.2, 0.5, 1.0):
        assigner = Assigner({"one": options}, {"one": share})
        has = {user for user in USERS if assigner.assign(user) == (Assignment("one", "candidate"),)}
        assert had <= has
        assert len(has) / len(USERS) == pytest.approx(share, abs=0.015)
        had = has


def test_scenarios():
    assigner = Assigner({"one": experiment(scenarios=["home"])})
    assert assigner.assign("ann", "basket") == ()
    assert assigner.assign("ann", "home") == assigner.assign("ann") != ()
    assert assigner.assign("ann")[0].label in ("one=control", "one=candidate")


@given(st.text(max_size=20))
def test_any_id_is_assigned(user):
    assigner = Assigner({"one": experiment()})
    assert assigner.assign(user) == assigner.assign(user)
    assert len(assigner.assign(user)) == 1


def test_no_weight_at_all():
    with pytest.raises(ValueError, match="above 0"):
        VariantDraw("s", {"a": 0})
