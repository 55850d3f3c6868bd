"""What the device asks the server, with the standard library alone."""

import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from savor_edge.errors import EdgeError

PIECE = 1 << 16
LARGEST_DOCUMENT = 1 << 20
"""Bytes of an answer that is read whole."""

OFFLINE = "server_unreachable"


class Server:
    """One Savor server.

    Args:
        url: where it is, like `https://shop.example`.
        key: an API key; None where the server asks for none.
        timeout: seconds to wait for each piece of an answer.
    """

    def __init__(self, url: str, *, key: str | None = None, timeout: float = 20) -> None:
        if urlsplit(url).scheme not in ("http", "https"):
            raise EdgeError(
                f"{url!r} is no address of a server: it must begin with https:// or http://", code="url_invalid"
            )
        self._url, self._key, self._timeout = url.rstrip("/"), key, timeout

    @contextmanager
    def ask(
        self, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Iterator["ServerAnswer"]:
        """GET `path`, or POST `body` to it; a status from 300 on is an answer like any other.

        Raises:
            EdgeError: the server cannot be reached, or stops answering (code `server_unreachable`).
        """
        said = {"User-Agent": "savor-edge", **(headers or {})}
        if self._key:
            said["Authorization"] = f"Bearer {self._key}"
        if body is not None:
            said["Content-Type"] = "application/json"
        request = Request(self._url + path, data=body, headers=said)  # noqa: S310 - the scheme is checked above
        try:
            try:
                response = urlopen(request, timeout=self._timeout)  # noqa: S310
            except HTTPError as error:
                response = error
            with response:
                yield ServerAnswer(response)
        except (OSError, HTTPException, zlib.error) as error:
            raise EdgeError(
                f"{self._url} cannot be reached ({error or type(error).__name__}); try again when the network is back",
                code=OFFLINE,
            ) from None


class ServerAnswer:
    """Status, headers, and a body that is read once."""

    def __init__(self, response: HTTPResponse | HTTPError) -> None:
        self._response = response
        self.status = int(response.status or 0)
        self.headers = response.headers

    def pieces(self) -> Iterator[bytes]:
        """The body in pieces, unpacked where it was packed."""
        packed = self.headers.get("Content-Encoding") == "gzip"
        unpack = zlib.decompressobj(wbits=31) if packed else None
        expected, came = self.headers.get("Content-Length"), 0
        while piece := self._response.read(PIECE):
            came += len(piece)
            if unpack is None:
                yield piece
                continue
            while piece:
                yield unpack.decompress(piece, PIECE)
                piece = unpack.unconsumed_tail
        if (unpack is not None and not unpack.eof) or (expected is not None and came < int(expected)):
            raise HTTPException("the answer ends in the middle")

    def document(self) -> bytes:
        """The whole body.

        Raises:
            EdgeError: it is larger than any document of the server (code `answer_invalid`).
        """
        content = b""
        for piece in self.pieces():
            content += piece
            if len(content) > LARGEST_DOCUMENT:
                raise EdgeError("the server's answer is far too large; it is left alone", code="answer_invalid")
        return content

    def problem(self) -> EdgeError:
        """What the server says is wrong, with its own code."""
        try:
            said: Any = json.loads(self.document())
            code, detail = str(said["code"]), str(said["detail"])
        except (ValueError, KeyError, TypeError):
            code, detail = "answer_invalid", "it says nothing more"
        return EdgeError(f"the server refuses with status {self.status}: {detail}", code=code)
