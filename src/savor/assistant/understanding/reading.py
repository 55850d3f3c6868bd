"""What was understood of one message."""

from dataclasses import dataclass
from typing import Any

EVERYTHING = "everything"
"""What is allowed where nothing is ruled out any more."""


@dataclass(frozen=True)
class Reading:
    """One turn. Phrases are words of the message; what they stand for is for `Knowledge` to say.

    Attributes:
        things: what is wanted; any of them will do.
        qualities: what each item must be too: phrases of concepts such as `quick`, and purposes.
        diets: qualities that hold from now on.
        without: what no item may be.
        passing: those of `without` that are said of the things, as in "gluten-free bread", and end with them.
        allowed: what may be again after it was ruled out.
        price_min, price_max: bounds that are said.
        total: whether a price is that of everything together.
        any_price: whether earlier bounds no longer hold.
        level: -2 the cheapest, -1 cheap, 1 of the better kind, 0 nothing said.
        people: how many are to be served; None where that is not said.
        number: how many items are wanted.
        like_item: what the items should be like: a phrase, or "" where `refers_to` says it; None for nothing.
        unlike: whether what `refers_to` names is not wanted.
        refers_to: places in the last list, from 0; negative ones count from its end.
        points: whether it refers to what is in view, as "that one" does.
        goes_with: what the items should go with, as `like_item` says it; None for nothing.
        every: whether it refers to the whole list in view, as "they" does.
        critique: of the last list: `cheaper`, `dearer`, `other`, `larger`, `smaller`.
        occasion: `new` (never had before), `again` (had before), or None.
        asks: `why`, `price` or `property`, of what is referred to.
        about: what a question about a property is about, as `nuts`.
        courtesy: `hello`, `thanks`, `help`, `bye`, `yes`, `no`, `service` (something that a shop does), or None.
        adds: whether things come to those wanted before.
        reset: whether to begin anew.
        open: whether anything at all is asked for, as "what should I buy?".
        outside_domain: whether this is about something that a shop assistant has nothing to say to.
        unclear: whether nothing of it was understood.
        corrected: words that were written wrongly, each with what it is taken for.
        unknown: wanted phrases that stand for nothing in the catalogue.
    """

    things: tuple[str, ...] = ()
    qualities: tuple[str, ...] = ()
    diets: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    passing: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    price_min: float | None = None
    price_max: float | None = None
    total: bool = False
    any_price: bool = False
    level: int = 0
    people: int | None = None
    number: int | None = None
    like_item: str | None = None
    goes_with: str | None = None
    unlike: bool = False
    refers_to: tuple[int, ...] = ()
    points: bool = False
    every: bool = False
    critique: str | None = None
    occasion: str | None = None
    asks: str | None = None
    about: tuple[str, ...] = ()
    courtesy: str | None = None
    adds: bool = False
    reset: bool = False
    open: bool = False
    outside_domain: bool = False
    unclear: bool = False
    corrected: tuple[tuple[str, str], ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def wants(self) -> bool:
        """Whether it says anything about items."""
        silent = {
            "asks",
            "about",
            "courtesy",
            "adds",
            "reset",
            "outside_domain",
            "unclear",
            "corrected",
            "unknown",
            "unlike",
        }
        said = [value for name, value in vars(self).items() if name not in silent]
        return any(one not in (None, (), 0, False) for one in said)

    def summary(self) -> dict[str, Any]:
        """What was said, as JSON values; nothing of what was not.

        Bounds of prices are as they were said; `under` and `over` tell that they are not reached themselves.
        """
        said: dict[str, Any] = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in vars(self).items()
            if value not in (None, (), 0, False)
        }
        for name, strict in (("price_max", "under"), ("price_min", "over")):
            if name in said and said[name] != round(said[name], 2):
                said |= {name: round(said[name], 2), strict: True}
        if self.corrected:
            said["corrected"] = dict(self.corrected)
        return said

    @property
    def narrows(self) -> bool:
        """Whether it names things, qualities or likeness, which decide what is shown."""
        return (
            bool(self.things or self.qualities or self.diets)
            or self.like_item is not None
            or self.goes_with is not None
        )

    @property
    def goes_on(self) -> bool:
        """Whether something can be shown by it although it names nothing that is here: by what came before, or else."""
        before = self.reset or self.points or self.unlike or bool(self.refers_to or self.allowed)
        return self.narrows or before or self.critique is not None
