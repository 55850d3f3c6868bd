"""What is wanted, in words."""

from collections.abc import Sequence

from savor.assistant.state import Conversation

ANYTHING = "items"
"""What is said where nothing narrows it."""

PURPOSE = "for "
"""With it begin qualities that say what something is for; they stand behind the things."""


def wish(want: Conversation, like: str = "") -> str:
    """What is wanted, in a few words: "quick vegetarian items for 6, without pasta"."""
    qualities = dict.fromkeys((*want.qualities, *want.diets))
    adjectives = " ".join(one for one in qualities if not one.startswith(PURPOSE))
    things = listed(want.things, "and") or ANYTHING
    said = [f"{adjectives} {things}".strip(), *(one for one in qualities if one.startswith(PURPOSE))]
    if like:
        said.append(f"like {like}")
    if want.beside_phrase:
        said.append(f"to go with {want.beside_phrase}")
    if want.people is not None:
        said.append(f"for {want.people}")
    said[-1] += prices(want.price_min, want.price_max)
    text = " ".join(said)
    if want.without:
        text += f", without {listed(want.without, 'or')}"
    level = {-2: "the cheapest", -1: "the cheaper ones", 1: "the dearer ones"}.get(want.level)
    return f"{text}, {level}" if level else text


def listed(words: Sequence[str], last: str) -> str:
    """Words one after the other, `last` before the last one."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def prices(least: float | None, most: float | None) -> str:
    """Bounds of a price, in words; "" for none."""
    if least is not None and most is not None:
        return f", between {least:.2f} and {most:.2f} each"
    if most is not None:
        return f", {'under' if most < round(most, 2) else 'at most'} {most:.2f} each"
    if least is not None:
        return f", {'over' if least > round(least, 2) else 'at least'} {least:.2f} each"
    return ""
