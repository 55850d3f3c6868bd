"""The one protocol of all language models."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from savor.assistant.providers.prompt import Prompt


@dataclass(frozen=True)
class Usage:
    """What a call took.

    Attributes:
        prompt_tokens: read.
        completion_tokens: written.
        cost: in the currency of the prices in the options; 0 where none are given.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cost + other.cost,
        )


@dataclass(frozen=True)
class Piece:
    """A piece of an answer.

    Attributes:
        text: to be joined to the pieces before; may be empty.
        usage: of the whole call; in the last piece, and in no other.
    """

    text: str
    usage: Usage | None = None


@dataclass(frozen=True)
class Likelihoods:
    """How likely a model holds each of A answers to go on a text with.

    Attributes:
        log_probability: (A,) float64 natural logarithm of the probability of the whole answer, at most 0.
        tokens: (A,) int64 number of tokens of the answer, at least 1.
        usage: of the call.
    """

    log_probability: NDArray[np.float64]
    tokens: NDArray[np.int64]
    usage: Usage

    @property
    def per_token(self) -> NDArray[np.float64]:
        """(A,) float64 mean over the tokens of an answer, so that long answers are not unlikely for their length."""
        return self.log_probability / self.tokens


class Provider(Protocol):
    """A language model. Safe to use from several threads.

    A deadline is a moment of `time.monotonic()`. No method returns or yields long after it, whatever the model does.
    Nothing that a model says is trusted: what comes back is text.

    Attributes:
        name: of the provider and its model, for accounts and logs.
        remote: whether the prompt leaves this machine.
    """

    @property
    def name(self) -> str:
        """Of the provider and its model."""
        ...

    @property
    def remote(self) -> bool:
        """Whether the prompt leaves this machine."""
        ...

    def complete(
        self, prompt: Prompt, *, limit: int, schema: Mapping[str, Any] | None = None, deadline: float
    ) -> Iterator[Piece]:
        """The answer, piece by piece as it is made; the last piece carries the usage.

        Closing the iterator stops the work. Errors are raised by the first `next`, not by the call; after a first
        piece, nothing is tried again.

        Args:
            prompt: what to answer.
            limit: how many tokens the answer may have; it is cut off there.
            schema: JSON Schema that the whole answer obeys, where it is not cut off.
            deadline: moment at which the answer must be whole.

        Raises:
            ProviderAwayError: the model cannot be reached, refuses, or breaks off.
            ProviderSlowError: the deadline has come.
            ProviderBusyError: it has come before the model was free.
            BudgetError: what may be spent is spent.
        """
        ...

    def likelihoods(self, prompt: str, answers: Sequence[str], *, deadline: float) -> Likelihoods:
        """How likely each of `answers` is to follow the text `prompt`, which is given as it is, without chat marks.

        Args:
            prompt: ends where the answers begin.
            answers: none empty; with the space that divides them from the prompt.
            deadline: moment at which the answer must be there.

        Raises:
            NotOfferedError: this provider has no likelihoods.
            ProviderAwayError: see `complete`.
            ProviderSlowError, ProviderBusyError: see `complete`.
            BudgetError: see `complete`.
        """
        ...

    def warm_up(self, prompt: Prompt | None = None) -> None:
        """Load what must be loaded, so that the next call is quick; takes as long as it takes.

        Args:
            prompt: one that begins as those to come do.

        Raises:
            ProviderAwayError: it cannot be loaded.
        """
        ...

    def close(self) -> None:
        """Give everything back; what is running ends with ProviderAwayError."""
        ...
