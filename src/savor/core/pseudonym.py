"""What stands for a personal id: a keyed hash."""

import hashlib
import hmac
import os
from collections.abc import Callable

KEY_VARIABLE = "SAVOR_PSEUDONYM_KEY"
_DIGITS = 32


def pseudonym(user_id: str, key: str) -> str:
    """What stands for `user_id`: the first 32 hexadecimal digits of HMAC-SHA-256 (RFC 2104) under `key`."""
    return hmac.new(key.encode("utf-8"), user_id.encode("utf-8"), hashlib.sha256).hexdigest()[:_DIGITS]


def pseudonyms_from_environment() -> Callable[[str], str] | None:
    """Makes pseudonyms with the key from the environment; None where there is no key."""
    key = os.environ.get(KEY_VARIABLE, "")
    return (lambda user_id: pseudonym(user_id, key)) if key else None
