"""What devices may fetch now, in memory."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from savor.bundle.edge_manifest import EdgeManifest
from savor.bundle.releases import Releases, packed_beside
from savor.bundle.rollout import ReleaseChannel
from savor.core.errors import BundleError

logger = logging.getLogger("savor.device")


@dataclass(frozen=True)
class KeptFile:
    """A file of a release: `packed` and `packed_size` are of its gzip form, None and 0 where it has none."""

    path: Path
    size: int
    packed: Path | None
    packed_size: int


@dataclass(frozen=True)
class Shelf:
    """One state of the releases.

    Attributes:
        channels: by name.
        manifests: of every release that is on a channel, with its bytes.
        files: of those releases, by hash.
        problem: what of the folder could not be used; empty where all could.
    """

    channels: Mapping[str, ReleaseChannel] = field(default_factory=dict)
    manifests: Mapping[str, tuple[EdgeManifest, bytes]] = field(default_factory=dict)
    files: Mapping[str, KeptFile] = field(default_factory=dict)
    problem: str = ""


class ReleaseIndex:
    """Follows a folder of releases; what it holds is as old as `seconds` at most.

    Where the folder is damaged, what was good before is given on, and the log says why. Safe to use from several
    threads.

    Args:
        releases: the folder.
        seconds: how often the pointer files are looked at.
        clock: rising seconds.
    """

    def __init__(self, releases: Releases, seconds: float = 1.0, clock: Callable[[], float] = monotonic) -> None:
        self.releases = releases
        self._seconds, self._clock = seconds, clock
        self._shelf = Shelf()
        self._signature: object = None
        self._looked = float("-inf")
        self._lock = threading.Lock()

    @property
    def fresh(self) -> bool:
        """Whether `shelf` answers from memory."""
        return self._clock() - self._looked < self._seconds

    def shelf(self) -> Shelf:
        """What may be fetched now; looks at the disk where what is in memory is too old."""
        if self.fresh:
            return self._shelf
        with self._lock:
            if not self.fresh:
                signature = self._seen()
                if signature != self._signature or self._shelf.problem:
                    self._shelf, self._signature = self._read(), signature
                self._looked = self._clock()
        return self._shelf

    def _seen(self) -> object:
        """What changes whenever a pointer file is replaced."""
        seen = []
        for path in sorted(self.releases.directory.glob("channels/*.json")):
            try:
                state = path.stat()
            except FileNotFoundError:
                continue
            seen.append((path.name, state.st_ino, state.st_mtime_ns, state.st_size))
        return seen

    def _read(self) -> Shelf:
        before = self._shelf
        try:
            channels = self.releases.channels()
            listed = {rollout.release for channel in channels.values() for rollout in channel.rollouts}
            manifests = {release: self.releases.manifest(release) for release in sorted(listed)}
            hashes = {entry.sha256 for manifest, _ in manifests.values() for entry in manifest.files.values()}
            files = {sha256: self._kept(sha256) for sha256 in sorted(hashes)}
        except (BundleError, OSError) as error:
            if str(error) != before.problem:
                logger.error("the releases for devices cannot be read, so those of before are given on: %s", error)
            return Shelf(before.channels, before.manifests, before.files, str(error))
        return Shelf(channels, manifests, files)

    def _kept(self, sha256: str) -> KeptFile:
        path = self.releases.file(sha256)
        packed = packed_beside(path)
        there = packed.is_file()
        return KeptFile(path, path.stat().st_size, packed if there else None, packed.stat().st_size if there else 0)
