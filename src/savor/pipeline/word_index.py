"""Items by the words in their names and categories."""

import re
import unicodedata
from bisect import bisect_right
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from savor.core.errors import BundleError
from savor.features.catalogue import Catalogue

_WORD = re.compile(r"\w+")
_MOST_WORDS = 32
_SHORTEST_PREFIX = 3
_MOST_COMPLETIONS = 50
_SATURATION, _LENGTH = 1.2, 0.5
_CATEGORY_WEIGHT = 0.5
_PREFIX_WEIGHT = 0.6
_ARRAYS = ("start", "row", "fit", "rarity")


def words_of(text: str) -> list[str]:
    """Lower-case words without accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return _WORD.findall("".join(letter for letter in plain if not unicodedata.combining(letter)))


class WordIndex:
    """For every word, the items that have it, and how well it fits each.

    Args:
        words: W distinct ones, rising.
        start: (W + 1,) int64; word w stands in `row[start[w]:start[w + 1]]`.
        row: (P,) int32 items.
        fit: (P,) float32, above 0, at most the word's rarity.
        rarity: (W + 1,) float32; the last is that of a word that nothing has.
    """

    def __init__(
        self,
        words: list[str],
        start: NDArray[np.int64],
        row: NDArray[np.int32],
        fit: NDArray[np.float32],
        rarity: NDArray[np.float32],
    ) -> None:
        self._words, self._start, self._row, self._fit, self._rarity = words, start, row, fit, rarity
        self._place = {word: place for place, word in enumerate(words)}

    @classmethod
    def build(cls, catalogue: Catalogue, rows: NDArray[np.int32] | None = None) -> "WordIndex":
        """Of names, and of categories, whose words count half.

        The fit is that of BM25 (Robertson and Zaragoza, "The probabilistic relevance framework", 2009) over that of a
        word in a name of mean length, at most 1, times the word's inverse document frequency.

        Args:
            catalogue: the items.
            rows: which of them; None takes all.
        """
        taken = np.arange(len(catalogue), dtype=np.int32) if rows is None else rows
        known: dict[str, int] = {}
        names: dict[str, int] = {}
        of_names = np.fromiter((names.setdefault(catalogue.names[row], len(names)) for row in taken), np.int32)
        columns = [(of_names, list(names), 1.0)]
        columns += [(column.codes[taken], column.values, _CATEGORY_WEIGHT) for column in catalogue.categories.values()]
        pairs = [_pairs(codes, values, known) for codes, values, _ in columns]
        word = np.concatenate([one[0] for one in pairs])
        place = np.concatenate([one[1] for one in pairs])
        weight = np.repeat(np.array([one[2] for one in columns], np.float32), [len(one[0]) for one in pairs])
        words = sorted(known)
        rank = np.empty(len(words), np.int64)
        rank[[known[one] for one in words]] = np.arange(len(words))
        word = rank[word] if len(words) else word
        order = np.lexsort((-weight, place, word))
        word, place, weight = word[order], place[order], weight[order]
        first = np.ones(len(word), np.bool_)
        first[1:] = (word[1:] != word[:-1]) | (place[1:] != place[:-1])
        word, place, weight = word[first], place[first], weight[first]
        length = np.bincount(place, minlength=len(taken))
        relative = length[place] / max(float(length.mean()) if len(length) else 1.0, 1.0)
        count = np.bincount(word, minlength=len(words))
        rarity = np.log1p((len(taken) - np.append(count, 0) + 0.5) / (np.append(count, 0) + 0.5)).astype(np.float32)
        damped = weight / (weight + _SATURATION * (1 - _LENGTH + _LENGTH * relative)) * (1 + _SATURATION)
        fit = (rarity[word] * np.minimum(damped, 1)).astype(np.float32)
        start = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
        return cls(words, start, taken[place].astype(np.int32), fit, rarity)

    def add(self, text: str, total: NDArray[np.float32]) -> None:
        """Add to `total` ((I,) float32) how well each item fits `text`: 1 where it has every word, 0 where none.

        Of the distinct words the first 32 count, each by its rarity. An unknown word, and the last, stand also for the
        longer ones that they begin.
        """
        asked = list(dict.fromkeys(words_of(text)))[:_MOST_WORDS]
        places = [self._place.get(word) for word in asked]
        whole = sum(float(self._rarity[-1 if place is None else place]) for place in places)
        for turn, (word, place) in enumerate(zip(asked, places, strict=True)):
            best = np.zeros(len(total), np.float32)
            if place is not None:
                best[self._rows(place)] = self._fits(place)
            if (place is None or turn == len(asked) - 1) and len(word) >= _SHORTEST_PREFIX:
                own = float(self._rarity[-1 if place is None else place])
                for longer in self._beginning_with(word):
                    rows = self._rows(longer)
                    share = np.minimum(self._fits(longer) / self._rarity[longer], 1) * np.float32(_PREFIX_WEIGHT * own)
                    best[rows] = np.maximum(best[rows], share)
            total += best / np.float32(whole)

    def _rows(self, place: int) -> NDArray[np.int32]:
        return self._row[self._start[place] : self._start[place + 1]]

    def _fits(self, place: int) -> NDArray[np.float32]:
        return self._fit[self._start[place] : self._start[place + 1]]

    def _beginning_with(self, word: str) -> range:
        """Places of up to 50 longer words that begin with `word`."""
        first = last = bisect_right(self._words, word)
        while last < min(len(self._words), first + _MOST_COMPLETIONS) and self._words[last].startswith(word):
            last += 1
        return range(first, last)

    def save(self, directory: Path) -> None:
        """Write `words.json` and an `.npy` file for each array; the folder is made if absent."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "words.json").write_bytes(orjson.dumps(self._words))
        for name in _ARRAYS:
            np.save(directory / f"{name}.npy", getattr(self, f"_{name}"), allow_pickle=False)

    @classmethod
    def load(cls, directory: Path) -> "WordIndex":
        """Read what `save` wrote; the arrays stay on disk and are read as they are needed.

        Raises:
            BundleError: a file is absent or damaged.
        """
        try:
            words = orjson.loads((directory / "words.json").read_bytes())
            arrays = (np.load(directory / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _ARRAYS)
            return cls(words, *map(np.asarray, arrays))
        except (OSError, ValueError, EOFError) as error:
            raise BundleError(f"the words in {directory} cannot be read ({error}); publish again") from None


def _pairs(
    codes: NDArray[np.int32], values: list[str], known: dict[str, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(P,) numbers of words in `known`, which grows, and (P,) positions in `codes` of those whose value has them."""
    found = [[known.setdefault(word, len(known)) for word in dict.fromkeys(words_of(value))] for value in values]
    size = np.bincount(codes, minlength=len(values))
    start = np.concatenate([[0], np.cumsum(size)])
    order = np.argsort(codes, kind="stable")
    code = np.repeat(np.arange(len(values)), [len(words) for words in found])
    word = np.fromiter((number for words in found for number in words), np.int64)
    times = size[code]
    begun = np.repeat(np.cumsum(times) - times, times)
    place = order[np.repeat(start[code], times) + np.arange(int(times.sum())) - begun]
    return np.repeat(word, times), place
