import numpy as np
import pytest

from savor.training.losses.weights import class_weights, kind_weights


def test_classes_count_the_same_in_sum():
    labels = np.asarray([0] * 6 + [1] * 2 + [3] * 1)
    weights = class_weights(labels, 4)
    assert weights.tolist() == pytest.approx([9 / 3 / 6, 9 / 3 / 2, 0, 3])
    assert weights[labels].mean() == pytest.approx(1)


def test_effective_number_by_hand():
    labels = np.asarray([0] * 3 + [1])
    weights = class_weights(labels, 2, effective=0.5)
    # 1 / (1 + 1/2 + 1/4) = 4/7 and 1; their mean over the labels is brought to 1.
    scale = 4 / (3 * 4 / 7 + 1)
    assert weights.tolist() == pytest.approx([4 / 7 * scale, scale])
    assert class_weights(labels, 2, effective=0.0).tolist() == pytest.approx([1, 1])


def test_without_labels_nothing_counts():
    assert class_weights(np.empty(0, np.int64), 2).tolist() == [0, 0]


def test_kinds_by_name():
    assert kind_weights({"buy": 3.0, "view": 0.5}, ["buy", "click", "view"]).tolist() == [3, 1, 0.5]
    with pytest.raises(ValueError, match="by"):
        kind_weights({"by": 1.0}, ["buy"])
