"""The key under which erased persons are remembered without their ids."""

import os
import secrets
from pathlib import Path

from savor.core.files import fsync_directory
from savor.core.pseudonym import KEY_VARIABLE
from savor.online.stores.errors import StoreAwayError

ERASURE_KEY_VARIABLE = "SAVOR_ERASURE_KEY"
_SHORTEST = 16


def tombstone_key(file: Path) -> bytes:
    """The key from SAVOR_ERASURE_KEY or else SAVOR_PSEUDONYM_KEY; where neither is set, the one in `file`.

    The file is made on first use, for its owner alone. Servers on several machines that share one database need the
    variable.

    Raises:
        StoreAwayError: the key is too short to protect anything, or the file cannot be read or made.
    """
    key = (os.environ.get(ERASURE_KEY_VARIABLE) or os.environ.get(KEY_VARIABLE) or "").encode("utf-8")
    where = "the environment"
    if not key:
        where = str(file)
        try:
            key = _from_file(file)
        except OSError as error:
            raise StoreAwayError(f"the key for erasures in {file} cannot be read or made ({error})") from None
    if len(key) < _SHORTEST:
        raise StoreAwayError(f"the key for erasures in {where} has fewer than {_SHORTEST} characters")
    return key


def _from_file(file: Path) -> bytes:
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        beside = file.with_name(f".{file.name}.{secrets.token_hex(8)}.partial")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, secrets.token_hex(32).encode("ascii"))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        try:
            os.link(beside, file)
        except FileExistsError:
            pass
        finally:
            beside.unlink()
        fsync_directory(file.parent)
    return file.read_bytes().strip()
