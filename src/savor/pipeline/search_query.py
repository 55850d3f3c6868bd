"""What somebody searches for."""

from savor.pipeline.query import Query

LONGEST = 1000

TEXT_FIELDS = ("query", "search")
"""Names of `context` under which a text to search for may come."""


def search_query(query: Query) -> str | None:
    """`context["query"]`, or else `context["search"]`, the first 1,000 characters; None where there is no text."""
    for name in TEXT_FIELDS:
        text = query.context.get(name)
        if isinstance(text, str) and text.strip():
            return text.strip()[:LONGEST]
    return None
