"""Which items a wish lets in."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from savor.assistant.found import Note
from savor.assistant.known_prices import known_prices
from savor.assistant.meanings import Meanings
from savor.assistant.state import Conversation
from savor.assistant.understanding.knowledge import Knowledge, Mask
from savor.assistant.wish import PURPOSE, wish
from savor.features.catalogue import Catalogue

_CHEAP, _CHEAPEST, _DEAR = 0.3, 0.1, 0.7


class Group(NamedTuple):
    """Items that are one of the things that are wanted.

    Attributes:
        label: what the thing is called; "" where none was named.
        items: (I,) bool.
        query: what to search for among them; None where they are surely meant.
    """

    label: str
    items: Mask
    query: str | None


class Scope:
    """Masks over the catalogue; made for one turn.

    Args:
        catalogue: the items.
        knowledge: of them.
        meanings: nearness in meaning.

    Attributes:
        price: (I,) float32, NaN where it is not known.
        notes: what has to be said of the wish.
    """

    def __init__(self, catalogue: Catalogue, knowledge: Knowledge, meanings: Meanings) -> None:
        self._catalogue, self._knowledge, self._meanings = catalogue, knowledge, meanings
        self.price = known_prices(catalogue.price)
        self.notes: list[Note] = []

    def allowed(self, want: Conversation) -> Mask:
        """What may be shown: diets, what is ruled out, price."""
        knowledge, price = self._knowledge, self.price
        allowed = self._catalogue.in_stock & ~self._kinds(want.beside)
        for name in want.diets:
            allowed &= knowledge.concept(name)
            if knowledge.lexicon.concepts[name].partly:
                self.notes.append(Note("partly", name))
        for phrase in want.without:
            meaning = knowledge.ruled_out(phrase)
            if meaning.kind == "unknown":
                self.notes.append(Note("unknown_without", phrase))
            elif meaning.concept is not None and knowledge.lexicon.concepts[meaning.concept].partly:
                self.notes.append(Note("partly", phrase))
            allowed &= ~meaning.items
        if want.price_max is not None:
            allowed &= price <= np.float32(want.price_max)
        if want.price_min is not None:
            allowed &= price >= np.float32(want.price_min)
        return allowed

    def groups(self, want: Conversation, allowed: Mask) -> list[Group]:
        """One for each thing that is wanted, as its qualities narrow it; or one for everything."""
        everything = np.ones(len(self._catalogue), np.bool_)
        made: list[Group] = []
        for thing in want.things:
            meaning = self._meanings.of(thing, self._knowledge)
            if meaning.kind == "unknown":
                self.notes.append(Note("unknown_thing", thing))
                continue
            if meaning.kind in ("part", "near"):
                self.notes.append(Note("part" if meaning.kind == "part" else "near", thing, meaning.label))
            items = self._narrowed(meaning.items, want.qualities, allowed, thing)
            query = thing if meaning.kind in ("part", "near") else None
            made.append(Group(meaning.label, self._leveled(items, want, allowed), query))
        if want.things:
            return made
        if (
            want.people is not None
            and not want.qualities
            and not want.like
            and "food" in self._knowledge.lexicon.concepts
        ):
            food = self._knowledge.concept("food")
            everything = food if food.any() else everything
        items = self._narrowed(everything, want.qualities, allowed, "")
        return [Group("", self._leveled(items, want, allowed), None)]

    def say_why(self, want: Conversation, groups: list[Group]) -> None:
        """Why nothing can be shown, and what could be."""
        if want.things and not groups:
            return
        if (want.price_min, want.price_max) != (None, None):
            fitting = self._fitting(replace(want, price_min=None, price_max=None, level=0))
            prices = self.price[fitting & np.isfinite(self.price)]
            if len(prices):
                nearest = prices.min() if want.price_max is not None and prices.min() > want.price_max else prices.max()
                self.notes.append(Note("price", wish(want), f"{float(nearest):.2f}"))
                return
        for phrase in want.without:
            if self._fitting(replace(want, without=tuple(one for one in want.without if one != phrase))).any():
                self.notes.append(Note("ruled_out", phrase))
                return
        self.notes.append(Note("nothing", wish(want)))
        for name in want.diets:
            if self._fitting(replace(want, diets=tuple(one for one in want.diets if one != name))).any():
                self.notes.append(Note("diet", name))
                return

    def _narrowed(self, items: Mask, qualities: Sequence[str], allowed: Mask, thing: str) -> Mask:
        """Those of `items` that have all qualities; one that leaves nothing is left out, and that is said."""
        for said in qualities:
            quality = said if said in self._knowledge.lexicon.concepts else said.removeprefix(PURPOSE)
            has = self._meanings.of(quality, self._knowledge).items
            narrowed = items & has
            if not (narrowed & allowed).any() and thing:
                together = self._knowledge.meaning(f"{quality} {thing}")
                narrowed = together.items & has if together.kind in ("value", "words") else narrowed
            if (narrowed & allowed).any():
                items = narrowed
            elif (items & allowed).any():
                self.notes.append(Note("quality_dropped", said, thing))
        return items

    def _leveled(self, items: Mask, want: Conversation, allowed: Mask) -> Mask:
        """The cheaper or dearer part of `items`, by the prices of those that may be shown."""
        if want.level == 0:
            return items
        price = self.price
        known = price[items & allowed & np.isfinite(price)]
        if not len(known):
            return items
        if want.level > 0:
            return items & (price >= np.quantile(known, _DEAR))
        return items & (price <= np.quantile(known, _CHEAPEST if want.level < -1 else _CHEAP))

    def _fitting(self, want: Conversation) -> Mask:
        """(I,) bool: what another wish would allow; nothing is noted of it."""
        notes, self.notes = self.notes, []
        allowed = self.allowed(want)
        groups = self.groups(want, allowed)
        self.notes = notes
        wanted = np.zeros_like(allowed)
        for group in groups:
            wanted |= group.items
        return allowed & wanted

    def _kinds(self, ids: Sequence[str]) -> Mask:
        """(I,) bool: items of the narrowest categories of some items."""
        index, columns = self._catalogue.index, list(self._catalogue.categories.values())
        rows = np.asarray([index[one] for one in ids if one in index], np.intp)
        if not len(rows) or not columns:
            return np.isin(np.arange(len(self._catalogue)), rows)
        return np.isin(columns[-1].codes, columns[-1].codes[rows])
