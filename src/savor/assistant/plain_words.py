"""Answers in words without a language model."""

from collections.abc import Sequence

from savor.assistant.described import Item
from savor.assistant.found import Note
from savor.assistant.holding import holding
from savor.assistant.state import Conversation
from savor.assistant.understanding.reading import Reading
from savor.assistant.wish import ANYTHING, listed, wish

_COURTESIES = {
    "hello": "Hello. Say what you are looking for, and what it must not be or cost.",
    "thanks": "You are welcome.",
    "yes": "Good. Say which one you mean, or what else you are looking for.",
    "no": "All right. Say what you are looking for, if there is anything else.",
    "service": "I cannot do that, and do not know of it: I only find items of this catalogue.",
    "bye": "Goodbye.",
    "help": "I find things in this catalogue. Say what you want, as "
    '"something quick and vegetarian for six, not pasta" or "coffee under 8", and go on with "cheaper", '
    '"without nuts", "like the second one" or "something else".',
}
OUTSIDE = (
    "I can only help with finding things in this catalogue, and that is nothing of the kind. What are you looking for?"
)
UNCLEAR = "I did not understand that. I find things of this catalogue, in English: say what you are looking for."
_UNKNOWN_PLACE = "The list that I showed does not go that far."
_SAID = {
    "unknown_thing": "Nothing here is called {about}.",
    "part": "Nothing here is called {about}, so I looked for {more}.",
    "near": "Nothing here is called {about}; these come near to it in meaning.",
    "unknown_without": "I cannot tell what here is {about}, so I left nothing out for it.",
    "quality_dropped": "I found none that is {about}, so I left that out.",
    "price": "Nothing that fits is to be had at that price; the nearest costs {more}.",
    "nothing": "Nothing in the catalogue is that: {about}.",
    "ruled_out": 'Nothing is left of that without {about}: say "{about} is fine again" to see what may have it.',
    "diet": 'Without that diet there would be something: say "I am not {about} any more" to see it.',
    "total": "I took {about} for the price of each item, not of all together: I do not add up totals.",
    "spelled": "I took {about} for {more}.",
    "left": "There was no room for {about}: ask for that by itself.",
    "no_more": "There is nothing more that fits.",
    "fewer": "No more than {more} fit.",
    "sizes": "Other things being equal, {about} packs come first.",
}


def courtesy(kind: str) -> str:
    """An answer to a greeting, to thanks, or to a question for help."""
    return _COURTESIES[kind]


def said_of_list(want: Conversation, items: Sequence[Item], notes: Sequence[Note]) -> str:
    """A sentence or two about a list, which cite its first item as `[id]`."""
    sentences = []
    like = next((note.about for note in notes if note.kind == "like"), "")
    if items:
        asked = {"again": "What you had before", "new": "New to you"}.get(want.occasion or "", "For you")
        about = wish(holding(want, notes), like)
        sentences.append(f"{asked}: {about}." if about != ANYTHING else f"{asked}.")
        first = items[0]
        sentences.append(f"First comes {first['name']}{_price(first)} [{first['item_id']}]: {first['reason']['text']}.")
    elif not notes:
        sentences.append("There is nothing that I can show.")
    if said := said_of_notes(items, notes):
        sentences.append(said)
    return " ".join(sentences)


def said_of_notes(items: Sequence[Item], notes: Sequence[Note]) -> str:
    """What has to be said about a list, whoever puts words to it; "" for nothing."""
    said = [_SAID[note.kind].format(about=note.about, more=note.more) for note in notes if note.kind in _SAID]
    sentences = list(dict.fromkeys(said))
    partly = [note.about for note in notes if note.kind == "partly"]
    if partly and items:
        about = listed(partly, "and")
        sentences.append(f"I go by names and categories, not by what is inside: read the label for {about}.")
    if any(note.kind == "price" for note in notes):
        sentences.append('Say "any price" to see it.')
    return " ".join(sentences)


def said_of_one(item: Item, place: int | None, reading: Reading) -> str:
    """What is to be said of an item that was asked about, citing it."""
    where = "" if place is None else f"Number {place + 1}: "
    if reading.asks == "price" and item["price"] is None:
        return f"{where}the price of {item['name']} [{item['item_id']}] is not known."
    if reading.asks == "why":
        return f"{where}{item['name']} [{item['item_id']}] is there for this reason: {item['reason']['text']}."
    category = f", {item['category'].lower()}" if item["category"] else ""
    tail = 'Say "cheaper", "something like it" or "something else" to go on.'
    return f"{where}{item['name']}{_price(item)}{category} [{item['item_id']}]: {item['reason']['text']}. {tail}"


def said_of_some(
    items: Sequence[Item], places: Sequence[int | None], reading: Reading, about: Sequence[Sequence[str]]
) -> str:
    """What is to be said of items that were asked about, at these places of the list, citing them.

    Args:
        items: one or more.
        places: of each in the list that was shown, from 0.
        reading: of the question.
        about: for each, of what was asked about that its name or category speaks of.
    """
    if reading.asks != "property" and len(items) == 1:
        return said_of_one(items[0], places[0], reading)
    sentences = []
    for item, place, named in zip(items, places, about, strict=True):
        where = "" if place is None else f"Number {place + 1}: "
        price = _price(item) or (", of which I do not know the price" if reading.asks == "price" else "")
        category = f", {item['category'].lower()}" if item["category"] else ""
        sentences.append(f"{where}{item['name']}{price}{category} [{item['item_id']}].")
        if named:
            sentences.append(f"Its name or category speaks of {listed(named, 'and')}.")
    if reading.asks == "property":
        sentences.append("I only know names, categories and prices, not what is inside: read the label.")
    return " ".join(sentences)


def no_such_place(number: int) -> str:
    """Where a message speaks of a place that the last list has not."""
    return f"{_UNKNOWN_PLACE} It had {number}." if number else "There is no list yet that I could look that up in."


def not_called(phrases: Sequence[str]) -> str:
    """Where nothing is known of what is wanted."""
    return f"Nothing here is called {listed(phrases, 'or')}. Try another word for it, or the kind of thing that it is."


def _price(item: Item) -> str:
    return "" if item["price"] is None else f" at {item['price']:.2f}"
