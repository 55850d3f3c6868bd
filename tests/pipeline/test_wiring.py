import pytest

from savor.core.errors import PipelineError
from savor.pipeline.wiring import check_wiring


class Piece:
    required = False

    def __init__(self, name, reads=(), writes=()):
        self.name, self.reads, self.writes = name, frozenset(reads), frozenset(writes)


def phases(hydrators=(), sources=(), filters=(), ranker=(), selectors=()):
    names = ("hydrators", "sources", "filters", "ranker", "selectors")
    return list(zip(names, (hydrators, sources, filters, ranker, selectors), strict=True))


def test_fitting_pieces():
    check_wiring(
        phases(
            [Piece("user", writes=["history"]), Piece("own", ["history"], ["own"])],
            [Piece("ann", ["own"])],
            [Piece("stock", ["item"])],
            [Piece("ranker", ["ann_score", "history"], ["score"])],
            [Piece("top", ["score", "ann_rank"])],
        )
    )


def test_without_a_ranker_there_is_still_a_score():
    check_wiring(phases(sources=[Piece("ann")], selectors=[Piece("top", ["score"])]))


def test_every_problem_is_named():
    with pytest.raises(PipelineError) as caught:
        check_wiring(
            phases(
                [Piece("own", ["history"], ["own"]), Piece("user", writes=["history", "own"])],
                [Piece("ann", ["vector"]), Piece("ann")],
                [Piece("stock", ["score"])],
                [Piece("ranker", ["trending_rank"], ["item"])],
            )
        )
    message = str(caught.value)
    for problem in (
        "'own' in hydrators reads 'history', which nothing before it writes",
        "'user' in hydrators writes 'own', as 'own' does",
        "'ann' in sources reads 'vector'",
        "two stages are called 'ann'",
        "'stock' in filters reads 'score'",
        "'ranker' in ranker reads 'trending_rank'",
        "'ranker' in ranker writes 'item', as the merge of the sources does",
    ):
        assert problem in message
    assert message.count("\n") == 7


def test_too_many_sources():
    with pytest.raises(PipelineError, match="17 sources"):
        check_wiring(phases(sources=[Piece(str(number)) for number in range(17)]))
