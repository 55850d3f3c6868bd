"""The mark of a page: what of a list was shown, so that the next page shows none of it again."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from hashlib import blake2b
from typing import NamedTuple

import orjson

from savor.core.errors import SavorError

LONGEST_CURSOR = 1 << 18
"""Characters; a list whose mark would be longer has no further pages."""

_VERSION = 1
_LONGEST_ID = 256
_MOST_SHOWN = 1000
_OLDEST = 86_400


class Cursor(NamedTuple):
    """Opaque to clients, and safe from them: whoever changes one sees other items, and nothing else.

    Attributes:
        recommendation_id: of the list; its pages share it.
        now: UTC seconds that the first page was for.
        shown: ids of the items so far; ids and not rows, so that the list goes on when another bundle answers.
    """

    recommendation_id: str
    now: int
    shown: tuple[str, ...]

    def encode(self, user_id: str, scenario: str) -> str | None:
        """For this user and scenario; None where the list has come to its end, at 1,000 items or very long ids."""
        if len(self.shown) >= _MOST_SHOWN:
            return None
        content = [_VERSION, _key(user_id, scenario), self.recommendation_id, self.now, self.shown]
        text = urlsafe_b64encode(orjson.dumps(content)).decode()
        return text if len(text) <= LONGEST_CURSOR else None

    @classmethod
    def decode(cls, text: str, user_id: str, scenario: str) -> "Cursor":
        """Read what `encode` made.

        Raises:
            SavorError: it is none, or of another user or scenario (code `cursor_invalid`).
        """
        try:
            version, key, recommendation, now, shown = orjson.loads(urlsafe_b64decode(text))
        except (ValueError, TypeError, Error):
            raise _invalid("is not one that this service made") from None
        fits = (
            version == _VERSION
            and isinstance(recommendation, str)
            and len(recommendation) == 32
            and recommendation.isalnum()
            and recommendation.isascii()
            and type(now) is int
            and 0 <= now < 1 << 40
            and isinstance(shown, list)
            and 0 < len(shown) < _MOST_SHOWN
            and all(isinstance(one, str) and 0 < len(one) <= _LONGEST_ID for one in shown)
        )
        if not fits:
            raise _invalid("is not one that this service made")
        if key != _key(user_id, scenario):
            raise _invalid("is of another user or scenario")
        return cls(recommendation, now, tuple(shown))

    def moment(self, now: int) -> int:
        """UTC seconds that a further page is for: those of the first, unless that is over a day away from `now`."""
        return self.now if abs(now - self.now) <= _OLDEST else now


def _invalid(why: str) -> SavorError:
    return SavorError(f"the cursor {why}; ask for the list again without it", code="cursor_invalid")


def _key(user_id: str, scenario: str) -> str:
    return blake2b(f"{scenario}\0{user_id}".encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
