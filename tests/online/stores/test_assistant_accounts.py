from threading import Thread

import pytest

from savor.online.stores.assistant_accounts import AssistantAccounts, Ceiling, Spent

NO_END = Ceiling()
DAY = 86_400


@pytest.fixture
def moment() -> list[int]:
    return [20_000 * DAY + 5]


@pytest.fixture
def accounts(database, moment) -> AssistantAccounts:
    return AssistantAccounts(database, clock=lambda: moment[0])


def test_what_was_used_takes_the_place_of_what_was_held(accounts):
    hold = accounts.hold("ann", 500, 2.0, NO_END, NO_END)
    assert accounts.spent("ann") == Spent(1, 0, 0, 0.0, 500, 2.0)
    accounts.settle(hold, 100, 20, 0.5)
    assert accounts.spent("ann") == accounts.spent() == Spent(1, 100, 20, 0.5, 0, 0.0)
    assert accounts.spent("bob") == Spent()


def test_a_ceiling_of_a_person_counts_for_that_person(accounts):
    own = Ceiling(tokens=100)
    hold = accounts.hold("ann", 60, 0.0, own, NO_END)
    assert accounts.hold("ann", 60, 0.0, own, NO_END) is None
    assert accounts.hold("bob", 60, 0.0, own, NO_END) is not None
    accounts.settle(hold, 20, 20, 0.0)
    assert accounts.hold("ann", 60, 0.0, own, NO_END) is not None
    assert accounts.spent("ann").calls == 2


def test_a_ceiling_of_everybody_counts_for_all(accounts):
    everybody = Ceiling(cost=1.0)
    assert accounts.hold("ann", 1, 0.7, NO_END, everybody) is not None
    assert accounts.hold("bob", 1, 0.7, NO_END, everybody) is None
    assert accounts.spent("bob") == Spent()
    assert accounts.hold("bob", 1, 0.3, NO_END, everybody) is not None


def test_a_new_day_begins_anew_and_a_call_counts_for_its_first_day(accounts, moment):
    own = Ceiling(tokens=100)
    hold = accounts.hold("ann", 100, 0.0, own, NO_END)
    moment[0] += DAY
    assert accounts.hold("ann", 100, 0.0, own, NO_END) is not None
    accounts.settle(hold, 50, 50, 0.0)
    assert accounts.spent("ann") == Spent(1, 0, 0, 0.0, 100, 0.0)


def test_old_days_are_forgotten(accounts, moment, database):
    accounts.settle(accounts.hold("ann", 10, 0.0, NO_END, NO_END), 5, 5, 0.0)
    first = moment[0]
    moment[0] += 91 * DAY
    accounts.hold("bob", 10, 0.0, NO_END, NO_END)
    moment[0] = first
    assert accounts.spent("ann") == Spent()


def test_calls_at_the_same_time_do_not_go_beyond_a_ceiling_together(accounts):
    own, held = Ceiling(tokens=100), []

    def call() -> None:
        held.append(accounts.hold("ann", 30, 0.0, own, NO_END))

    threads = [Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(hold is not None for hold in held) == 3
