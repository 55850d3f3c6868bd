from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pytest

from savor.assistant.metered import Metered
from savor.assistant.options import Budget
from savor.assistant.providers.errors import BudgetError, NotOfferedError, ProviderAwayError, ProviderSlowError
from savor.assistant.providers.prices import Prices
from savor.assistant.providers.prompt import Message, Prompt
from savor.assistant.providers.provider import Likelihoods, Piece, Provider, Usage
from savor.online.stores.assistant_accounts import AssistantAccounts
from savor.online.stores.database import Database
from tests.assistant.provider_conformance import ProviderConformance

PROMPT = Prompt("Be brief.", (Message("user", "What goes well with tea?"),))


class Said:
    """Says fixed words at fixed prices, or fails."""

    name, remote = "said", False

    def __init__(self, prices: Prices | None = None) -> None:
        self.calls, self.prices = 0, prices or Prices()
        self.error: Exception | None = None
        self.fails_after = 0

    def complete(
        self, prompt: Prompt, *, limit: int, schema: Mapping[str, Any] | None = None, deadline: float
    ) -> Iterator[Piece]:
        self.calls += 1
        if monotonic() > deadline:
            raise ProviderSlowError("too late")
        words = ['{"fruit": ', '"apple"}'] if schema else ["a", "b", "c"][:limit]
        for place, word in enumerate(words):
            if self.error is not None and place == self.fails_after:
                raise self.error
            yield Piece(word, self.prices.usage(10, len(words)) if place == len(words) - 1 else None)

    def likelihoods(self, prompt: str, answers: Sequence[str], *, deadline: float) -> Likelihoods:
        self.calls += 1
        if not all(answers):
            raise NotOfferedError("empty")
        lengths = np.asarray([len(answer) for answer in answers])
        return Likelihoods(-0.5 * lengths, lengths, self.prices.usage(7, int(lengths.sum())))

    def warm_up(self, prompt: Prompt | None = None) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database.open("sqlite:///live.db", tmp_path)) as made:
        yield made


@pytest.fixture
def accounts(database: Database) -> AssistantAccounts:
    return AssistantAccounts(database, clock=lambda: 86_400 * 20_000)


class TestMetered(ProviderConformance):
    @pytest.fixture
    def provider(self, accounts: AssistantAccounts) -> Provider:
        return Metered(Said(), accounts, Budget(), Prices()).of("ann")


def test_counts_what_was_used(accounts: AssistantAccounts) -> None:
    prices = Prices(1.0, 2.0)
    provider = Metered(Said(prices), accounts, Budget(), prices).of("ann")
    list(provider.complete(PROMPT, limit=12, deadline=monotonic() + 10))
    spent = accounts.spent("ann")
    assert (spent.calls, spent.prompt_tokens, spent.completion_tokens, spent.held_tokens) == (1, 10, 3, 0)
    assert spent.cost == pytest.approx(16e-6)
    assert spent.held_cost == pytest.approx(0.0)
    provider.likelihoods("x", ["ab", "c"], deadline=monotonic() + 10)
    assert accounts.spent().prompt_tokens == 17


def test_a_used_up_budget_stops_the_call_before_the_provider(accounts: AssistantAccounts) -> None:
    said = Said()
    metered = Metered(said, accounts, Budget(user_tokens=100), Prices())
    list(metered.of("ann").complete(PROMPT, limit=12, deadline=monotonic() + 10))
    with pytest.raises(BudgetError):
        list(metered.of("ann").complete(PROMPT, limit=90, deadline=monotonic() + 10))
    with pytest.raises(BudgetError):
        metered.of("ann").likelihoods("x", ["word " * 100], deadline=monotonic() + 10)
    assert said.calls == 1
    assert list(metered.of("bob").complete(PROMPT, limit=12, deadline=monotonic() + 10))


def test_money_has_a_budget_for_everybody(accounts: AssistantAccounts) -> None:
    prices = Prices(0.0, 1_000_000.0)  # each word costs one
    metered = Metered(Said(prices), accounts, Budget(cost=5.0), prices)
    list(metered.of("ann").complete(PROMPT, limit=3, deadline=monotonic() + 10))
    with pytest.raises(BudgetError):
        list(metered.of("bob").complete(PROMPT, limit=3, deadline=monotonic() + 10))
    assert list(metered.of("bob").complete(PROMPT, limit=2, deadline=monotonic() + 10))


@pytest.mark.parametrize(
    ("error", "fails_after", "prompt_counts", "written"),
    [
        (ProviderAwayError("gone"), 0, False, False),
        (ProviderSlowError("late"), 0, True, False),
        (ProviderAwayError("gone"), 2, True, True),
    ],
)
def test_a_failed_call_counts_by_what_it_may_have_used(
    accounts: AssistantAccounts, error: Exception, fails_after: int, prompt_counts: bool, written: bool
) -> None:
    said = Said()
    said.error, said.fails_after = error, fails_after
    provider = Metered(said, accounts, Budget(), Prices()).of("ann")
    with pytest.raises(type(error)):
        list(provider.complete(PROMPT, limit=12, deadline=monotonic() + 10))
    spent = accounts.spent("ann")
    assert (spent.prompt_tokens > 0, spent.completion_tokens > 0) == (prompt_counts, written)
    assert spent.held_tokens == 0


def test_an_answer_that_is_left_counts(accounts: AssistantAccounts) -> None:
    pieces = (
        Metered(Said(), accounts, Budget(), Prices()).of("ann").complete(PROMPT, limit=12, deadline=monotonic() + 10)
    )
    next(pieces)
    assert accounts.spent("ann").held_tokens > 12
    del pieces
    spent = accounts.spent("ann")
    assert spent.held_tokens == 0
    assert spent.completion_tokens >= 1


def test_nothing_is_spent_where_the_accounts_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "live.db").mkdir()
    said, now = Said(), [0.0]
    with closing(Database.open("sqlite:///live.db", tmp_path)) as away:
        metered = Metered(said, AssistantAccounts(away), Budget(), Prices(), rising=lambda: now[0])
        with pytest.raises(BudgetError, match="cannot be read"):
            list(metered.of("ann").complete(PROMPT, limit=12, deadline=monotonic() + 10))
        (tmp_path / "live.db").rmdir()
        with pytest.raises(BudgetError):  # not asked again so soon
            list(metered.of("ann").complete(PROMPT, limit=12, deadline=monotonic() + 10))
        now[0] = 6.0
        assert list(metered.of("ann").complete(PROMPT, limit=12, deadline=monotonic() + 10))[-1].usage == Usage(10, 3)
    assert said.calls == 1
