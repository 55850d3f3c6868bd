"""Keeping the chatter of native libraries off a person's terminal."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def native_output_hidden() -> Iterator[None]:
    """Hold back what is written to the process's standard error, below Python too; shown after all if the work fails.

    Nothing that a person should see may be written within. With SAVOR_NATIVE_OUTPUT set, nothing is held back.
    """
    try:
        descriptor = sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        yield
        return
    if os.environ.get("SAVOR_NATIVE_OUTPUT"):
        yield
        return
    sys.stderr.flush()
    kept = os.dup(descriptor)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), descriptor)
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stderr.flush()
            os.dup2(kept, descriptor)
            os.close(kept)
            if failed:
                held.seek(0)
                sys.stderr.write(held.read().decode("utf-8", "replace"))
