from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from savor.core.errors import BundleError
from savor.data.histories import Histories, History
from savor.features.feature_space import FeatureSpace
from savor.features.history_window import known_until
from savor.features.options import FeatureOptions
from savor.features.profiles import UserProfile
from tests.features.synthetic import START, make_events, shop

EVENTS, CATALOGUE, PROFILES, TEXT = shop()
NOW = START + 100 * 86_400


@pytest.fixture(scope="module")
def space() -> FeatureSpace:
    return FeatureSpace.fit(EVENTS, CATALOGUE, PROFILES, FeatureOptions(history_length=6), TEXT)


def check(inputs, signature, rows):
    assert list(inputs) == list(signature)
    for name, spec in signature.items():
        assert inputs[name].shape == (rows, *spec.shape), name
        assert inputs[name].dtype == spec.dtype, name
        assert np.isfinite(inputs[name]).all(), name
        if spec.cardinality is not None:
            assert inputs[name].min() >= 0
            assert inputs[name].max() < spec.cardinality, name


def test_inputs_are_what_the_signatures_say(space):
    histories = Histories.from_events(EVENTS, len(PROFILES))
    users = np.asarray([0, 5, -1, 999], np.int32)
    check(space.user_inputs(users, histories, np.full(4, NOW)), space.user_signature, 4)
    check(space.item_inputs(np.asarray([0, 39, 40, -1], np.int32)), space.item_signature, 4)


def test_a_batch_equals_its_rows_one_by_one_online_and_offline(space):
    histories = Histories.from_events(EVENTS, len(PROFILES))
    rng = np.random.default_rng(1)
    users = rng.integers(0, len(PROFILES), 50).astype(np.int32)
    now = rng.integers(START - 10, NOW, 50)
    batch = space.user_inputs(users, histories, now)
    for row, (user, moment) in enumerate(zip(users, now, strict=True)):
        alone = space.user_inputs(users[row : row + 1], histories, now[row : row + 1])
        online = space.user_input(histories.of(int(user)), PROFILES.of(int(user)), int(moment))
        for name, column in batch.items():
            assert np.array_equal(column[row], alone[name][0]), name
            assert np.array_equal(column[row], online[name][0]), name
            assert column.dtype == online[name].dtype, name


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 29), st.integers(0, 91 * 86_400), st.integers(1, 200), st.booleans())
def test_what_happens_later_changes_nothing(space, user, offset, added, strictly):
    now = np.asarray([START + offset], np.int64)
    users = np.asarray([user], np.int32)

    def inputs(events):
        histories = Histories.from_events(events, len(PROFILES))
        return space.user_inputs(users, histories, now, known_until(histories, users, now, strictly=strictly))

    first = int(now[0]) if strictly else int(now[0]) + 1
    kept = EVENTS.select(EVENTS.time < first)
    later = make_events([user] * added, np.arange(added) % 40, first + np.arange(added))
    names = ("user", "item", "time", "kind", "value", "price", "basket", "split")
    both = make_events([], [], [])
    both = replace(both, **{n: np.concatenate([getattr(kept, n), getattr(later, n)]) for n in names})
    before, after = inputs(kept), inputs(both)
    for name in before:
        assert np.array_equal(before[name], after[name]), name


def test_only_what_is_known_is_fitted():
    known = EVENTS.select(EVENTS.item < 30)
    known = known.select(known.user < 20)
    space = FeatureSpace.fit(known, CATALOGUE, PROFILES, FeatureOptions(minimum_count=1), TEXT)
    buckets = space.options.id_buckets
    unseen = space.item_inputs(np.arange(30, 40, dtype=np.int32))
    assert ((unseen["item_id"] >= 1) & (unseen["item_id"] <= buckets)).all()
    assert (space.item_inputs(np.unique(known.item))["item_id"] > buckets).all()
    departments = space.items.categories["department"]
    assert unseen["item_category_0"].tolist() == [departments.code(f"department {row % 4}") for row in range(30, 40)]
    assert (unseen["item_category_0"] > space.options.value_buckets).all()
    assert np.abs(unseen["item_text"]).sum() > 0
    assert space.users.ids.code("user-25") <= buckets < space.users.ids.code("user-3")
    assert space.items.scalers["weight"] == FeatureSpace.fit(
        known, replace(CATALOGUE, numerics={"weight": np.where(np.arange(40) < 30, CATALOGUE.numerics["weight"], 1e6)}),
        PROFILES, FeatureOptions(minimum_count=1), TEXT,
    ).items.scalers["weight"]  # fmt: skip


def test_rare_items_share_buckets():
    counts = np.bincount(EVENTS.item, minlength=40)
    least = int(np.median(counts))
    space = FeatureSpace.fit(EVENTS, CATALOGUE, PROFILES, FeatureOptions(minimum_count=least), None)
    own = space.item_table["item_id"] > space.options.id_buckets
    assert own.tolist() == (counts >= least).tolist()
    assert "item_text" not in space.item_signature


def test_a_person_never_seen(space):
    history = History(
        np.asarray([3, 2_000], np.int32), np.asarray([NOW - 7200, NOW], np.int64), np.zeros(2, np.uint8),
        np.ones(2, np.float32), np.ones(2, np.float32), np.full(2, -1, np.int64),
    )  # fmt: skip
    inputs = space.user_input(history, UserProfile("nobody", {"age": "old", "shoe": "42"}), NOW)
    check(inputs, space.user_signature, 1)
    assert inputs["user_id"][0] == space.users.ids.bucket("nobody")
    assert inputs["user_category_0"][0] == space.users.categories["age"].code("old")
    assert inputs["history_age"][0].tolist() == [1, 2, 0, 0, 0, 0]
    assert inputs["history_item"][0, 1] == space.item_table["item_id"][3]
    empty = space.user_input(History.empty(), UserProfile(""), NOW)
    check(empty, space.user_signature, 1)
    assert empty["user_numeric"][0].tolist() == [0, 1]


def test_items_added_after_training(space):
    bigger = replace(
        CATALOGUE,
        ids=[*CATALOGUE.ids, "brand new"],
        categories={n: c._replace(codes=np.append(c.codes, c.codes[1])) for n, c in CATALOGUE.categories.items()},
        tags={},
        numerics={},
        price=np.append(CATALOGUE.price, np.float32(2)),
    )
    text = replace(TEXT, row=np.append(TEXT.row, TEXT.row[1]))
    grown = space.with_catalogue(bigger, text)
    inputs = grown.item_inputs(np.asarray([1, 40], np.int32))
    check(inputs, space.item_signature, 2)
    assert inputs["item_id"][1] == space.items.ids.bucket("brand new")
    assert inputs["item_category_1"][1] == inputs["item_category_1"][0]
    assert np.array_equal(inputs["item_text"][1], inputs["item_text"][0])
    with pytest.raises(ValueError, match="exactly where"):
        space.with_catalogue(bigger, None)


def test_save_and_load(space, tmp_path):
    space.save(tmp_path)
    again = FeatureSpace.load(tmp_path)
    assert again.options == space.options
    assert again.user_signature == space.user_signature
    assert again.item_signature == space.item_signature
    assert again.text is not None
    assert isinstance(again.text.vectors, np.memmap)
    histories = Histories.from_events(EVENTS, len(PROFILES))
    users, items = np.arange(30, dtype=np.int32), np.arange(45, dtype=np.int32)
    pairs = [
        (space.user_inputs(users, histories, np.full(30, NOW)), again.user_inputs(users, histories, np.full(30, NOW))),
        (space.item_inputs(items), again.item_inputs(items)),
        (
            space.user_input(histories.of(1), UserProfile("zoe"), NOW),
            again.user_input(histories.of(1), UserProfile("zoe"), NOW),
        ),
    ]
    for one, other in pairs:
        for name in one:
            assert np.array_equal(one[name], other[name]), name


def test_a_damaged_space_is_a_bundle_error(space, tmp_path):
    space.save(tmp_path)
    (tmp_path / "feature_space.json").write_text("{")
    with pytest.raises(BundleError, match="cannot be read"):
        FeatureSpace.load(tmp_path)


@pytest.mark.parametrize("options", [{"user_id": False}, {"moment": False}, {"price": False}, {"popularity": False}])
def test_inputs_can_be_left_out(options):
    space = FeatureSpace.fit(EVENTS, CATALOGUE, PROFILES, FeatureOptions(**options), None)
    histories = Histories.from_events(EVENTS, len(PROFILES))
    inputs = space.user_inputs(np.arange(3, dtype=np.int32), histories, np.full(3, NOW))
    check(inputs, space.user_signature, 3)
    check(space.user_input(histories.of(0), PROFILES.of(0), NOW), space.user_signature, 1)
    left_out = next(iter(options))
    assert left_out not in space.user_signature
    assert space.item_signature["item_numeric"].shape == ({"price": (6,), "popularity": (4,)}.get(left_out, (8,)))


def test_the_history_category_must_exist():
    with pytest.raises(ValueError, match="none of the item categories"):
        FeatureSpace.fit(EVENTS, CATALOGUE, PROFILES, FeatureOptions(history_category="colour"), None)
