"""A kept file as an answer."""

from collections.abc import AsyncIterator
from typing import BinaryIO

import anyio.to_thread
from starlette.responses import StreamingResponse

_CHUNK = 1 << 18


class FileAnswer(StreamingResponse):
    """Sends a part of an open file, piece by piece, and closes it.

    Args:
        file: open, at its start.
        start: the first byte.
        stop: the one after the last.
        status: of the answer.
        headers: of the answer, without the length.
    """

    def __init__(self, file: BinaryIO, start: int, stop: int, status: int, headers: dict[str, str]) -> None:
        self._file = file
        headers = {**headers, "content-length": str(stop - start)}
        super().__init__(_pieces(file, start, stop), status, headers=headers, media_type="application/octet-stream")

    async def __call__(self, scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._file.close()


async def _pieces(file: BinaryIO, start: int, stop: int) -> AsyncIterator[bytes]:
    file.seek(start)
    left = stop - start
    while left > 0 and (piece := await anyio.to_thread.run_sync(file.read, min(_CHUNK, left))):
        left -= len(piece)
        yield piece
