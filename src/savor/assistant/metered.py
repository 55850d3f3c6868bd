"""Providers that keep within budgets and write down what they used."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from time import monotonic
from typing import Any

from savor.assistant.options import Budget
from savor.assistant.providers.errors import BudgetError, ProviderSlowError
from savor.assistant.providers.prices import Prices, estimated_tokens
from savor.assistant.providers.prompt import Prompt
from savor.assistant.providers.provider import Likelihoods, Piece, Provider, Usage
from savor.online.stores.assistant_accounts import AssistantAccounts, Ceiling, Hold
from savor.online.stores.errors import StoreAwayError

_TOKENS_OF_A_MARK = 8
_PAUSE = 5.0


class Metered:
    """A provider whose calls are counted for persons.

    A call is let through where what it may use at most is within all budgets; what it really used is written down when
    it ends, however it ends. Where the accounts cannot be read, nothing may be used, and they are not asked again for
    some seconds.

    Args:
        provider: that is called.
        accounts: where it is counted.
        budget: of a day.
        prices: of the provider.
        rising: rising seconds.
    """

    def __init__(
        self,
        provider: Provider,
        accounts: AssistantAccounts,
        budget: Budget,
        prices: Prices,
        rising: Callable[[], float] = monotonic,
    ) -> None:
        self.provider, self.prices = provider, prices
        self._accounts, self._rising, self._away_until = accounts, rising, float("-inf")
        self._own = Ceiling(budget.user_tokens, budget.user_cost)
        self._everybody = Ceiling(budget.tokens, budget.cost)

    def of(self, user_id: str) -> "MeteredProvider":
        """The provider for one person."""
        return MeteredProvider(self, user_id)

    def hold(self, user_id: str, most: Usage) -> Hold:
        """Set aside what a call may use at most.

        Raises:
            BudgetError: a budget does not allow it, or the accounts cannot be read.
        """
        if self._rising() < self._away_until:
            raise BudgetError("the accounts of language models cannot be read, so nothing is spent")
        try:
            tokens = most.prompt_tokens + most.completion_tokens
            hold = self._accounts.hold(user_id, tokens, most.cost, self._own, self._everybody)
        except StoreAwayError as error:
            self._away_until = self._rising() + _PAUSE
            raise BudgetError(f"the accounts of language models cannot be read, so nothing is spent: {error}") from None
        if hold is None:
            raise BudgetError("what language models may use today is used up")
        return hold

    def settle(self, hold: Hold, used: Usage) -> None:
        """Write down what a call used; where that cannot be done, what was set aside stays so for the day."""
        try:
            self._accounts.settle(hold, used.prompt_tokens, used.completion_tokens, used.cost)
        except StoreAwayError:
            self._away_until = self._rising() + _PAUSE


class MeteredProvider:
    """A provider as one person may use it; see `Metered`."""

    def __init__(self, metered: Metered, user_id: str) -> None:
        self._metered, self._user_id, self._inner = metered, user_id, metered.provider
        self.name, self.remote = self._inner.name, self._inner.remote

    def complete(
        self, prompt: Prompt, *, limit: int, schema: Mapping[str, Any] | None = None, deadline: float
    ) -> Iterator[Piece]:
        """See Provider. An answer that is left in the middle counts by an estimate."""
        prices = self._metered.prices
        read = sum(estimated_tokens(text) + _TOKENS_OF_A_MARK for text in _texts(prompt))
        hold = self._metered.hold(self._user_id, prices.usage(read, limit))
        said: list[str] = []
        begun, used = False, None
        pieces = self._inner.complete(prompt, limit=limit, schema=schema, deadline=deadline)
        try:
            for piece in pieces:
                begun, used = True, piece.usage
                said.append(piece.text)
                yield piece
        except ProviderSlowError:
            begun = True
            raise
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()
            if used is None:
                written = estimated_tokens("".join(said)) if said else 0
                used = prices.usage(read, min(written, limit)) if begun else Usage()
            self._metered.settle(hold, used)

    def likelihoods(self, prompt: str, answers: Sequence[str], *, deadline: float) -> Likelihoods:
        """See Provider."""
        written = sum(estimated_tokens(answer) for answer in answers)
        most = self._metered.prices.usage(estimated_tokens(prompt), written)
        hold = self._metered.hold(self._user_id, most)
        used = Usage()
        try:
            found = self._inner.likelihoods(prompt, answers, deadline=deadline)
            used = found.usage
        except ProviderSlowError:
            used = most
            raise
        finally:
            self._metered.settle(hold, used)
        return found

    def warm_up(self, prompt: Prompt | None = None) -> None:
        """See Provider; of nobody's budget."""
        self._inner.warm_up(prompt)

    def close(self) -> None:
        """Nothing: the provider is everybody's."""


def _texts(prompt: Prompt) -> list[str]:
    return [prompt.system, *(message.text for message in prompt.messages)]
