"""Hydrator: what the user searches for at this moment."""

from collections.abc import Callable
from threading import Lock
from typing import Any

from savor.core.errors import BundleError, SavorError
from savor.features.text.encoder import TextEncoder
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated

LONGEST = 1000


class SearchText:
    """Encodes `context["search"]` as searches were encoded for the tower; nothing where the query has none.

    The encoder is opened for the first search. Without it, or with another one than the bundle's, the stage fails, the
    tower sees no search of this moment, and the result says so.

    Args:
        encoder: name of the encoder that the bundle's searches were encoded with.
        opened: opens the one that is installed.
    """

    name = "search_text"
    reads = frozenset[str]()
    writes = frozenset({"search_vector"})
    required = False

    def __init__(self, encoder: str, opened: Callable[[], TextEncoder]) -> None:
        self._name, self._open = encoder, opened
        self._encoder: TextEncoder | SavorError | None = None
        self._lock = Lock()

    def hydrate(self, query: Query, hydrated: Hydrated) -> dict[str, Any]:  # noqa: ARG002
        """`search_vector`: (W,) float32, or None.

        Raises:
            SavorError: the encoder is not installed, or is another one.
        """
        text = query.context.get("search")
        if not isinstance(text, str) or not text.strip():
            return {"search_vector": None}
        return {"search_vector": self._opened().encode([text.strip()[:LONGEST]])[0]}

    def _opened(self) -> TextEncoder:
        with self._lock:
            if self._encoder is None:
                try:
                    encoder = self._open()
                    if encoder.name != self._name:
                        raise BundleError(
                            f"searches were encoded with {self._name}, and installed is {encoder.name}: install the "
                            "packages that the bundle was trained with"
                        )
                    self._encoder = encoder
                except SavorError as error:
                    self._encoder = error
            if isinstance(self._encoder, SavorError):
                raise self._encoder
            return self._encoder
