import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from savor.data.events import Events
from savor.data.histories import History as ServerHistory
from savor.export.edge_catalogue import write_catalogue
from savor.export.edge_features import write_features
from savor.export.own_items import OwnItemsBonus
from savor.features.columns import CategoryColumn, Columns, TagColumn
from savor.features.feature_space import FeatureSpace
from savor.features.history_window import AGE_BUCKETS
from savor.features.history_window import age_bucket as server_age_bucket
from savor.features.options import FeatureOptions
from savor.features.profiles import Profiles, UserProfile
from savor.features.vocabulary import Vocabulary
from savor.online.user_states import UserStates
from savor_edge import EdgeError
from savor_edge.codes import Codes
from savor_edge.eligibility import model_mask, own_bonus
from savor_edge.features import EdgeFeatures, age_bucket
from savor_edge.history import History
from tests.synthetic_bundle import DAY, NOW

TASTES = ("", "häppy", "salty", "sour", "sweet", "🍋")


def same(made, expected):
    assert set(made) == set(expected)
    for name, value in expected.items():
        assert made[name].dtype == value.dtype, name
        assert made[name].shape == value.shape, name
        assert np.array_equal(made[name], value), (name, made[name], value)


def told(history, ids):
    """The server's history as events of a device."""
    columns = zip(history.item.tolist(), history.time.tolist(), history.basket.tolist(), strict=True)
    return [
        {"kind": "purchase", "item_id": ids[item], "time": time, **({} if basket < 0 else {"basket_id": str(basket)})}
        for item, time, basket in columns
    ]


@pytest.mark.parametrize("pause", [0, 61, 1800, 1801, DAY, 400 * DAY])
def test_inputs_of_every_user_are_those_of_the_server(edge_shop, pause):
    features = EdgeFeatures.open(edge_shop.folder)
    states = UserStates.load(edge_shop.server.path("state"))
    for user in states.ids:
        history, profile = states.history(user, NOW), states.profile(user)
        now = int(history.time[-1]) + pause if len(history) else NOW
        expected = edge_shop.space.user_input(history, profile, now)
        expected["user_id"] = np.zeros(1, np.int32)
        same(features.inputs(told(history, edge_shop.catalogue.ids), dict(profile.categories), now, user), expected)


@pytest.fixture(scope="module")
def rich(edge_shop, tmp_path_factory):
    """A feature space with every kind of input, and the features of a device that goes with it."""
    rng = np.random.default_rng(11)
    catalogue, users, number = edge_shop.catalogue, 30, 900
    columns = Columns(
        {"city": CategoryColumn.from_strings([("Århus", None, "Oslo")[row % 3] for row in range(users)])},
        {"tastes": TagColumn.from_lists([list(TASTES[1 + row % 4 : 3 + row % 4]) for row in range(users)])},
        {"age": np.linspace(1, 80, users, dtype=np.float32), "income": rng.gamma(0.3, 1e4, users).astype(np.float32)},
    )
    profiles = Profiles([f"person {row}" for row in range(users)], columns)
    time = np.sort(NOW - rng.integers(0, 40 * DAY, number) // 600 * 600)
    events = Events(
        rng.integers(0, users, number).astype(np.int32),
        rng.integers(0, len(catalogue), number).astype(np.int32),
        time,
        np.zeros(number, np.uint8),
        np.ones(number, np.float32),
        np.full(number, 2, np.float32),
        np.where(rng.random(number) < 0.5, rng.integers(0, 40, number), -1),
        np.zeros(number, np.uint8),
    )
    options = FeatureOptions(
        text=False, history_length=9, session_length=4, history_seconds=True, maximum_tags=3, minimum_count=15
    )
    space = FeatureSpace.fit(events, catalogue, profiles, options, kinds=["purchase"])
    assert {"session_item", "session_category", "history_seconds", "user_numeric", "user_tag_0"} <= set(
        space.user_signature
    )
    folder = tmp_path_factory.mktemp("rich")
    write_catalogue(edge_shop.server, catalogue, space, np.arange(len(catalogue), dtype=np.int32), folder)
    write_features(edge_shop.server, space, list(space.user_signature), folder, user_ids=True)
    return space, EdgeFeatures.open(folder), catalogue.ids


TEXTS = st.one_of(st.sampled_from(TASTES), st.text(max_size=6))
PROFILES = st.fixed_dictionaries(
    {},
    optional={
        "city": st.one_of(st.none(), st.sampled_from(["Oslo", "Århus", ""]), TEXTS),
        "tastes": st.lists(TEXTS, max_size=6),
        "age": st.one_of(st.floats(-1e40, 1e40), st.just(float("nan"))),
        "income": st.one_of(st.integers(-5, 10**7), st.floats(0, 1e6)),
    },
)
DEEDS = st.lists(
    st.tuples(
        st.integers(0, 59),
        st.sampled_from([0, 1, 599, 1799, 1800, 1801, 3600, 7199, 7200, DAY, 3 * DAY + 7]),
        st.integers(-1, 2),
    ),
    max_size=24,
)


@pytest.mark.filterwarnings("ignore:overflow encountered in cast:RuntimeWarning")
@given(profile=PROFILES, deeds=DEEDS, pause=st.sampled_from([0, 1, 1800, 1801, 5000]), user=st.integers(-1, 31))
def test_inputs_are_those_of_the_server_whatever_somebody_did_and_said(rich, profile, deeds, pause, user):
    space, features, ids = rich
    gaps = np.cumsum([gap for _, gap, _ in deeds], dtype=np.int64)
    history = ServerHistory(
        np.asarray([item for item, _, _ in deeds], np.int32),
        NOW - 20 * DAY + gaps,
        np.zeros(len(deeds), np.uint8),
        np.ones(len(deeds), np.float32),
        np.ones(len(deeds), np.float32),
        np.asarray([basket for _, _, basket in deeds], np.int64),
    )
    now = (int(history.time[-1]) if deeds else NOW) + pause
    name = "" if user < 0 else f"person {user}"
    known = UserProfile(
        name,
        {"city": profile.get("city")},
        {"tastes": profile.get("tastes", [])},
        {name: profile[name] for name in ("age", "income") if name in profile},
    )
    same(features.inputs(told(history, ids), profile, now, name), space.user_input(history, known, now))


@given(st.lists(st.text(max_size=8), max_size=5), st.text(), st.integers(1, 70))
def test_codes_are_those_of_the_vocabulary(values, text, buckets):
    vocabulary = Vocabulary.fit(values, buckets)
    codes = Codes(vocabulary.values, buckets)
    assert [codes.of(one) for one in (*values, text)] == [vocabulary.code(one) for one in (*values, text)]


def test_ages_on_both_sides_of_every_bucket_are_those_of_the_server():
    edges = 3600 * (2 ** np.arange(27, dtype=np.int64) - 1)
    ages = np.concatenate([edges - 1, edges, edges + 1, edges + 1799])
    ages = ages[ages >= 0]
    assert np.array_equal(age_bucket(ages, AGE_BUCKETS - 1), server_age_bucket(ages))


def test_events_that_do_not_count_are_left_out(edge_shop):
    features = EdgeFeatures.open(edge_shop.folder)
    first, second = edge_shop.catalogue.ids[:2]
    history = features.history(
        [
            {"kind": "impression", "item_id": first, "time": 1},
            {"kind": "view", "item_id": second, "time": 9},
            {"kind": "purchase", "item_id": "nowhere", "time": 3},
            {"kind": "purchase", "item_id": first, "time": 4},
            {"kind": "search", "time": 5},
        ]
    )
    assert history.item.tolist() == [0, 1]
    assert history.time.tolist() == [4, 9]
    assert history.seen.tolist() == [True, False]
    assert history.at(6).time.tolist() == [4, 6]
    assert not History.of([])


def test_items_outside_a_shortlist_count_in_histories(edge_shop, shortlist):
    features, whole = EdgeFeatures.open(shortlist.folder), EdgeFeatures.open(edge_shop.folder)
    outside = [edge_shop.catalogue.ids[row] for row in range(60) if row not in shortlist.rows]
    events = [{"kind": "purchase", "item_id": name, "time": NOW - 60} for name in outside[:10]]
    made = features.inputs(events, {}, NOW)
    assert len(features.history(events).item) == 10
    same(made, whole.inputs(events, {}, NOW))


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [("age", 5.5, "a text"), ("age", True, "a text"), ("age", ["x"], "a text")],
)
def test_a_profile_of_the_wrong_type_is_refused(edge_shop, column, value, expected):
    with pytest.raises(EdgeError, match=f"'{column}' of the profile takes {expected}, not {type(value).__name__}"):
        EdgeFeatures.open(edge_shop.folder).inputs([], {column: value}, NOW)


@pytest.mark.parametrize(("column", "value"), [("tastes", "sweet"), ("tastes", [1.5]), ("age", "old"), ("age", [])])
def test_other_columns_too(rich, column, value):
    with pytest.raises(EdgeError, match=column) as caught:
        rich[1].inputs([], {column: value}, NOW)
    assert caught.value.code == "request_invalid"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda document: document.update(format_version=2), "has format 2.*update savor-edge"),
        (lambda document: document["inputs"]["history_age"].update(kind="dream"), "'dream'.*update savor-edge"),
        (lambda document: document.pop("events"), "cannot be read .KeyError: 'events'"),
        (lambda document: document["inputs"].update(history_age=3), "cannot be read"),
    ],
)
def test_features_that_cannot_be_used_are_refused(edge_copy, change, message):
    path = edge_copy / "features.json"
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(EdgeError, match=message) as caught:
        EdgeFeatures.open(edge_copy)
    assert caught.value.code == "edge_bundle_invalid"


OWN = OwnItemsBonus(0.4, 60.0, ("purchase",))


def test_the_bonus_of_own_items_is_that_of_the_server(edge_shop, tmp_path):
    write_catalogue(edge_shop.server, edge_shop.catalogue, edge_shop.space, edge_shop.rows, tmp_path)
    write_features(edge_shop.server, edge_shop.space, ["history_item"], tmp_path, own_items=OWN)
    features = EdgeFeatures.open(tmp_path)
    states = UserStates.load(edge_shop.server.path("state"))
    allowed = np.arange(60) % 7 > 0
    for user in states.ids:
        history = states.history(user, NOW)
        expected = np.zeros(60, np.float32)
        items, worth = OWN.of(history, ["purchase"], NOW)
        expected[items] = worth
        known = features.history(told(history, edge_shop.catalogue.ids))
        made = model_mask(allowed, own_bonus(features, known, NOW, 60))
        np.testing.assert_allclose(made[allowed], expected[allowed], atol=1e-6)
        assert (made[~allowed] == np.float32(-1e9)).all()


def test_other_kinds_give_no_bonus_and_without_a_rule_there_is_none(edge_shop, tmp_path):
    write_catalogue(edge_shop.server, edge_shop.catalogue, edge_shop.space, edge_shop.rows, tmp_path)
    write_features(edge_shop.server, edge_shop.space, [], tmp_path, own_items=OWN)
    features, plain = EdgeFeatures.open(tmp_path), EdgeFeatures.open(edge_shop.folder)
    name = edge_shop.catalogue.ids[4]
    viewed, bought = ([{"kind": kind, "item_id": name, "time": NOW}] for kind in ("view", "purchase"))
    assert not own_bonus(features, features.history(viewed), NOW, 60).any()
    assert not own_bonus(plain, plain.history(bought), NOW, 60).any()
    known = own_bonus(features, features.history(bought), NOW + 60 * DAY, 60)
    assert np.flatnonzero(known).tolist() == [4]
    assert known[4] == pytest.approx(0.4 * np.log(1.5), abs=1e-6)


def test_user_ids_stay_on_the_server_unless_asked_for(edge_shop, tmp_path):
    assert b"household" not in (edge_shop.folder / "features.json").read_bytes()
    write_features(edge_shop.server, edge_shop.space, ["user_id"], tmp_path, user_ids=True)
    assert json.loads((tmp_path / "features.json").read_bytes())["inputs"]["user_id"]["values"][0] == "household-0"
