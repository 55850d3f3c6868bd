"""Made users whose truth is known: to try settings before an experiment, and to check what is concluded from one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from savor.online.experiments.moments import Moments

_COLUMNS = ("lists", "impressions", "clicks", "purchases", "converted", "money")


@dataclass(frozen=True)
class SimulatedShop:
    """How made users behave.

    Each comes for the first time at some look in the first `arriving` share of the time, and afterwards comes back at
    each look with a chance of their own. A visit has one or more lists; users differ in how readily they click and buy.

    Attributes:
        users: N.
        looks: K, moments at which the results are read.
        arriving: over what share of the looks users come for the first time; 0: all at the first look.
        visits: mean chance of coming back at a look.
        click: mean chance of a click on an item shown.
        buy: mean chance of a purchase for each list.
        list_length: items in a list.
        spread: of the money of a purchase: standard deviation of its logarithm.
        habits: how alike users are; 1 is very unlike, 100 much alike.
    """

    users: int = 10_000
    looks: int = 50
    arriving: float = 0.5
    visits: float = 0.1
    click: float = 0.05
    buy: float = 0.1
    list_length: int = 10
    spread: float = 0.8
    habits: float = 4.0

    def run(
        self, generator: np.random.Generator, variant: NDArray[np.int_], lift: float = 0.0
    ) -> tuple[NDArray[np.int64], dict[str, list[list[Moments]]]]:
        """One experiment with two variants.

        Args:
            generator: of everything that is random but the assignment.
            variant: (N,) 0 or 1.
            lift: how much readier users of variant 1 are to click and to buy, as a share.

        Returns:
            (K, 2) users so far; and by metric (`ctr`, `conversion`, `purchases_per_list`, `order_value`), for each look
            the moments of both variants.
        """
        user, look, columns = self._visits(generator, variant, lift)
        arrived = np.full(self.users, self.looks)
        np.minimum.at(arrived, user, look)
        users = np.stack(
            [np.bincount(arrived[variant == number], minlength=self.looks + 1)[:-1].cumsum() for number in (0, 1)],
            axis=1,
        )
        sums = {
            "ctr": self._moments(user, look, variant, users, columns["clicks"], columns["impressions"]),
            "conversion": self._moments(user, look, variant, users, columns["converted"]),
            "purchases_per_list": self._moments(user, look, variant, users, columns["purchases"], columns["lists"]),
            "order_value": self._moments(user, look, variant, users, columns["money"]),
        }
        return users, sums

    def _visits(
        self, generator: np.random.Generator, variant: NDArray[np.int_], lift: float
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], dict[str, NDArray[np.float64]]]:
        """User, look and what was done, one row a visit, by user and then by look."""
        first = generator.integers(0, max(1, round(self.arriving * self.looks)), self.users)
        often = generator.beta(self.habits * self.visits, self.habits * (1 - self.visits), self.users)
        present = generator.random((self.users, self.looks), np.float32) < often[:, None]
        present &= np.arange(self.looks) > first[:, None]
        present[np.arange(self.users), first] = True
        user, look = np.nonzero(present)
        factor = np.where(variant == 1, 1 + lift, 1.0)
        click = generator.beta(self.habits * self.click, self.habits * (1 - self.click), self.users) * factor
        buy = generator.beta(self.habits * self.buy, self.habits * (1 - self.buy), self.users) * factor
        lists = 1 + generator.poisson(0.5, len(user))
        clicks = generator.binomial(lists * self.list_length, np.minimum(click, 1)[user])
        purchases = generator.binomial(lists, np.minimum(buy, 1)[user])
        money = purchases * generator.lognormal(3, self.spread, len(user))
        before = _running(user, purchases.astype(np.float64)) - purchases
        rows = {
            "lists": lists,
            "impressions": lists * self.list_length,
            "clicks": clicks,
            "purchases": purchases,
            "converted": (before == 0) & (purchases > 0),
            "money": money,
        }
        return user, look, {name: rows[name].astype(np.float64) for name in _COLUMNS}

    def _moments(
        self,
        user: NDArray[np.intp],
        look: NDArray[np.intp],
        variant: NDArray[np.int_],
        users: NDArray[np.int64],
        numerator: NDArray[np.float64],
        denominator: NDArray[np.float64] | None = None,
    ) -> list[list[Moments]]:
        """Sums over users of their totals so far, at each look."""
        x = _running(user, numerator)
        fresh = np.r_[True, user[1:] != user[:-1]]
        y = fresh.astype(np.float64) if denominator is None else denominator
        total = _running(user, y)
        rows = variant[user] * self.looks + look
        old_x, old_y = x - numerator, total - y

        def by_look(change: NDArray[np.float64]) -> NDArray[np.float64]:
            added = np.bincount(rows, change, 2 * self.looks).reshape(2, self.looks)
            summed: NDArray[np.float64] = added.cumsum(axis=1)
            return summed

        sums = [
            by_look(change)
            for change in (
                numerator,
                y,
                x * x - old_x * old_x,
                x * total - old_x * old_y,
                total * total - old_y * old_y,
            )
        ]
        return [
            [Moments(float(users[at, number]), *(float(one[number, at]) for one in sums)) for number in (0, 1)]
            for at in range(self.looks)
        ]


def _running(user: NDArray[np.intp], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums so far within each user, this row included."""
    summed = values.cumsum()
    start = np.r_[True, user[1:] != user[:-1]]
    before = (summed - values)[start]
    offset: NDArray[np.float64] = before[start.cumsum() - 1]
    return summed - offset
