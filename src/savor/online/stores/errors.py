"""What goes wrong with stores."""

from savor.core.errors import SavorError


class StoreError(SavorError):
    """A store refuses what it was given, or cannot be used as it is."""

    code = "store_failed"


class StoreAwayError(StoreError):
    """A store cannot be reached now; the same call may succeed later."""

    code = "store_away"
