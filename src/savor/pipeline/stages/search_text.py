"""Hydrator: what the user searches for at this moment."""

from collections.abc import Callable
from typing import Any

from savor.core.errors import BundleError
from savor.features.text.encoder import TextEncoder
from savor.pipeline.prepared import Prepared
from savor.pipeline.query import Query
from savor.pipeline.search_query import search_query
from savor.pipeline.stage import Hydrated


class SearchText:
    """Encodes `context["query"]` as searches were encoded for the tower; nothing where the query has none.

    The encoder is opened for the first search. Without it, with another one than the bundle's, or while it is being
    opened and the query has a deadline, the stage fails, the tower sees no search of this moment, and the result says
    so.

    Args:
        encoder: name of the encoder that the bundle's searches were encoded with; None where there were none.
        opened: opens the one that is installed.
    """

    name = "search_text"
    reads = frozenset[str]()
    writes = frozenset({"search_vector"})
    required = False

    def __init__(self, encoder: str | None, opened: Callable[[], TextEncoder]) -> None:
        def open_() -> TextEncoder:
            found = opened()
            if encoder is not None and found.name != encoder:
                raise BundleError(
                    f"searches were encoded with {encoder}, and installed is {found.name}: install the packages that "
                    "the bundle was trained with"
                )
            return found

        self._encoder = Prepared(open_, "the text encoder")

    def hydrate(self, query: Query, hydrated: Hydrated) -> dict[str, Any]:  # noqa: ARG002
        """`search_vector`: (W,) float32, or None.

        Raises:
            SavorError: the encoder is not installed, is another one, or is not ready.
        """
        text = search_query(query)
        if text is None:
            return {"search_vector": None}
        return {"search_vector": self._encoder.get(wait=query.deadline is None).encode([text])[0]}
