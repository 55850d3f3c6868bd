"""What phrases stand for, by words and else by nearness in meaning."""

from collections import OrderedDict
from contextlib import suppress
from copy import copy
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from savor.assistant.understanding.knowledge import Knowledge, Meaning
from savor.core.errors import SavorError
from savor.features.content_vectors import ContentVectors
from savor.pipeline.build import Serving
from savor.pipeline.prepared import Prepared

_MARGIN = 0.1
_REMEMBERED = 256


class Meanings:
    """Adds nearness in meaning to what words say; without text vectors or their encoder, only words count.

    Args:
        serving: has the text vectors of items.
        near: the least cosine.
        patient: whether to wait for the encoder to be opened.
    """

    def __init__(self, serving: Serving, near: float, *, patient: bool = False) -> None:
        space = serving.tables.space
        self._texts = _texts_of(serving)
        self._near, self._patient, self._number = near, patient, len(serving.catalogue)
        choice = space.options.text_encoder if space is not None else None
        self._encoder = Prepared(lambda: serving.opened.text_encoder(choice, queries=True), "the text encoder")
        self._known: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._lock = Lock()

    def over(self, serving: Serving) -> "Meanings":
        """The same for other tables of the same bundle."""
        made = copy(self)
        made._texts, made._number = _texts_of(serving), len(serving.catalogue)
        return made

    def of(self, phrase: str, knowledge: Knowledge) -> Meaning:
        """What a phrase stands for; `near` where no word of it says so, and its label is what it is near to."""
        found = knowledge.meaning(phrase)
        if found.kind != "unknown":
            return found
        items = self.nearest(phrase)
        return found if items is None else Meaning("near", phrase, items)

    def near(self, phrase: str) -> bool:
        """Whether anything is near in meaning to a phrase."""
        return self.nearest(phrase) is not None

    def nearest(self, phrase: str) -> NDArray[np.bool_] | None:
        """(I,) bool: the items nearest in meaning; None where none is near enough."""
        vector = self._vector(phrase)
        if vector is None or self._texts is None:
            return None
        cosine = np.asarray(self._texts.vectors, np.float32) @ vector
        best = float(cosine.max(initial=-1.0))
        if best < self._near:
            return None
        return (cosine >= max(self._near, best - _MARGIN))[self._texts.rows(np.arange(self._number))]

    def _vector(self, phrase: str) -> NDArray[np.float32] | None:
        """(W,) of a phrase; None where there is no encoder, or it is not open yet."""
        if self._texts is None:
            return None
        with self._lock:
            if phrase in self._known:
                self._known.move_to_end(phrase)
                return self._known[phrase]
        try:
            vector: NDArray[np.float32] = self._encoder.get(wait=self._patient).encode([phrase])[0]
        except SavorError:
            return None
        with self._lock:
            self._known[phrase] = vector
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return vector

    def prepare(self) -> None:
        """Begin to open the encoder, without waiting."""
        if self._texts is not None:
            with suppress(SavorError):
                self._encoder.get(wait=False)


def _texts_of(serving: Serving) -> ContentVectors | None:
    return None if serving.tables.space is None else serving.tables.space.text
