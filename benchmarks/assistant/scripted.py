"""Scripted requests over Complete Journey, with what must and must not be in the answer, by the items' attributes."""

import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.assistant.expected import Expected
from numpy.typing import NDArray

from savor.features.catalogue import Catalogue

SEED = 20
Mask = NDArray[np.bool_]
Judge = Callable[[list[list[int]], list[str]], str]
"""What is wrong with the lists (item rows) and messages of all turns; "" for nothing."""


@dataclass
class Scripted:
    """One request.

    Attributes:
        family: what kind of request it is.
        user: who asks.
        turns: the messages, in their order.
        allowed: (I,) which items the last list may have; None where that follows from the turn before it.
        judge: what else must hold.
        wanted: item rows that this person took in the test period and that the request allows.
        fill: whether something must be shown.
    """

    family: str
    user: str
    turns: list[str]
    allowed: Mask | None = None
    judge: Judge = lambda _, __: ""
    wanted: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    fill: bool = True


class Script:
    """Makes the requests.

    Args:
        catalogue: as it is served.
        taken: for each user id, rows of the items taken in the test period.
        sold: (I,) how often each item was sold before it.
        things: file beside this one that says what things are.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        taken: dict[str, NDArray[np.int64]],
        sold: NDArray[np.int64],
        things: str = "things.toml",
    ) -> None:
        written = tomllib.loads((Path(__file__).parent / things).read_text(encoding="utf-8"))
        self.catalogue, self.taken, self.sold, self.written = catalogue, taken, sold, written
        columns = [catalogue.categories[name] for name in ("product_category", "product_type")]
        self.values = [f"{columns[0].of(row)} > {columns[1].of(row)}" for row in range(len(catalogue))]
        self.things = {name: self.mask(rule["is"], rule.get("not")) for name, rule in written.get("things", {}).items()}
        self._random = np.random.default_rng(SEED)
        self._turn = 0

    def mask(self, wanted: str, never: str | None = None) -> Mask:
        """Items whose "PRODUCT_CATEGORY > PRODUCT_TYPE" matches."""
        known: dict[str, bool] = {}
        for value in set(self.values):
            known[value] = bool(re.search(wanted, value)) and not (never and re.search(never, value))
        return np.asarray([known[value] for value in self.values])

    def price(self, items: Mask, quantile: float) -> float:
        """A price that people would say, so that about that share of what is really sold costs no more."""
        rows = np.flatnonzero(items & np.isfinite(self.catalogue.price) & (self.sold > 0))
        if not len(rows):
            return 1.0
        cost = np.quantile(np.repeat(self.catalogue.price[rows], np.minimum(self.sold[rows], 50)), quantile)
        return max(float(np.ceil(cost * 2) / 2), 0.5)

    def asked(self, family: str, turns: list[str], allowed: Mask | None, **more: Any) -> Scripted:
        """A request of somebody who took something of the kind in the test period, where anybody did."""
        chosen = np.zeros(len(self.catalogue), bool) if allowed is None else allowed
        buyers = [user for user, rows in self.taken.items() if chosen[rows].any()] or list(self.taken)
        user = buyers[int(self._random.integers(len(buyers)))]
        rows = self.taken[user]
        return Scripted(family, user, turns, allowed, wanted=rows[chosen[rows]], **more)

    def requests(self) -> list[Scripted]:
        """All of them; the same for the same data."""
        if "said" in self.written:
            return [*self._said()]
        return [*self._things(), *self._prices(), *self._without(), *self._turns(), *self._other()]

    def _say(self, *ways: str) -> str:
        self._turn += 1
        return ways[self._turn % len(ways)]

    def _things(self) -> Iterator[Scripted]:
        for name, items in self.things.items():
            said = self._say(
                "I need {}", "I'm looking for {}", "{} please", "Do you have {}?", "Can you recommend some {}?"
            )
            yield self.asked("a thing", [said.format(name)], items)

    def _prices(self) -> Iterator[Scripted]:
        price = self.catalogue.price
        names = list(self.things)
        for name in names[::2]:
            bound = self.price(self.things[name], 0.5)
            said = self._say(
                "{} under {:.2f}", "{} for less than ${:.2f}", "{}, at most {:.2f}", "{} below {:.2f} please"
            )
            strict = "most" not in said
            cheap = price < bound if strict else price <= bound
            yield self.asked("a thing under a price", [said.format(name, bound)], self.things[name] & cheap)
        for name in names[1::6]:
            low, high = self.price(self.things[name], 0.25), self.price(self.things[name], 0.75) + 0.5
            inside = self.things[name] & (price >= np.float32(low)) & (price <= np.float32(high))
            yield self.asked("a thing between prices", [f"{name} between {low:.2f} and {high:.2f}"], inside)
        brand = self.catalogue.categories["brand"]
        private = np.asarray([brand.values[code] == "Private" for code in brand.codes])
        for name in names[3::5]:
            if (self.things[name] & private & (self.sold > 0)).any():
                said = self._say("private label {}", "{}, private brand")
                yield self.asked("a brand", [said.format(name)], self.things[name] & private)

    def _without(self) -> Iterator[Scripted]:
        for one in self.written["exclusions"]:
            items = self.things[one["thing"]] & ~self.mask(one["never"])
            yield self.asked("a thing, not a kind of it", [f"{one['thing']}, {one['said']}"], items)
        for diet, never in self.written["diets"].items():
            fine = ~self.mask(never)
            for said in (
                "something {} for dinner",
                "{} food for six",
                "quick {} meal ideas",
                "a {} snack",
                "{} frozen food",
                "{} soup",
            ):
                yield self.asked("a diet", [said.format(diet)], fine)

    def _turns(self) -> Iterator[Scripted]:
        price, names = self.catalogue.price, list(self.things)

        def cheaper(lists: list[list[int]], _: list[str]) -> str:
            first, last = (price[rows] for rows in lists[-2:])
            if not len(first) or not len(last):
                return "" if len(first) else "nothing came first"
            return "" if np.nanmean(last) < np.nanmean(first) and last.max() <= first.max() else "not cheaper"

        def others(lists: list[list[int]], _: list[str]) -> str:
            return "an item came again" if set(lists[-2]) & set(lists[-1]) else ""

        for name in names[::3]:
            yield self.asked(
                "then: cheaper", [f"I want {name}", "cheaper"], self.things[name], judge=cheaper, fill=False
            )
        for name in names[1::4]:
            yield self.asked(
                "then: something else", [f"show me {name}", "something else"], self.things[name], judge=others
            )
        for one in self.written["exclusions"][::2]:
            items = self.things[one["thing"]] & ~self.mask(one["never"])
            said = one["said"].removeprefix("but ")
            yield self.asked("then: not a kind of it", [f"I'd like {one['thing']}", said], items)
        for name in names[2::6]:
            yield self.asked(
                "then: like the second one", [f"{name} please", "more like the second one"], None, judge=self._kin
            )
        for name in names[4::8]:
            bound = self.price(self.things[name], 0.6)
            turns = [f"I need {name}", f"under {bound:.2f}", "something else"]
            fitting = self.things[name] & (price < np.float32(bound))
            yield self.asked("three turns", turns, fitting, judge=others, fill=False)

    def _kin(self, lists: list[list[int]], _: list[str]) -> str:
        """Items like one are of its category, most of them, and it is not among them."""
        if len(lists[-2]) < 2:
            return "no second item came"
        second = lists[-2][1]
        alike = [self.values[row].split(" > ")[0] == self.values[second].split(" > ")[0] for row in lists[-1]]
        if second in lists[-1]:
            return "the item itself came"
        return "" if np.mean(alike) >= 0.5 else "of other categories"

    def _said(self) -> Iterator[Scripted]:
        """Requests that are written out."""

        def filled(rule: str) -> str:
            return re.sub(r"\{([a-z]+)\}", lambda found: self.written["kinds"][found.group(1)], rule)

        for written in self.written["said"]:
            one: dict[str, Any] = {
                name: [*map(filled, rule)] if name == "each" else rule for name, rule in written.items()
            }
            allowed = self.mask(filled(one.pop("is", "")), filled(one.pop("not")) if "not" in one else None)
            family, turns, expected = one.pop("family"), one.pop("turns"), Expected.of_document(one)

            def judge(lists: list[list[int]], messages: list[str], expected: Expected = expected) -> str:
                return expected.fault(self.values, self.catalogue.price, lists, messages[-1])

            yield self.asked(family, turns, allowed, judge=judge, fill=expected.items == "some")

    def _other(self) -> Iterator[Scripted]:
        names = list(self.things)
        for first, second in zip(names[::5], names[3::5], strict=False):
            a, b = self.things[first], self.things[second]

            def both(lists: list[list[int]], _: list[str], a: Mask = a, b: Mask = b) -> str:
                return "" if a[lists[-1]].any() and b[lists[-1]].any() else "one of the two is missing"

            yield self.asked("two things", [f"{first} and {second}"], a | b, judge=both)
        for name, number in zip(names[2::9], (2, 3, 4, 6, 7, 8, 1, 3), strict=False):
            said = f"show me {number} {name}"
            yield self.asked("a number", [said], self.things[name], judge=lambda lists, _, n=number: _at_most(lists, n))
        nothing = np.zeros(len(self.catalogue), bool)
        for said in self.written["other"]["outside"]:
            yield self.asked("outside the shop", [said], nothing, fill=False)
        for said in self.written["other"]["absent"]:
            yield self.asked("not to be had", [f"I need {said}"], None, judge=_admitted, fill=False)


def _at_most(lists: Sequence[list[int]], number: int) -> str:
    return "" if len(lists[-1]) <= number else f"more than {number}"


def _admitted(lists: list[list[int]], messages: list[str]) -> str:
    """What is not there is said not to be there, whatever is shown beside."""
    said = re.search(r"nothing here is called|cannot|no such|not find|nothing", messages[-1], re.IGNORECASE)
    return "" if not lists[-1] or said else "something else is shown, and nothing is said of it"
