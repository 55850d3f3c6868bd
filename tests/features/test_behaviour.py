from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from savor.core.errors import ConfigError
from savor.data.events import Events
from savor.data.histories import Histories, History
from savor.features.behaviour import BEHAVIOUR, SESSION_GAP, session_share
from savor.features.feature_space import FeatureSpace
from savor.features.history_window import known_until
from savor.features.newcomers import hide_behaviour
from savor.features.options import FeatureOptions
from savor.features.profiles import UserProfile
from savor.features.searches import Searches, SearchHistory
from tests.features.contents import CATALOGUE, EVENTS, PROFILES, encode, full_space, make_images, make_texts, some_texts
from tests.features.synthetic import START, make_events, shop

DAY = 86_400
NOW = START + 100 * DAY
USERS = np.arange(len(PROFILES), dtype=np.int32)


def with_sessions(events):
    """The same events, crowded into mornings, so that sessions are common."""
    time = START + (events.time - START) // (9 * DAY) * (9 * DAY) + np.arange(len(events)) % 7 * 900
    order = np.argsort(time, kind="stable")
    return replace(events, time=time, basket=np.full(len(time), -1)).select(order)


CROWDED = with_sessions(EVENTS)


@pytest.fixture(scope="module")
def space() -> FeatureSpace:
    return full_space(CROWDED)


def test_every_input_is_there(space):
    assert set(BEHAVIOUR) - {"history_seconds"} <= set(space.user_signature)
    assert {"item_text", "item_image", "item_image_known", "item_reviews"} <= set(space.item_signature)
    inputs = space.user_inputs(USERS, Histories.from_events(CROWDED, len(PROFILES)), np.full(len(USERS), NOW))
    assert list(inputs) == list(space.user_signature)
    for name, spec in space.user_signature.items():
        assert inputs[name].shape == (len(USERS), *spec.shape), name
        assert inputs[name].dtype == spec.dtype, name
    items = space.item_inputs(np.arange(-1, 42, dtype=np.int32))
    assert list(items) == list(space.item_signature)
    assert items["item_image"].dtype == np.float32
    without = items["item_image_known"][:, 0] == 0
    assert not items["item_image"][without].any()
    assert items["item_image"][~without].any(axis=1).all()
    assert without.tolist() == [row % 7 == 3 or not 0 <= row < 40 for row in range(-1, 42)]


def test_online_and_offline_agree(space):
    histories = Histories.from_events(CROWDED, len(PROFILES))
    assert space.searches is not None
    rng = np.random.default_rng(3)
    users = rng.integers(0, len(PROFILES), 80).astype(np.int32)
    moments = np.concatenate([rng.integers(START, NOW, 40), CROWDED.time[rng.integers(0, len(CROWDED), 40)] + 60])
    batch = space.user_inputs(users, histories, moments)
    assert batch["session_item"].any()
    assert batch["search_text"].any()
    for row, (user, now) in enumerate(zip(users.tolist(), moments.tolist(), strict=True)):
        online = space.user_input(histories.of(user), PROFILES.of(user), now, space.searches.of(user))
        for name, column in batch.items():
            assert np.array_equal(column[row], online[name][0]), name
            assert column.dtype == online[name].dtype, name


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 29), st.integers(0, 91 * DAY), st.integers(1, 60), st.booleans())
def test_nothing_from_after_now_enters_any_input(user, offset, added, strictly):
    now = np.asarray([START + offset], np.int64)
    first = int(now[0]) if strictly else int(now[0]) + 1
    kept = CROWDED.select(CROWDED.time < first)
    later = make_events([user] * added, np.arange(added) % 40, first + np.arange(added) * 600)
    columns = [field.name for field in fields(Events)]
    both = Events(**{name: np.concatenate([getattr(kept, name), getattr(later, name)]) for name in columns})
    texts = some_texts()
    known = texts.time < now[0]
    asked = make_texts(
        np.r_[texts.user[known], [user] * added],
        np.r_[texts.time[known], int(now[0]) + np.arange(added)],
        [
            *(search for search, early in zip(texts.search, known, strict=True) if early),
            *(f"later {row}" for row in range(added)),
        ],
    )
    before = SPACE
    after = replace(SPACE, searches=Searches.encode(asked, len(PROFILES), encode, "made"))

    def inputs(space, events):
        histories = Histories.from_events(events, len(PROFILES))
        users = np.asarray([user], np.int32)
        batch = space.user_inputs(users, histories, now, known_until(histories, users, now, strictly=strictly))
        if strictly:
            return batch
        online = space.user_input(histories.of(user), PROFILES.of(user), int(now[0]), space.searches.of(user))
        return {**batch, **{f"online {name}": column for name, column in online.items()}}

    one, other = inputs(before, kept), inputs(after, both)
    for name in one:
        assert np.array_equal(one[name], other[name]), name


SPACE = full_space(CROWDED)


def test_visual_preference_is_the_mean_of_the_last_liked_pictures():
    items = [1, 3, 5, 8, 9, 11, 2]
    events = make_events([0] * 7, items, START + np.arange(7) * DAY)
    events = replace(events, kind=np.asarray([0, 0, 1, 0, 0, 0, 0], np.uint8))
    histories = Histories.from_events(events, len(PROFILES))
    images = make_images()
    space = full_space(liked_kinds=("purchase",), visual_items=4)
    inputs = space.user_inputs(np.asarray([0, 1], np.int32), histories, np.full(2, NOW))
    liked = [8, 9, 11, 2]
    assert images.row[3] == 0
    expected = images.vectors[images.row[liked]].astype(np.float64).mean(axis=0)
    assert inputs["visual_preference"][0] == pytest.approx(expected, abs=1e-6)
    assert inputs["visual_preference_known"].tolist() == [[1.0], [0.0]]
    assert not inputs["visual_preference"][1].any()
    # Of the last four before day 4, the view does not count and item 3 has no picture.
    early = space.user_inputs(np.asarray([0], np.int32), histories, np.asarray([START + 4 * DAY - 1]))
    expected = images.vectors[images.row[[1, 8]]].astype(np.float64).mean(axis=0)
    assert early["visual_preference"][0] == pytest.approx(expected, abs=1e-6)
    assert early["visual_preference_known"].tolist() == [[0.5]]


def test_liking_can_need_a_least_value():
    events = make_events([0] * 3, [0, 1, 4], START + np.arange(3))
    events = replace(events, value=np.asarray([5, 2, 4], np.float32))
    images = make_images()
    inputs = full_space(liked_minimum=4).user_inputs(
        np.asarray([0], np.int32), Histories.from_events(events, len(PROFILES)), np.asarray([NOW])
    )
    expected = images.vectors[images.row[[0, 4]]].astype(np.float64).mean(axis=0)
    assert inputs["visual_preference"][0] == pytest.approx(expected, abs=1e-6)


def test_liked_kinds_must_exist():
    with pytest.raises(ConfigError, match="liked_kinds"):
        full_space(liked_kinds=("adored",))


def test_a_session_reaches_back_over_short_pauses_and_one_basket():
    times = START + np.asarray([0, 100, 100 + SESSION_GAP + 1, 2 * SESSION_GAP, 6 * SESSION_GAP, 6 * SESSION_GAP + 5])
    events = make_events([0] * 6, [4, 5, 6, 7, 8, 9], times, basket=[-1, -1, -1, 50, 50, 51])
    histories = Histories.from_events(events, len(PROFILES))
    codes = SPACE.item_table["item_id"]

    def session(now):
        inputs = SPACE.user_inputs(np.asarray([0], np.int32), histories, np.asarray([now], np.int64))
        return inputs["session_item"][0].tolist()

    assert session(START + 100) == [codes[5], codes[4], 0, 0]
    assert session(START + 100 + SESSION_GAP) == [codes[5], codes[4], 0, 0]
    assert session(START + 100 + SESSION_GAP + 1) == [codes[6], 0, 0, 0]
    # 7 and 8 lie far apart but in one basket; 6 is near 7.
    assert session(times[5]) == [codes[9], codes[8], codes[7], codes[6]]
    assert session(times[5] + SESSION_GAP + 1) == [0, 0, 0, 0]
    assert session(START - 1) == [0, 0, 0, 0]


def test_the_session_is_left_out_where_training_would_hardly_see_one():
    apart = make_events([0, 0, 1], [1, 2, 3], [START, START + DAY, START + DAY + 60])
    near = make_events([0, 0, 1, 0], [1, 2, 3, 4], [START, START + DAY, START + DAY + 60, START + DAY + 70])
    one_basket = replace(near, basket=np.asarray([5, 6, 7, 6]))
    shares = [session_share(Histories.from_events(events, 3)) for events in (apart, near, one_basket)]
    assert shares == [0.0, 0.25, 0.0]
    assert "session_item" not in full_space(one_basket).user_signature
    assert "session_item" in full_space(near).user_signature
    assert "session_item" not in full_space(near, session=False).user_signature


def test_searches_are_averaged_over_the_last_few():
    times = START + np.asarray([10, 20, 30, 40])
    texts = make_texts([0] * 4, times, ["a", "b", "c", "d"])
    searches = Searches.encode(texts, len(PROFILES), encode, "made")
    vectors = {text: encode([text])[0].astype(np.float16).astype(np.float32) for text in "abcde"}

    def mean(of):
        return pytest.approx(np.mean([vectors[text] for text in of], axis=0), abs=1e-6)

    users = np.asarray([0, 0, 0, 1], np.int32)
    found = searches.mean(users, START + np.asarray([40, 41, 10, 99]), 3)
    assert found[0] == mean("abc")
    assert found[1] == mean("bcd")
    assert not found[2:].any()
    space = replace(SPACE, searches=searches)
    asked = encode(["e"])[0]
    online = space.user_input(History.empty(), UserProfile("x"), START + 41, searches.of(0), asked)["search_text"]
    assert online[0] == mean("cde")
    alone = space.user_input(History.empty(), UserProfile("x"), START, SearchHistory.empty(), asked)["search_text"]
    assert alone[0] == mean("e")
    assert not space.user_input(History.empty(), UserProfile("x"), START)["search_text"].any()


def test_searches_before_a_moment_are_all_that_a_bundle_keeps(tmp_path):
    searches = SPACE.searches
    assert searches is not None
    cut = START + 45 * DAY
    kept = searches.before(cut)
    assert 0 < len(kept.time) < len(searches.time)
    assert kept.time.max() < cut
    moments = np.full(len(USERS), cut)
    assert np.array_equal(kept.mean(USERS, np.full(len(USERS), NOW), 3), searches.mean(USERS, moments, 3))
    kept.save(tmp_path)
    again = Searches.load(tmp_path)
    assert again.encoder == "made"
    assert np.array_equal(again.mean(USERS, moments, 3), kept.mean(USERS, moments, 3))


def test_hidden_users_have_exactly_the_inputs_of_newcomers(space):
    histories = Histories.from_events(CROWDED, len(PROFILES))
    now = int(CROWDED.time[-1]) + 60
    inputs = space.user_inputs(USERS, histories, np.full(len(USERS), now))
    seen = {name: column.copy() for name, column in inputs.items()}
    hide_behaviour(inputs, np.random.default_rng(0), 0.5, space.users.ids.buckets)
    hidden = [row for row in USERS if inputs["user_id"][row] != seen["user_id"][row]]
    assert 5 < len(hidden) < 25
    stranger_of = {space.users.ids.bucket(name): name for name in (f"stranger {n}" for n in range(2000))} | {0: ""}
    for row in USERS:
        if row not in hidden:
            assert all(np.array_equal(inputs[name][row], seen[name][row]) for name in inputs)
            continue
        profile = replace(PROFILES.of(int(row)), id=stranger_of[int(inputs["user_id"][row])])
        newcomer = space.user_input(History.empty(), profile, now)
        assert newcomer.keys() == inputs.keys()
        for name in inputs:
            assert np.array_equal(inputs[name][row], newcomer[name][0]), name


@pytest.mark.parametrize(
    ("options", "gone"),
    [
        ({"history": False}, {"history_item", "history_category", "history_age"}),
        ({"visual_preference": False}, {"visual_preference", "visual_preference_known"}),
        ({"images": False}, {"item_image", "item_image_known"}),
        ({"search": False}, {"search_text"}),
        ({"reviews": False}, {"item_reviews"}),
        ({"session": False}, {"session_item", "session_category"}),
        ({"profile": False}, {"user_category_0", "user_tag_0", "user_numeric"}),
        ({"item_id": False}, {"item_id"}),
        ({"text": False}, {"item_text"}),
        ({"moment": False}, {"moment"}),
        (
            {"attributes": False},
            {"item_category_0", "item_category_1", "item_tag_0", "history_category", "session_category"},
        ),
    ],
)
def test_a_switch_takes_out_its_inputs_and_no_others(space, options, gone, tmp_path):
    less = full_space(CROWDED, **options)
    everything = {**space.user_signature, **space.item_signature}
    left = {**less.user_signature, **less.item_signature}
    assert everything.keys() - left.keys() == gone
    histories = Histories.from_events(CROWDED, len(PROFILES))
    assert less.user_inputs(USERS, histories, np.full(len(USERS), NOW)).keys() == less.user_signature.keys()
    assert less.item_inputs(USERS).keys() == less.item_signature.keys()
    less.save(tmp_path)
    again = FeatureSpace.load(tmp_path)
    assert again.user_signature == less.user_signature
    assert again.item_signature == less.item_signature
    for name, column in less.user_input(histories.of(3), PROFILES.of(3), NOW).items():
        assert np.array_equal(again.user_input(histories.of(3), PROFILES.of(3), NOW)[name], column), name


def test_a_tower_needs_an_input():
    options = FeatureOptions(user_id=False, profile=False, history=False, moment=False)
    with pytest.raises(ConfigError, match="every input of the user tower"):
        FeatureSpace.fit(EVENTS, CATALOGUE, PROFILES, options)


def test_ages_in_seconds_where_asked_for():
    events, catalogue, profiles, _ = shop()
    space = FeatureSpace.fit(events, catalogue, profiles, FeatureOptions(history_length=6, history_seconds=True), None)
    histories, now = Histories.from_events(events, len(profiles)), int(events.time[-1]) + 5
    found = space.user_inputs(np.asarray([3], np.int32), histories, np.asarray([now]))
    history = histories.of(3)
    assert found["history_seconds"].tolist() == [(now - history.time[::-1][:6]).tolist()]
    assert found["history_seconds"].dtype == np.int32
    online = space.user_input(history, profiles.of(3), now)
    assert np.array_equal(online["history_seconds"], found["history_seconds"])
    later = space.user_inputs(np.asarray([3], np.int32), histories, np.asarray([now + 2**40]))
    assert (later["history_seconds"] == 2**31 - 2).all()
    assert space.user_signature["history_seconds"].cardinality == 2**31 - 1
