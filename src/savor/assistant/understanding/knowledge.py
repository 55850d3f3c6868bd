"""Which items a phrase stands for, by the words in their names and categories."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from savor.assistant.understanding.language import english
from savor.assistant.understanding.lexicon import Lexicon
from savor.assistant.understanding.spelling import Spelling
from savor.assistant.understanding.stems import heads, stem, stems
from savor.features.catalogue import Catalogue
from savor.features.columns import CategoryColumn
from savor.pipeline.live_words import changed_rows
from savor.pipeline.word_index import words_of

Mask = NDArray[np.bool_]
_LETTERED = 0.5
_SHORTEST_PART = 3
_SHORTEST_STEM = 5
_SHARE_OWN, _SHARE_FOUND, _SHARE_CALLED = 0.15, 0.05, 0.5
_SHARE_JOINED = 0.5
_LEAST_LEVELS = 3
"""Two levels of categories, and names."""

_REMEMBERED_BYTES = 32 << 20
_NAME = " name"
_SEVERAL = re.compile(r"\s*[/&,(:]\s*|\s-\s")
_PAIR = re.compile(r"(\w+)\s*(?:&|\band\b)\s*(?=(\w+))", re.IGNORECASE)
_DENIED = frozenset({"no", "non", "not", "without", "except"})
_MOST_WORDS = 8
"""Words of a phrase beyond these are not looked up, whatever somebody writes."""


class Meaning(NamedTuple):
    """What a phrase stands for.

    Attributes:
        kind: `concept`, `value` (a category is called so), `words` (names or categories have all of its words), `part`
            (they have only some of them), `near` (they mean something like it) or `unknown`.
        label: how to say it: as asked, or the part of it that something is called.
        items: (I,) bool.
        concept: its name, for a concept.
    """

    kind: Literal["concept", "value", "words", "part", "near", "unknown"]
    label: str
    items: Mask
    concept: str | None = None


class Knowledge:
    """Looks phrases up in the names, categories and tags of a catalogue. Safe from several threads.

    Columns of which more than half of the values have no letters are numbers of something, and left out.

    Args:
        catalogue: the items.
        lexicon: concepts, and words that are written short.
    """

    def __init__(self, catalogue: Catalogue, lexicon: Lexicon) -> None:
        self.catalogue, self.lexicon = catalogue, lexicon
        self._columns = _columns(catalogue)
        self._texts = {
            name: [stems(value, lexicon.short) for value in column.values] for name, column in self._columns.items()
        }
        self._heads = {
            name: [
                ({*stems(value, lexicon.short)}, {*stems(_SEVERAL.split(value)[0], lexicon.short)})
                for value in column.values
            ]
            for name, column in self._columns.items()
        }
        self._narrowest = tuple(self._columns)[-2:]
        self._spoken = {
            name: _codes_of(heads(value, lexicon.short, first=name not in self._narrowest) for value in column.values)
            for name, column in self._columns.items()
        }
        self._things = {word for name, codes in self._spoken.items() if name not in self._narrowest for word in codes}
        self._things |= {
            said[0] for said, name in lexicon.sayings.items() if len(said) == 1 and lexicon.names_thing(name)
        }
        self._places: dict[str, list[tuple[str, NDArray[np.intp]]]] = {}
        for name, texts in self._texts.items():
            for word, codes in _codes_of(texts).items():
                self._places.setdefault(word, []).append((name, codes))
        self._tagged = _tagged(catalogue, lexicon)
        self._remember()

    def _remember(self) -> None:
        """What was asked once is answered from memory, of which all kinds take the same."""
        number = max(_REMEMBERED_BYTES // max(len(self.catalogue), 1), 16)
        self.meaning = lru_cache(number)(self._meaning)
        self.ruled_out = lru_cache(number)(self._ruled_out)
        self.concept = lru_cache(number)(self._concept)
        self.wanted = lru_cache(number)(self._wanted)
        self._with_one = lru_cache(number)(self._look_up)

    def over(self, catalogue: Catalogue) -> "Knowledge":
        """The same of a catalogue with changed and new items."""
        return self if catalogue is self.catalogue else _Changed(self, catalogue)

    @cached_property
    def joined(self) -> frozenset[tuple[str, str]]:
        """Pairs of stems that are one thing with "and" between them, as macaroni and cheese.

        A saying has them so, or a narrowest category is called so and most of its items have both words in their names.
        """
        if len(self._narrowest) < 2:
            return self.lexicon.joined
        name, column = self._narrowest[0], self._columns[self._narrowest[0]]
        found: set[tuple[str, str]] = set()
        for code, value in enumerate(column.values):
            for left, right in _PAIR.findall(value):
                pair = stem(left.casefold()), stem(right.casefold())
                own = self._coded(name, np.asarray([code]))
                if own.any() and self.items_with(pair, (_NAME,))[own].mean() > _SHARE_JOINED:
                    found.add(pair)
        return self.lexicon.joined | found

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """Every stem that an item has."""
        return frozenset(self._places) | frozenset(self._tagged)

    @cached_property
    def spelling(self) -> Spelling:
        """Words as catalogue, lexicon and language write them."""
        counts: Counter[str] = Counter(dict.fromkeys(english().known, 1))
        for column in self._columns.values():
            numbers = np.bincount(column.codes, minlength=len(column.values)).tolist()
            for value, number in zip(column.values, numbers, strict=True):
                counts.update(dict.fromkeys(words_of(value), number))
        for name, concept in self.lexicon.concepts.items():
            counts.update({word: 1 for saying in (name, *concept.said) for word in words_of(saying)})
        return Spelling(counts)

    def strange(self, word: str) -> bool:
        """Whether neither the catalogue nor the lexicon nor the language has a word."""
        known = self.has(stem(word)) or word in english().known or stem(word) in self._said
        return not known and word not in self.lexicon.short

    def corrected(self, word: str) -> str | None:
        """The word that was meant by a strange one; None for one that is known, or like none."""
        return self.spelling.corrected(word) if self.strange(word) else None

    def together(self, phrase: str) -> bool:
        """Whether a concept is called so, or an item has all words of a phrase."""
        words = stems(phrase, self.lexicon.short)
        known = all(map(self.has, words)) and bool(self.items_with(words).any())
        return known or self._named(phrase) is not None

    def names(self, word: str) -> bool:
        """Whether a word alone is what a category or a concept is called."""
        return self.meaning(word).kind in ("concept", "value")

    @cached_property
    def _said(self) -> frozenset[str]:
        return frozenset(word for saying in self.lexicon.sayings for word in saying)

    def has(self, word: str) -> bool:
        """Whether an item has this stem."""
        return word in self._places or word in self._tagged

    def items_with(self, words: Sequence[str], columns: Sequence[str] = ()) -> Mask:
        """(I,) bool: which items have all of these stems, in their name, categories and tags together."""
        found = np.ones(len(self.catalogue), np.bool_)
        for word in dict.fromkeys(words):
            found &= self._with_one(word, tuple(columns))
        return found if len(words) else ~found

    def _look_up(self, word: str, columns: tuple[str, ...]) -> Mask:
        found = np.zeros(len(self.catalogue), np.bool_)
        for name, codes in self._places.get(word, ()):
            if not columns or name in columns:
                found |= self._coded(name, codes)
        if not columns and word in self._tagged:
            found |= self._tagged[word]
        return found

    def _affirmed(self, word: str) -> Mask:
        """(I,) bool: which items have a word that no "not", "no", "non" or "without" stands before."""
        found = np.zeros(len(self.catalogue), np.bool_)
        for name, codes in self._places.get(word, ()):
            found |= self._coded(
                name, np.asarray([code for code in codes if _says(self._texts[name][code], word)], int)
            )
        return found | self._tagged[word] if word in self._tagged else found

    def _denied(self, word: str) -> Mask:
        """(I,) bool: which items have a word in their name or narrowest category only behind a "not"."""
        found = np.zeros(len(self.catalogue), np.bool_)
        for name, codes in self._places.get(word, ()):
            if name in self._narrowest:
                denied = [code for code in codes if not _says(self._texts[name][code], word)]
                found |= self._coded(name, np.asarray(denied, int))
        return found

    def _concept(self, name: str) -> Mask:
        """(I,) bool: everything that may be of a concept, to rule it out; all items where it has no words."""
        phrases, columns = self.lexicon.phrases(name, "words"), self.lexicon.concepts[name].columns
        found = np.full(len(self.catalogue), not phrases)
        for phrase in phrases:
            found |= self.items_with(phrase, columns)
        return self._less(name, found, "safe")

    def _wanted(self, name: str) -> Mask:
        """(I,) bool: what is surely of a concept, to show it."""
        phrases, columns = self.lexicon.phrases(name, "words"), self.lexicon.concepts[name].columns
        found = np.full(len(self.catalogue), not phrases)
        for phrase in phrases:
            found |= self.items_with(phrase, columns) if columns else self._precise(phrase)
        return self._less(name, found, "never")

    def _less(self, name: str, found: Mask, but: Literal["never", "safe"]) -> Mask:
        concept = self.lexicon.concepts[name]
        for phrase in self.lexicon.phrases(name, but):
            found &= ~self.items_with(phrase)
        for other in concept.without:
            found &= ~self.concept(other)
        if concept.within is not None:
            found &= self.concept(concept.within)
        return found

    def _named(self, phrase: str) -> str | None:
        """The concept that people call so."""
        sayings = self.lexicon.sayings
        return sayings.get(stems(phrase)) or sayings.get(stems(phrase, self.lexicon.short))

    def _meaning(self, phrase: str) -> Meaning:
        """What a wanted phrase stands for: a concept, a category, what has all of its words, or as many as anything."""
        name, words = self._named(phrase), stems(phrase, self.lexicon.short)
        if len(words) > _MOST_WORDS:
            return self._part(phrase, words)
        if name is not None and self.lexicon.concepts[name].kind != "ingredient" and (items := self.wanted(name)).any():
            return Meaning("concept", phrase, items, name)
        if not words:
            return Meaning("unknown", phrase, np.zeros(len(self.catalogue), np.bool_))
        if (items := self._precise(words)).any():
            return Meaning("value" if self._called(words).any() else "words", phrase, items)
        return self._part(phrase, words)

    def _ruled_out(self, phrase: str) -> Meaning:
        """What a phrase stands for that is not wanted: all that may be it."""
        name, words = self._named(phrase), stems(phrase, self.lexicon.short)[:_MOST_WORDS]
        begun = [words[0], *self._longer(words[0])] if len(words) == 1 else []
        if begun:
            items = np.logical_or.reduce([self._affirmed(word) for word in begun])
        else:
            items = np.logical_and.reduce([self._affirmed(word) for word in words] or [self.items_with(())])
        if name is not None:
            concept = self.lexicon.concepts[name]
            whole = self.concept(name) if concept.words else ~self.concept(name)
            return Meaning("concept", phrase, whole if concept.kind == "diet" else whole | items, name)
        return Meaning("words" if items.any() else "unknown", phrase, items)

    def _longer(self, word: str) -> list[str]:
        """Words of the catalogue that begin with a word: decaf, decaffeinated."""
        return [one for one in self.vocabulary if one.startswith(word)] if len(word) >= _SHORTEST_STEM else []

    def _precise(self, words: tuple[str, ...]) -> Mask:
        """What is surely meant by words.

        Items of a category that is called so, and those whose name or narrowest category has the words and speaks of
        them first of all; else those that have the words there; else those that have them anywhere. Of a category that
        is called so only the items that are too, where there are enough of them.
        """
        narrow = self._narrow(words)
        called = self._called(words) | (self.items_with(words) & self._headed(words[-1], wide=True))
        own = called & self._narrow(words[-1:])
        several = called & self._of_several()
        if (own & several).sum() >= _SHARE_OWN * several.sum():
            called &= own | ~several
        called &= own | ~self._speaks_of_another(words[-1])
        spoken = narrow & self._headed(words[-1])
        found = called if called.sum() >= _SHARE_CALLED * spoken.sum() > 0 else called | spoken
        if found.sum() < _SHARE_FOUND * narrow.sum():
            found = found | narrow
        found = found if found.any() else self.items_with(words)
        if not _DENIED.isdisjoint(words):
            return found
        affirmed = found & ~np.logical_or.reduce([self._denied(word) for word in words])
        return affirmed if affirmed.any() else found

    def _headed(self, word: str, *, wide: bool = False) -> Mask:
        """Items whose name or narrowest category (`wide`: a wider one) speaks of a word first of all."""
        found = np.zeros(len(self.catalogue), np.bool_)
        for name, codes in self._spoken.items():
            if word in codes and (name in self._narrowest) != wide:
                found |= self._coded(name, codes[word])
        return found

    def _of_several(self) -> Mask:
        """Items whose category above the narrowest names several things, as "jelly/jams"."""
        if len(self._columns) < _LEAST_LEVELS:
            return np.zeros(len(self.catalogue), np.bool_)
        name = list(self._columns)[-_LEAST_LEVELS]
        values = self._columns[name].values
        return self._coded(name, np.flatnonzero([_SEVERAL.search(value) is not None for value in values]))

    def _speaks_of_another(self, word: str) -> Mask:
        """Items whose narrowest category speaks of another thing than `word`: of one that has a category, or a name."""
        name = self._narrowest[0]
        codes = [codes for other, codes in self._spoken[name].items() if other != word and other in self._things]
        return self._coded(name, np.concatenate(codes)) if codes else np.zeros(len(self.catalogue), np.bool_)

    def _called(self, words: tuple[str, ...]) -> Mask:
        """Items of a category whose whole name these words are, in any order, or the first of its several names."""
        wanted, found = {*words}, np.zeros(len(self.catalogue), np.bool_)
        for name, codes in self._places.get(words[0], ()):
            equal = [code for code in codes.tolist() if wanted in self._heads[name][code]]
            if equal:
                found |= self._coded(name, np.asarray(equal))
        return found

    def _coded(self, name: str, codes: NDArray[np.intp]) -> Mask:
        """(I,) bool: items with one of some values in a column."""
        accepted = np.zeros(len(self._columns[name].values), np.bool_)
        accepted[codes] = True
        return accepted[self._columns[name].codes]

    def _narrow(self, words: tuple[str, ...]) -> Mask:
        """Items whose name or narrowest category has all of the words."""
        found = np.zeros(len(self.catalogue), np.bool_)
        for name in self._narrowest:
            found |= self.items_with(words, (name,))
        return found

    def _part(self, phrase: str, words: tuple[str, ...]) -> Meaning:
        """By as many of the words as anything has together; the last ones, which name the thing, count most."""
        spoken = phrase.split()
        if len(spoken) != len(words):
            spoken = list(words)
        spoken, words = spoken[-_MOST_WORDS:], words[-_MOST_WORDS:]
        for length in range(len(words) - 1, 0, -1):
            for start in range(len(words) - length, -1, -1):
                part = words[start : start + length]
                if len("".join(part)) < _SHORTEST_PART or not all(map(self.has, part)):
                    continue
                label = " ".join(spoken[start : start + length])
                name = self._named(label)
                name = None if name is None or self.lexicon.concepts[name].kind == "ingredient" else name
                if (found := self._precise(part) if name is None else self.wanted(name)).any():
                    return Meaning("part", label, found, name)
        return Meaning("unknown", phrase, np.zeros(len(self.catalogue), np.bool_))


class _Changed(Knowledge):
    """Knowledge of a catalogue some of whose items are new or others than in `base`; those are looked at alone."""

    def __init__(self, base: Knowledge, catalogue: Catalogue) -> None:
        self.catalogue, self.lexicon, self._base = catalogue, base.lexicon, base
        self._rows = changed_rows(base.catalogue, catalogue)
        self._own = Knowledge(_some(catalogue, self._rows), base.lexicon)
        self._remember()

    def over(self, catalogue: Catalogue) -> Knowledge:
        return self if catalogue is self.catalogue else self._base.over(catalogue)

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        return self._base.vocabulary | self._own.vocabulary

    def has(self, word: str) -> bool:
        return self._base.has(word) or self._own.has(word)

    @cached_property
    def joined(self) -> frozenset[tuple[str, str]]:
        return self._base.joined

    @cached_property
    def spelling(self) -> Spelling:
        return self._base.spelling

    def _denied(self, word: str) -> Mask:
        return self._over_base(self._base._denied(word), self._own._denied(word))

    def _affirmed(self, word: str) -> Mask:
        return self._over_base(self._base._affirmed(word), self._own._affirmed(word))

    def _concept(self, name: str) -> Mask:
        return self._over_base(self._base.concept(name), self._own.concept(name))

    def _look_up(self, word: str, columns: tuple[str, ...]) -> Mask:
        return self._over_base(self._base._look_up(word, columns), self._own._look_up(word, columns))

    def _called(self, words: tuple[str, ...]) -> Mask:
        return self._over_base(self._base._called(words), self._own._called(words))

    def _headed(self, word: str, *, wide: bool = False) -> Mask:
        return self._over_base(self._base._headed(word, wide=wide), self._own._headed(word, wide=wide))

    def _of_several(self) -> Mask:
        return self._over_base(self._base._of_several(), self._own._of_several())

    def _speaks_of_another(self, word: str) -> Mask:
        return self._over_base(self._base._speaks_of_another(word), self._own._speaks_of_another(word))

    def _narrow(self, words: tuple[str, ...]) -> Mask:
        return self._over_base(self._base._narrow(words), self._own._narrow(words))

    def _over_base(self, base: Mask, own: Mask) -> Mask:
        found = np.zeros(len(self.catalogue), np.bool_)
        found[: len(base)] = base
        found[self._rows] = own
        return found


def _says(text: Sequence[str], word: str) -> bool:
    """Whether a word stands in a text without being denied."""
    return any(said == word and (place == 0 or text[place - 1] not in _DENIED) for place, said in enumerate(text))


def _codes_of(values: Iterable[Iterable[str]]) -> dict[str, NDArray[np.intp]]:
    """From each word to the positions of the values that have it."""
    found: dict[str, list[int]] = {}
    for code, words in enumerate(values):
        for word in {*words}:
            found.setdefault(word, []).append(code)
    return {word: np.asarray(codes) for word, codes in found.items()}


def _columns(catalogue: Catalogue) -> Mapping[str, CategoryColumn]:
    """The columns that speak, from the widest, and the names last."""
    found: dict[str, CategoryColumn] = {}
    for name, column in catalogue.categories.items():
        lettered = sum(any(letter.isalpha() for letter in value) for value in column.values)
        if lettered > _LETTERED * (len(column.values) - 1):
            found[name] = column
    if catalogue.owner is not None:
        found["owner"] = catalogue.owner
        found = {"owner": found.pop("owner"), **found}
    codes: dict[str, int] = {}
    of_names = np.fromiter((codes.setdefault(name, len(codes)) for name in catalogue.names), np.int32, len(catalogue))
    found[_NAME] = CategoryColumn(of_names, list(codes))
    return found


def _tagged(catalogue: Catalogue, lexicon: Lexicon) -> Mapping[str, Mask]:
    found: dict[str, Mask] = {}
    for column in catalogue.tags.values():
        item = np.repeat(np.arange(len(catalogue)), np.diff(column.indptr))
        order = np.argsort(column.codes, kind="stable")
        starts = np.searchsorted(column.codes[order], np.arange(len(column.values) + 1))
        for code, value in enumerate(column.values):
            rows = item[order[starts[code] : starts[code + 1]]]
            for word in stems(value, lexicon.short):
                if len(rows):
                    found.setdefault(word, np.zeros(len(catalogue), np.bool_))[rows] = True
    return found


def _some(catalogue: Catalogue, rows: NDArray[np.int32]) -> Catalogue:
    """Some rows of a catalogue, as one of its own."""
    columns = catalogue.columns.take(rows)
    owner = catalogue.owner
    return Catalogue(
        [catalogue.ids[row] for row in rows.tolist()],
        [catalogue.names[row] for row in rows.tolist()],
        dict(columns.categories),
        dict(columns.tags),
        dict(columns.numerics),
        catalogue.price[rows],
        catalogue.in_stock[rows],
        None if owner is None else CategoryColumn(owner.codes[rows], owner.values),
    )
