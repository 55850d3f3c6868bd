"""Work until a deadline: all of it, or an error."""

from collections.abc import Iterator
from threading import Event
from time import monotonic

import pytest

from savor.assistant.providers.errors import ProviderAwayError, ProviderBusyError, ProviderSlowError
from savor.assistant.providers.in_time import Outlet, in_time


def _three(outlet: Outlet[int]) -> None:
    for value in (1, 2, 3):
        outlet.put(value)


def test_hands_over_everything_in_order() -> None:
    assert list(in_time(_three, monotonic() + 60, "it")) == [1, 2, 3]


def test_does_not_begin_after_its_deadline() -> None:
    begun = Event()
    with pytest.raises(ProviderSlowError, match="it takes too long for its answer"):
        list(in_time(lambda _: begun.set(), monotonic() - 1, "it"))
    assert not begun.is_set()


def test_a_part_of_an_answer_does_not_pass_for_the_whole() -> None:
    def part(outlet: Outlet[int]) -> None:
        outlet.put(1)
        while not outlet.stopped:
            Event().wait(0.001)

    pieces: Iterator[int] = in_time(part, monotonic() + 0.05, "it")
    assert next(pieces) == 1
    with pytest.raises(ProviderSlowError):
        list(pieces)


def test_work_that_fails_in_its_own_way_is_a_provider_that_is_away() -> None:
    def fails(outlet: Outlet[int]) -> None:
        raise KeyError("rows")

    with pytest.raises(ProviderAwayError, match="it: KeyError: 'rows'"):
        list(in_time(fails, monotonic() + 60, "it"))


def test_patience_is_for_the_first_words_alone() -> None:
    def quiet(outlet: Outlet[int]) -> None:
        while not outlet.stopped:
            Event().wait(0.001)

    with pytest.raises(ProviderSlowError, match="its first words"):
        list(in_time(quiet, monotonic() + 60, "it", patience=0.01))


def test_work_that_stands_in_a_queue_is_not_slow() -> None:
    def waits(outlet: Outlet[int]) -> None:
        outlet.queued = True
        while not outlet.stopped:
            Event().wait(0.001)

    with pytest.raises(ProviderBusyError, match="it is busy"):
        list(in_time(waits, monotonic() + 60, "it", patience=0.01))
