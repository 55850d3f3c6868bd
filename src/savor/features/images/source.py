"""Where pictures come from."""

import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from savor.core.files import write_bytes_atomic
from savor.features.images.picture import UnreadableImageError

TIMEOUT_SECONDS = 20
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class ImageSource:
    """Reads pictures from a folder, and from http and https addresses only where that is allowed.

    Attributes:
        folder: what relative paths count from.
        downloads: where fetched pictures are kept; a picture once fetched is not asked for again.
        allow_urls: whether addresses are fetched at all.
        maximum_bytes: larger files are unreadable.
    """

    folder: Path
    downloads: Path
    allow_urls: bool = False
    maximum_bytes: int = 20 * MEGABYTE

    def read(self, location: str) -> bytes:
        """The bytes at a path or address.

        Raises:
            UnreadableImageError: saying why there are none.
        """
        if "://" in location:
            return self._fetched(location)
        path = self.folder / location
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_size > self.maximum_bytes:
                    raise UnreadableImageError("the file is larger than images.maximum_megabytes")
                return file.read()
        except (FileNotFoundError, NotADirectoryError):
            raise UnreadableImageError("there is no such file") from None
        except (OSError, ValueError):
            raise UnreadableImageError("the file cannot be read") from None

    def _fetched(self, address: str) -> bytes:
        if not address.lower().startswith(("http://", "https://")):
            raise UnreadableImageError("only paths and http or https addresses are read")
        if not self.allow_urls:
            raise UnreadableImageError("it is an address, and images.allow_urls is false")
        kept = self.downloads / sha256(address.encode("utf-8", "surrogatepass")).hexdigest()
        if kept.exists():
            return kept.read_bytes()
        try:
            with urlopen(Request(address), timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - http and https only
                content: bytes = answer.read(self.maximum_bytes + 1)
        except (URLError, OSError, ValueError):
            raise UnreadableImageError("the address does not answer") from None
        if len(content) > self.maximum_bytes:
            raise UnreadableImageError("the file is larger than images.maximum_megabytes")
        write_bytes_atomic(kept, content)
        return content
