"""New bundles over the air: only what changed is fetched, and nothing is used before it was tried."""

import errno
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import NamedTuple
from urllib.parse import quote, urlencode

from savor_edge.errors import EdgeError
from savor_edge.http import OFFLINE, Server, ServerAnswer
from savor_edge.installation import Installation, same_content
from savor_edge.manifest import NAME, FileEntry, Manifest
from savor_edge.person_store import PersonStore

DISK = "disk_refuses"
PATIENCE = 86_400
"""Seconds for which a release that was refused is not tried again."""

_WAITING = ("channel_unknown", "nothing_released")


class Update(NamedTuple):
    """What became of one look for an update.

    Attributes:
        status: `installed`; `current` where there is nothing newer; `waiting` where nothing is released for this
            device; `refused` where the release is no good here, and the bundle before goes on.
        release: id of the release that it is about; None where there is none.
        fetched: bytes that were downloaded.
        reused: bytes of files that were there already.
        problem: why a release was refused, or nothing is there.
    """

    status: str
    release: str | None
    fetched: int = 0
    reused: int = 0
    problem: str | None = None


class Updates:
    """Follows one channel of one server.

    Args:
        folder: of the `Installation`.
        url: of the server.
        device: random characters that stand for this device and nobody: they say which share of a staged release it
            belongs to. None for those that the folder's `PersonStore` keeps.
        channel: to follow.
        key: an API key with scope `device` or `read`; None where the server asks for none.
        clock: gives UTC seconds.
        timeout: seconds to wait for each piece of an answer.
    """

    def __init__(
        self,
        folder: str | Path,
        url: str,
        device: str | None = None,
        *,
        channel: str = "live",
        key: str | None = None,
        clock: Callable[[], int] = lambda: int(time.time()),
        timeout: float = 20,
    ) -> None:
        self.installation = Installation(folder)
        self._server = Server(url, key=key, timeout=timeout)
        self._device = _device_of(self.installation) if device is None else device
        self._channel, self._clock = channel, clock
        self._lock = Lock()

    def update(self) -> Update:
        """Look for a release, fetch what changed, try it, and switch to it.

        What was fetched before the network went is kept, and the next call goes on from there.

        Raises:
            EdgeError: the server cannot be reached or refuses, or the disk is full. The current bundle goes on.
        """
        with self._lock:
            try:
                return self._update()
            except OSError as error:
                raise EdgeError(
                    f"{self.installation.folder} cannot be written ({error}); free some space, then update again",
                    code=DISK,
                ) from None

    def _update(self) -> Update:
        current = self.installation.current
        if current is not None and not self.installation.is_sound():
            current = None  # it is fetched again, as far as it is damaged
        refused = self.installation.refused
        failed = next(iter(refused), None)
        content, problem = self._manifest(current, failed)
        if content is None:
            return Update("current" if problem is None else "waiting", current, problem=problem)
        manifest = Manifest.parse(content, "the server's manifest")
        if manifest.id == current:
            return Update("current", current)
        if manifest.id in refused and self._clock() < refused[manifest.id]["at"] + PATIENCE:
            return Update("refused", manifest.id, problem=refused[manifest.id]["reason"])
        assembled = self.installation.assembly(manifest.id)
        try:
            fetched, reused = self._assemble(manifest, content, assembled)
            self.installation.adopt(assembled)
        except EdgeError as error:
            if error.code not in ("edge_bundle_invalid", "runtime_too_old"):
                raise
            self.installation.refuse(manifest.id, str(error), self._clock())
            self._tell(current, manifest.id)
            return Update("refused", manifest.id, problem=str(error))
        finally:
            shutil.rmtree(assembled, ignore_errors=True)
        shutil.rmtree(self._downloads, ignore_errors=True)
        self._tell(manifest.id, None)
        return Update("installed", manifest.id, fetched, reused)

    @property
    def _downloads(self) -> Path:
        return self.installation.folder / "downloads"

    def _manifest(self, current: str | None, failed: str | None) -> tuple[bytes | None, str | None]:
        """The manifest of this device's release, and why there is none; both None where it is the current one."""
        said = {"device": self._device, "current": current, "failed": failed}
        query = urlencode({name: value for name, value in said.items() if value is not None})
        headers = {"Accept-Encoding": "gzip"} | ({"If-None-Match": f'"{current}"'} if current else {})
        with self._server.ask(f"/device/channels/{quote(self._channel, safe='')}/manifest?{query}", headers) as answer:
            if answer.status == 200:
                return answer.document(), None
            if answer.status == 304:
                return None, None
            problem = answer.problem()
        if problem.code in _WAITING:
            return None, str(problem)
        raise problem

    def _tell(self, current: str | None, failed: str | None) -> None:
        """Let the server count what this device runs now; that it cannot be told changes nothing."""
        try:
            self._manifest(current, failed)
        except EdgeError:
            return

    def _assemble(self, manifest: Manifest, content: bytes, folder: Path) -> tuple[int, int]:
        """Put the bundle together; bytes fetched, and bytes that were there."""
        known = self.installation.files()
        self._downloads.mkdir(parents=True, exist_ok=True)
        wanted = {entry.sha256 for entry in manifest.files.values()}
        for path in self._downloads.iterdir():
            if path.name not in wanted:
                path.unlink(missing_ok=True)
        fetched = reused = 0
        for name, entry in manifest.files.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            own = known.get(entry.sha256)
            if own is not None and same_content(own, *entry):
                _linked(own, target)
                reused += entry.size
                continue
            waiting = self._downloads / entry.sha256
            fetched += self._fetch(name, entry, waiting)
            _linked(waiting, target)
            known[entry.sha256] = target
        (folder / NAME).write_bytes(content)
        return fetched, reused

    def _fetch(self, name: str, entry: FileEntry, path: Path) -> int:
        """Download one file to `path`, going on where an earlier attempt ended; how many bytes came.

        Raises:
            EdgeError: it is not what the manifest says, twice (code `edge_bundle_invalid`).
        """
        came = 0
        for _ in range(2):
            came += self._download(entry, path)
            if same_content(path, *entry):
                return came
            path.unlink(missing_ok=True)
        raise EdgeError(
            f"{name} of the release is not the file that its manifest names (SHA-256 or size differ); release it again",
            code="edge_bundle_invalid",
        )

    def _download(self, entry: FileEntry, path: Path) -> int:
        have = path.stat().st_size if path.is_file() else 0
        if have > entry.size:
            path.unlink()
            have = 0
        if have == entry.size and have:
            return 0
        resumed = {"Range": f"bytes={have}-", "If-Range": f'"{entry.sha256}"'}
        with self._server.ask(
            f"/device/files/{entry.sha256}", resumed if have else {"Accept-Encoding": "gzip"}
        ) as answer:
            if answer.status not in (200, 206):
                problem = answer.problem()
                # A release that was withdrawn meanwhile is no fault of it: the next look finds another.
                raise EdgeError(str(problem), code=OFFLINE if problem.code == "file_unknown" else problem.code)
            return _written(answer, path, entry.size, have if answer.status == 206 else 0)


def _device_of(installation: Installation) -> str:
    store = PersonStore(installation.store)
    try:
        return store.device
    finally:
        store.close()


def _written(answer: ServerAnswer, path: Path, size: int, start: int) -> int:
    """Write a body from position `start` on, and no more than belongs there; how many bytes came."""
    came = 0
    try:
        with path.open("ab" if start else "wb") as file:
            for piece in answer.pieces():
                came += len(piece)
                if start + came > size:
                    file.truncate(0)
                    return came
                file.write(piece)
    except OSError as error:
        if error.filename is None and error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise EdgeError(f"{path} cannot be written ({error}); free some space, then update again", code=DISK) from None
    return came


def _linked(source: Path, target: Path) -> None:
    """The same file in another place, without a copy where the disk can."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
