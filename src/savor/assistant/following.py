"""How a message changes what a conversation is about."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import mean, median

from savor.assistant.state import Conversation, joined
from savor.assistant.understanding.reading import EVERYTHING, Reading

_CENT = 0.01
THAT = "that"
"""How something is called that is pointed at."""

PriceOf = Callable[[str], float | None]
"""The price of an item by its id; None where it is unknown."""


def follow(before: Conversation, reading: Reading, price_of: PriceOf) -> Conversation:
    """What is wanted after a message.

    A new wish (things, or likeness to an item) takes the place of the old one, its qualities, its price, for how many
    it is and what was said of its things alone; diets and what is ruled out stay. Everything else narrows or widens the
    wish that is there.

    Args:
        before: what was wanted.
        reading: of the message.
        price_of: for "cheaper": than what is spoken of, or than the middle of the last list.
    """
    now = Conversation(turns=before.turns) if reading.reset else before
    referred = now.referred(reading)
    if (reading.things and not reading.adds) or reading.like_item is not None or reading.goes_with is not None:
        now = replace(now, without=tuple(one for one in now.without if one not in now.passing), passing=())
    if reading.things and not reading.adds:
        again = now.things or now.like
        now = replace(
            now,
            things=reading.things,
            qualities=() if again else now.qualities,
            price_min=None,
            price_max=None,
            total=False,
            people=None,
            level=0,
            beside=(),
            beside_phrase="",
            like="",
            size=0,
            occasion=None,
            number=None,
            shown=(),
            rejected=(),
            focus="",
        )
    elif reading.things:
        now = replace(now, things=joined(now.things, reading.things), like="")
    elif reading.open and not before.about_something:
        now = replace(now, shown=())
    if reading.like_item is not None and (referred or reading.like_item):
        like = referred[0] if referred and not reading.like_item else ""
        now = replace(
            now, things=(), like=like, like_phrase=reading.like_item, shown=(), price_min=None, price_max=None
        )
        now = replace(now, qualities=(), level=0, occasion=None, beside=(), beside_phrase="")
    if reading.goes_with is not None:
        now = replace(
            now,
            things=reading.things,
            like="",
            beside=tuple(referred),
            beside_phrase=reading.goes_with or THAT,
            shown=(),
        )
        now = replace(now, qualities=(), price_min=None, price_max=None, level=0, occasion=None)
    if reading.unlike:
        now = replace(now, rejected=joined(now.rejected, referred))
    elif referred:
        now = replace(now, focus=referred[0])
    allowed = {word for phrase in reading.allowed for word in (phrase, phrase.rstrip("s"), f"{phrase}s")}
    if EVERYTHING in allowed:
        now = replace(now, diets=(), without=(), passing=())
    taken_back = {*reading.without} & {*now.diets}
    allowed |= taken_back
    passing = [one for one in reading.passing if one not in now.without or one in now.passing]
    stays = allowed | ({*reading.without} - {*reading.passing})
    now = replace(
        now,
        qualities=joined(now.qualities, reading.qualities),
        diets=joined([one for one in now.diets if one not in allowed], reading.diets),
        without=joined(
            [one for one in now.without if one not in allowed],
            [one for one in reading.without if one not in taken_back],
        ),
        passing=joined([one for one in now.passing if one not in stays], passing),
        things=tuple(one for one in now.things if one not in reading.without),
        people=now.people if reading.people is None else reading.people,
        number=now.number if reading.number is None else reading.number,
        level=reading.level or now.level,
        occasion=None if reading.like_item is not None else reading.occasion or now.occasion,
    )
    return _priced(now, reading, [price for one in referred or _compared(now) if (price := price_of(one)) is not None])


def _compared(now: Conversation) -> Sequence[str]:
    """Than which items something may be cheaper."""
    return [now.focus] if now.focus else now.listed


def _priced(now: Conversation, reading: Reading, prices: Sequence[float]) -> Conversation:
    if reading.any_price:
        now = replace(now, price_min=None, price_max=None, total=False, level=0)
    if reading.price_min is not None or reading.price_max is not None:
        now = replace(now, price_min=reading.price_min, price_max=reading.price_max, total=reading.total)
    match reading.critique:
        case "cheaper" if prices:
            most = round(min(median(prices), mean(prices)) - _CENT, 2)
            now = replace(now, level=min(now.level, 0), focus="")
            return replace(now, price_max=most if now.price_max is None else min(most, now.price_max), shown=())
        case "cheaper":
            return replace(now, level=-1)
        case "dearer" if prices:
            least = round(max(median(prices), mean(prices)) + _CENT, 2)
            least = least if now.price_min is None else max(least, now.price_min)
            return replace(now, price_min=least, price_max=None, level=max(now.level, 0), focus="", shown=())
        case "dearer":
            return replace(now, level=1)
        case "larger" | "smaller":
            return replace(now, size=1 if reading.critique == "larger" else -1)
        case "other":
            return replace(now, rejected=joined(now.rejected, now.shown))
    return now


def standing(before: Conversation, reading: Reading) -> Conversation:
    """What was wanted before, with what a message says of the person alone: diets, what is ruled out or allowed."""
    said = Reading(diets=reading.diets, without=reading.without, allowed=reading.allowed)
    return follow(before, said, lambda _: None)
