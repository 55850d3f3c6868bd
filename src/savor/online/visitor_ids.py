"""Names for people who have not said who they are."""

import secrets

PREFIX = "visitor-"
_BYTES = 16


def new_visitor_id() -> str:
    """An id for an anonymous visitor that nobody can guess."""
    return PREFIX + secrets.token_urlsafe(_BYTES)


def is_visitor(user_id: str) -> bool:
    """Whether an id is that of an anonymous visitor, so that it may be merged into a user's."""
    return user_id.startswith(PREFIX)
