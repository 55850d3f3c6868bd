import numpy as np
import pytest

from savor.core.errors import TrainingError
from savor.models.baselines.ease import Ease, EaseParams
from savor.models.baselines.families import FAMILIES
from savor.models.baselines.ials import Ials, IalsParams
from savor.models.baselines.item_knn import ItemKnn, ItemKnnParams
from savor.models.baselines.own_frequency import OwnFrequency, OwnFrequencyParams
from savor.models.baselines.popularity import Popularity, PopularityParams
from tests.models.recommender_conformance import DAY, RecommenderConformance, checkerboard, make_events

ONE = np.array([0], np.int32)


class TestPopularity(RecommenderConformance):
    personal = False

    def make(self):
        return Popularity()

    def test_hand_computed(self):
        model = self.make()
        model.fit(make_events([(0, 2, 0), (1, 2, 1), (1, 2, 2), (0, 1, 3), (1, 1, 4), (1, 0, 5)]), 3, 5, 6 * DAY)
        ranked = model.recommend(np.array([0, 2], np.int32), 4, exclude_seen=False)
        assert ranked.items.tolist() == [[2, 1, 0, -1]] * 2
        assert ranked.scores[0, :3].tolist() == [3, 2, 1]
        assert model.recommend(ONE, 2, exclude_seen=True).items.tolist() == [[0, -1]]

    def test_users_instead_of_events(self):
        model = Popularity(PopularityParams(count="users"))
        model.fit(make_events([(0, 2, 0), (0, 2, 1), (0, 2, 2), (0, 1, 3), (1, 1, 4)]), 2, 3, 6 * DAY)
        assert model.recommend(ONE, 2, exclude_seen=False).items.tolist() == [[1, 2]]


class TestRecentPopularity(RecommenderConformance):
    personal = False

    def make(self):
        return Popularity(PopularityParams(days=60))

    def test_only_the_window_counts(self):
        model = Popularity(PopularityParams(days=2))
        model.fit(make_events([(0, 2, 0), (1, 2, 1), (1, 0, 9), (1, 1, 9)]), 2, 3, 10 * DAY)
        assert model.name == "recent_popularity"
        assert model.recommend(ONE, 3, exclude_seen=False).items.tolist() == [[0, 1, -1]]


class TestOwnFrequency(RecommenderConformance):
    offers_unseen = False

    def make(self):
        return OwnFrequency()

    def test_hand_computed_decay(self):
        model = OwnFrequency(OwnFrequencyParams(half_life_days=10))
        model.fit(make_events([(0, 1, 0), (0, 1, 0), (0, 1, 0), (0, 2, 20), (1, 3, 20)]), 2, 5, 20 * DAY)
        ranked = model.recommend(ONE, 3, exclude_seen=False)
        assert ranked.items.tolist() == [[2, 1, -1]]
        np.testing.assert_allclose(ranked.scores[0, :2], [1, 0.75])

    def test_a_basket_counts_once(self):
        rows = [(0, 1, 0, 5), (0, 1, 0, 5), (0, 1, 0, 5), (0, 2, 0, 5), (0, 2, 1, 6), (0, 3, 1), (0, 3, 1), (0, 3, 1)]
        model = OwnFrequency(OwnFrequencyParams(half_life_days=None, count="baskets"))
        model.fit(make_events(rows), 1, 5, 2 * DAY)
        ranked = model.recommend(ONE, 3, exclude_seen=False)
        assert ranked.items.tolist() == [[3, 2, 1]]
        assert ranked.scores.tolist() == [[3, 2, 1]]


class TestItemKnn(RecommenderConformance):
    def make(self):
        return ItemKnn(ItemKnnParams(neighbours=10, shrinkage=1, minimum_users=1))

    def test_hand_computed_cosine(self):
        model = ItemKnn(ItemKnnParams(neighbours=2, shrinkage=0, minimum_users=1))
        model.fit(make_events([(0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 2, 0), (2, 0, 0), (2, 1, 0)]), 3, 4, DAY)
        items, weights = model.table.of(0)
        assert items.tolist() == [1, 2]
        np.testing.assert_allclose(weights, [2 / np.sqrt(3 * 2), 1 / np.sqrt(3 * 1)], rtol=1e-6)
        assert model.table.of(3)[0].tolist() == []
        np.testing.assert_allclose(
            model.recommend(np.array([1], np.int32), 1, exclude_seen=True).scores, [[2 / np.sqrt(6)]], rtol=1e-6
        )

    def test_rare_items_and_shrinkage(self):
        events = make_events([(0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 1, 0), (1, 2, 0)])
        model = ItemKnn(ItemKnnParams(shrinkage=2, minimum_users=2))
        model.fit(events, 2, 3, DAY)
        assert model.table.of(0)[1].tolist() == [0.5]
        assert model.table.of(2)[0].tolist() == []


class TestEase(RecommenderConformance):
    def make(self):
        return Ease(EaseParams(regularisation=1))

    def test_equals_the_textbook_by_both_ways(self):
        generator = np.random.default_rng(0)
        for users, items in ((12, 30), (30, 12)):
            dense = (generator.random((users, items)) < 0.3).astype(np.float32)
            dense[:, 0] = dense[0, :] = 1
            inverse = np.linalg.inv(dense.T.astype(np.float64) @ dense + 5 * np.eye(items))
            weights = inverse / -np.diag(inverse)
            np.fill_diagonal(weights, 0)
            model = Ease(EaseParams(regularisation=5))
            model.fit(make_events([(u, i, 0) for u, i in np.argwhere(dense)]), users, items, DAY)
            ranked = model.recommend(np.arange(users, dtype=np.int32), items, exclude_seen=False)
            right = dense @ weights
            found = np.take_along_axis(right, ranked.items.astype(np.int64), axis=1)
            np.testing.assert_allclose(ranked.scores, found, atol=2e-5)
            table = model.neighbours(3)
            for item in range(items):
                chosen, weight = table.of(item)
                np.testing.assert_allclose(weight, weights[item, chosen], atol=2e-5)
                assert item not in chosen
                others = np.delete(weights[item], item)
                np.testing.assert_allclose(weight, np.sort(others[others > 0])[::-1][:3], atol=2e-5)

    def test_only_the_most_popular_take_part(self):
        model = Ease(EaseParams(regularisation=1, maximum_items=8))
        model.fit(checkerboard(), 25, 17, 60 * DAY)
        assert len(np.unique(model.recommend(np.arange(24, dtype=np.int32), 17, exclude_seen=False).items)) == 9

    def test_decay_by_place_prefers_what_goes_with_the_latest(self):
        rows = [(user, item, 0) for user in range(1, 9) for item in ((0, 1) if user % 2 else (2, 3))]
        rows += [(0, 0, 1), (0, 2, 2)]
        model = Ease(EaseParams(regularisation=1, position_decay=0.5))
        model.fit(make_events(rows), 9, 4, 3 * DAY)
        ranked = model.recommend(ONE, 2, exclude_seen=True)
        assert ranked.items.tolist() == [[3, 1]]
        dense = np.zeros((9, 4))
        dense[[row[0] for row in rows], [row[1] for row in rows]] = 1
        inverse = np.linalg.inv(dense.T @ dense + np.eye(4))
        weights = np.eye(4) - inverse / np.diag(inverse)
        np.testing.assert_allclose(ranked.scores[0], (np.array([0.5, 0, 1, 0]) @ weights)[[3, 1]], rtol=1e-4)
        by_age = Ease(EaseParams(regularisation=1, half_life_days=1))
        by_age.fit(make_events(rows), 9, 4, 3 * DAY)
        np.testing.assert_allclose(by_age.recommend(ONE, 2, exclude_seen=True).items, [[3, 1]])

    def test_asked_with_more_than_was_learnt_from(self):
        learnt = [(user, item, 0) for user in range(1, 9) for item in ((0, 1) if user % 2 else (2, 3))]
        model = Ease(EaseParams(regularisation=1))
        model.fit(make_events([*learnt, (0, 0, 1)]), 9, 5, 3 * DAY)
        before = model.recommend(ONE, 1, exclude_seen=True)
        assert before.items.tolist() == [[1]]
        model.know(make_events([*learnt, (0, 0, 1), (0, 2, 2), (0, 1, 2), (0, 4, 2)]), 4 * DAY)
        after = model.recommend(ONE, 1, exclude_seen=True)
        assert after.items.tolist() == [[3]]

    def test_too_little_regularisation_is_a_clear_error(self):
        same = make_events([(user, item, 0) for user in range(400) for item in range(300)])
        model = Ease(EaseParams(regularisation=1e-12))
        with pytest.raises(TrainingError, match="regularisation"):
            model.fit(same, 400, 300, DAY)


class TestIals(RecommenderConformance):
    def make(self):
        return Ials(IalsParams(factors=4, alpha=5, regularisation=0.1, iterations=20), threads=1)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_grids_are_distinct_and_make_models_of_the_family(family):
    quick, full = family.grid("quick"), family.grid("full")
    assert 1 <= len(quick) <= len(full)
    for grid in (quick, full):
        assert len({params.model_dump_json() for params in grid}) == len(grid)
    assert {family.make(params).name for params in full} == {family.name}


def test_own_items_only_when_nothing_is_left_out():
    model = OwnFrequency()
    model.fit(checkerboard(), 25, 17, 60 * DAY)
    assert (model.recommend(ONE, 3, exclude_seen=True).items == -1).all()
