"""What every `Recommender` must do. A test module subclasses `RecommenderConformance` and gives `make`."""

import numpy as np

from savor.data.events import Events
from savor.models.ranked import Ranked
from savor.models.recommender import Recommender

DAY = 86_400


def make_events(rows, number_of_kinds: int = 1) -> Events:
    """Events from (user, item, day[, basket]) tuples, in time order."""
    rows = sorted(rows, key=lambda row: row[2])
    user, item, day = (np.array([row[place] for row in rows]) for place in range(3))
    basket = np.array([row[3] if len(row) > 3 else -1 for row in rows], np.int64)
    size = len(rows)
    return Events(
        user.astype(np.int32),
        item.astype(np.int32),
        (day * DAY).astype(np.int64),
        np.zeros(size, np.uint8),
        np.ones(size, np.float32),
        np.full(size, np.nan, np.float32),
        basket,
        np.zeros(size, np.uint8),
    )


def checkerboard(users: int = 24, items: int = 16) -> Events:
    """Even users take even items, odd users odd ones, and each lacks two of its own colour: the known answer.

    User u lacks items (u % items) and the next of its colour. Item `items` is never taken, and the last user has no
    events, by choosing sizes one larger.
    """
    rows = []
    for user in range(users):
        lacking = {user % items, (user + 2) % items}
        rows += [(user, item, user + item) for item in range(user % 2, items, 2) if item not in lacking]
    return make_events(rows)


class RecommenderConformance:
    USERS, ITEMS = 25, 17
    NOW = 60 * DAY
    personal = True
    offers_unseen = True

    def make(self) -> Recommender:
        raise NotImplementedError

    def fitted(self) -> Recommender:
        model = self.make()
        model.fit(checkerboard(), self.USERS, self.ITEMS, self.NOW)
        return model

    def everybody(self) -> np.ndarray:
        return np.arange(self.USERS, dtype=np.int32)

    def test_is_a_recommender(self):
        model = self.make()
        assert isinstance(model, Recommender)
        assert model.name

    def test_shapes_padding_and_order(self):
        for exclude in (False, True):
            ranked = self.fitted().recommend(self.everybody(), 40, exclude_seen=exclude)
            assert isinstance(ranked, Ranked)
            assert ranked.items.shape == ranked.scores.shape == (self.USERS, 40)
            assert ranked.items.dtype == np.int32
            assert ranked.scores.dtype == np.float32
            assert ((ranked.items >= 0) == (ranked.scores > -np.inf)).all()
            for items, scores in zip(ranked.items, ranked.scores, strict=True):
                used = items[items >= 0]
                assert (items[: len(used)] >= 0).all()
                assert len(np.unique(used)) == len(used)
                kept = scores[: len(used)]
                assert (kept[1:] <= kept[:-1]).all()
                ties = kept[1:] == kept[:-1]
                assert (used[1:][ties] > used[:-1][ties]).all()

    def test_an_item_without_events_is_never_offered(self):
        assert not (self.fitted().recommend(self.everybody(), 40, exclude_seen=False).items == self.ITEMS - 1).any()

    def test_seen_items_are_left_out(self):
        events = checkerboard()
        ranked = self.fitted().recommend(self.everybody(), 40, exclude_seen=True)
        for user, items in enumerate(ranked.items):
            assert not np.isin(items[items >= 0], events.item[events.user == user]).any()

    def test_known_answer(self):
        if not (self.personal and self.offers_unseen):
            return
        users = np.arange(24, dtype=np.int32)
        ranked = self.fitted().recommend(users, 2, exclude_seen=True)
        for user, items in enumerate(ranked.items):
            assert set(items.tolist()) == {user % 16, (user + 2) % 16}

    def test_somebody_without_history(self):
        ranked = self.fitted().recommend(np.array([24], np.int32), 3, exclude_seen=False)
        assert (ranked.items[0] >= 0).all() != self.personal

    def test_any_order_and_number_of_users(self):
        model = self.fitted()
        whole = model.recommend(self.everybody(), 5, exclude_seen=False)
        users = np.array([7, 3, 7], np.int32)
        some = model.recommend(users, 5, exclude_seen=False)
        np.testing.assert_array_equal(some.items, whole.items[users])
        assert model.recommend(np.empty(0, np.int32), 5, exclude_seen=True).items.shape == (0, 5)

    def test_fitting_twice_gives_the_same(self):
        first, second = (self.fitted().recommend(self.everybody(), 10, exclude_seen=False) for _ in range(2))
        np.testing.assert_array_equal(first.items, second.items)
        np.testing.assert_array_equal(first.scores, second.scores)

    def test_one_event(self):
        model = self.make()
        model.fit(make_events([(0, 1, 0)]), 2, 3, 10 * DAY)
        ranked = model.recommend(np.array([0, 1], np.int32), 2, exclude_seen=True)
        assert not (ranked.items[0] == 1).any()
