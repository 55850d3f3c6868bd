import numpy as np
import pytest

from savor.data.histories import Histories
from savor.training.retrieval_validation import RetrievalValidation
from tests.features.synthetic import make_events

HISTORIES = Histories.from_events(make_events([0, 1, 1], [0, 1, 2], [1, 2, 3]), 3)
USERS, NOW = np.asarray([0, 1], np.int32), np.asarray([9, 9], np.int64)
INDPTR, RELEVANT = np.asarray([0, 2, 4]), np.asarray([0, 3, 1, 2], np.int32)
ITEMS = np.eye(5, dtype=np.float32)
SCORES = np.asarray([[5, 4, 3, 2, 1], [1, 2, 3, 4, 5]], np.float32)


def test_recall_by_hand():
    task = RetrievalValidation.all_items(USERS, NOW, HISTORIES, INDPTR, RELEVANT)
    assert task.recall(SCORES, ITEMS, 1) == pytest.approx((1 + 0) / 2)
    assert task.recall(SCORES, ITEMS, 1, capped=False) == pytest.approx((0.5 + 0) / 2)
    assert task.recall(SCORES, ITEMS, 4) == pytest.approx((1 + 1) / 2)
    assert task.recall(SCORES, ITEMS, 99) == 1


def test_new_items_leave_out_what_was_had_and_users_without_any():
    task = RetrievalValidation.new_items(USERS, NOW, HISTORIES, INDPTR, RELEVANT)
    assert task.users.tolist() == [0]
    assert task.relevant.tolist() == [3]
    assert task.hidden.tolist() == [0]
    assert task.recall(SCORES[:1], ITEMS, 2) == 0
    assert task.recall(SCORES[:1], ITEMS, 3) == 1


def test_a_sample_keeps_each_users_rows():
    task = RetrievalValidation.all_items(USERS, NOW, HISTORIES, INDPTR, RELEVANT)
    assert task.sample(5, 0) is task
    one = task.sample(1, 0)
    assert one.relevant.tolist() == RELEVANT[INDPTR[one.users[0]] : INDPTR[one.users[0] + 1]].tolist()


def test_ndcg_by_hand():
    histories = Histories.from_events(make_events([0, 1], [4, 4], [1, 1]), 3)
    users = np.asarray([0, 1, 2], np.int32)
    validation = RetrievalValidation(
        users,
        np.full(3, 9, np.int64),
        histories,
        np.asarray([0, 2, 3, 4]),
        np.asarray([0, 3, 1, 2], np.int32),
        np.asarray([0, 1, 1, 1]),
        np.asarray([4], np.int32),
    )
    scores = np.asarray([[3, 2, 1, 0, 9], [5, 5, 4, 3, 0], [9, 8, 0, 7, 6]], np.float32)
    # User 0: item 0 first and item 3 fourth, out of the list of 3; user 1: a tie for the first place; user 2: missed.
    expected = [1 / (1 + 1 / np.log2(3)), 1 / np.log2(3), 0.0]
    assert validation.ndcg(np.eye(3, dtype=np.float32), scores.T.copy(), 3) == pytest.approx(np.mean(expected))
