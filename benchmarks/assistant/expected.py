"""What must hold of the answer to a request that is written out (see said.toml)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Expected:
    """What a shopper expects of the last answer of a request.

    Attributes:
        items: whether there must be some, none, or either.
        each: regular expressions over the items' values, for each of which there is an item.
        most, least: bounds of every known price.
        priced: whether no price may be 0.
        of: places of the list before, of which alone the items may be.
        not_of: places of the list before whose items must not come again.
        keeps: places of the list before whose items must come again.
        count: how many items there must be.
        says, says_not: regular expressions over the message.
    """

    items: Literal["some", "none", "any"] = "some"
    each: tuple[str, ...] = ()
    most: float | None = None
    least: float | None = None
    priced: bool = False
    of: tuple[int, ...] = ()
    not_of: tuple[int, ...] = ()
    keeps: tuple[int, ...] = ()
    count: int | None = None
    says: str = ""
    says_not: str = ""

    def fault(self, values: Sequence[str], price: NDArray[np.float32], lists: Sequence[list[int]], message: str) -> str:
        """What is wrong with the lists (item rows) of all turns and the last message; "" for nothing."""
        last, before = lists[-1], lists[-2] if len(lists) > 1 else []
        costs = price[last][np.isfinite(price[last])]

        def at(places: Sequence[int]) -> set[int]:
            return {before[place] for place in places if place < len(before)}

        wrong = {
            "something was shown": self.items == "none" and bool(last),
            "one of several things is missing": any(
                not any(re.search(one, values[row]) for row in last) for one in self.each
            ),
            "dearer than asked": self.most is not None and bool((costs > self.most).any()),
            "cheaper than asked": self.least is not None and bool((costs < self.least).any()),
            "a price of 0": self.priced and bool((costs < 0.005).any()),
            "not of the list before": bool(self.of) and not set(last) <= at(self.of),
            "came again": bool(at(self.not_of) & set(last)),
            "did not come again": not at(self.keeps) <= set(last),
            "another number": self.count is not None and len(last) != self.count,
            "does not say it": bool(self.says) and not re.search(self.says, message, re.IGNORECASE),
            "says what it should not": bool(self.says_not) and bool(re.search(self.says_not, message, re.IGNORECASE)),
        }
        return ", ".join(what for what, holds in wrong.items() if holds)

    @classmethod
    def of_document(cls, document: dict[str, Any]) -> "Expected":
        """As a table of said.toml has it."""
        made: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in document.items()}
        return cls(**made)
