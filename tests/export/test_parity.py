import numpy as np
import pytest

from savor.core.errors import ExportError
from savor.evaluation.bootstrap import Interval
from savor.export.edge_run import Latency
from savor.export.measured import Measured, choose
from savor.export.parity import Bounds, Parity, overlap, require, where_they_part
from savor.export.server_lists import Lists
from savor.export.variant import VARIANTS, variant
from tests.export.answers import lists, questions

IDS = [f"i{row}" for row in range(10)]


def test_the_same_lists_agree_in_everything():
    asked, server = questions([[1], [2, 3]]), lists([1, 2, 3], [2, 3, 4])
    parity = Parity.of(asked, server, server)
    assert (parity.agreement.mean, parity.agreement_at_k.mean) == (1, 1)
    assert parity.rank_correlation.mean == pytest.approx(1)
    assert (parity.loss.mean, parity.loss.low, parity.loss.high, parity.score_difference) == (0, 0, 0, 0)
    assert parity.server.mean == 1
    assert parity.problem(Bounds()) is None
    require(parity, Bounds(), asked, server, server, IDS)


def test_figures_by_hand():
    asked = questions([[1], [2]])
    server, edge = lists([1, 5, 6], [2, 5, 6]), lists([5, 1, 6], [2, 6, 7])
    parity = Parity.of(asked, server, edge)
    second = 1 / np.log2(3)
    assert parity.server.mean == 1
    assert parity.edge.mean == pytest.approx((second + 1) / 2)
    assert parity.loss.mean == pytest.approx(1 - (second + 1) / 2)
    assert parity.agreement.mean == pytest.approx((1 + 2 / 3) / 2)
    assert parity.score_difference == 1
    # Places 1 2 3 against 2 1 3; of the other, too few are common.
    assert parity.rank_correlation.mean == pytest.approx(0.5)
    assert Parity.of(asked, server, edge).to_json() == parity.to_json()


def test_over_the_bounds_it_says_how_far_and_where():
    asked = questions([[1], [2], [2]])
    server, edge = lists([1, 5, 6], [2, 5, 6], [2, 5, 6]), lists([1, 5, 6], [7, 8, 9], [2, 5, 6])
    parity = Parity.of(asked, server, edge)
    message = (
        r"loses 33\.33% \[.*\] of the server's NDCG@10, and 0\.20% are allowed\. User 'u1' at place 1: the server has "
        r"item 'i2' with score 10\.0000, which the device does not list; it has item 'i7' there"
    )
    with pytest.raises(ExportError, match=message):
        require(parity, Bounds(), asked, server, edge, IDS)
    with pytest.raises(ExportError, match=r"66\.7% \[.*\] of its first ten items are .*, and 90\.0% are needed"):
        require(parity, Bounds(loss=1), asked, server, edge, IDS)


def test_lost_weights_are_named():
    asked, server = questions([[1], [2]]), lists([1, 2], [2, 1])
    flat = Lists(np.asarray([[0, 1], [0, 1]], np.int32), np.zeros((2, 2), np.float32))
    assert where_they_part(asked, server, flat, IDS) == "All scores of the device are 0: the model has lost its weights"
    empty = Lists(np.full((2, 2), -1, np.int32), np.full((2, 2), -np.inf, np.float32))
    assert "No score of the device is a number" in where_they_part(asked, server, empty, IDS)


def test_overlap_counts_what_is_there():
    one = np.asarray([[1, 2, -1], [-1, -1, -1], [4, 5, 6]], np.int32)
    other = np.asarray([[2, 9, -1], [1, 2, 3], [6, 5, 4]], np.int32)
    assert overlap(one, other).tolist() == [0.5, 1, 1]


def made(name: str, size: int, loss: float, agreement: float = 1.0) -> Measured:
    def sure(value: float) -> Interval:
        return Interval(value, value, value)

    parity = Parity(10, 10, sure(agreement), sure(1), sure(1), sure(0.5), sure(0.5), sure(loss), 0.0)
    return Measured(variant(name), b"", size, parity, Latency(1, 1, 1, 1), lists([1]), ())


def test_the_smallest_that_is_good_enough_is_chosen():
    found = [made("float32", 400, 0), made("float16", 200, 0.001), made("full_int8", 100, 0.3)]
    assert choose(found, Bounds(), None).variant.name == "float16"
    assert choose(found, Bounds(loss=0.0005), None).variant.name == "float32"
    assert choose(found, Bounds(loss=0.5), None).variant.name == "full_int8"
    assert choose(found, Bounds(), 250).variant.name == "float16"


def test_where_nothing_fits_each_says_why():
    found = [made("float32", 400, 0), made("full_int8", 100, 0.3), made("int8_rows", 100, 0, agreement=0.5)]
    with pytest.raises(ExportError) as caught:
        choose(found, Bounds(), 150)
    assert caught.value.code == "no_variant_fits"
    message = str(caught.value)
    assert "float32: it has 400 bytes, and 150 are allowed" in message
    assert "full_int8: it loses 30.00%" in message
    assert "int8_rows: 50.0%" in message


def test_an_unknown_variant():
    with pytest.raises(ExportError, match="no variant 'int4', only float32, float16"):
        variant("int4")
    assert len({one.name for one in VARIANTS}) == len(VARIANTS)
