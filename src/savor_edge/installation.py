"""The folder on a device that bundles are installed in."""

import json
import os
import shutil
import time
import uuid
from pathlib import Path
from typing import Any

from savor_edge.bundle import EdgeBundle
from savor_edge.errors import EdgeError
from savor_edge.golden import golden_problems
from savor_edge.manifest import NAME, Manifest, sha256_file

FORMAT_VERSION = 1
POINTER = "installed.json"


class Installation:
    """`bundles/<id>/`, `events.sqlite`, and `installed.json`, which says which bundle is current.

    A switch is one rename: whoever looks sees the bundle before it or after it. The one before is kept, others are
    removed. One process at a time may install; any number may read.

    Args:
        folder: may be absent; then it is made by the first installation.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    @staticmethod
    def is_at(folder: Path) -> bool:
        """Whether bundles are installed there."""
        return (folder / POINTER).is_file()

    @property
    def store(self) -> Path:
        """The file of events."""
        return self.folder / "events.sqlite"

    @property
    def current(self) -> str | None:
        """Id of the bundle to answer from; None before the first installation."""
        current: str | None = self._read()["current"]
        return current

    @property
    def previous(self) -> str | None:
        """Id of the bundle before it."""
        previous: str | None = self._read()["previous"]
        return previous

    @property
    def refused(self) -> dict[str, dict[str, Any]]:
        """Releases that this device refused: by id, `reason` and `at` (UTC seconds)."""
        return dict(self._read()["refused"])

    def current_folder(self) -> Path:
        """Where the current bundle is.

        Raises:
            EdgeError: nothing is installed yet.
        """
        if (current := self.current) is None:
            raise EdgeError(
                f"nothing is installed in {self.folder} yet: copy an edge bundle there with Installation.install, or "
                "let Updates download one",
                code="edge_bundle_missing",
            )
        return self.bundle_folder(current)

    def bundle_folder(self, identifier: str) -> Path:
        """Where the bundle of this id is or will be."""
        return self.folder / "bundles" / identifier

    def install(self, source: str | Path) -> str:
        """Copy an edge bundle from a folder (one that came with the app, say), try it, and switch to it.

        Returns:
            Its id.

        Raises:
            EdgeError: it is damaged or answers differently here; the current one stays.
        """
        source = Path(source)
        manifest = EdgeBundle.open(source).manifest
        with_files = self.assembly(manifest.id)
        try:
            for name in (*manifest.files, NAME):
                (with_files / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / name, with_files / name)
            self.adopt(with_files)
        finally:
            shutil.rmtree(with_files, ignore_errors=True)
        return manifest.id

    def assembly(self, identifier: str) -> Path:
        """A new, empty folder to put a bundle together in; its name ends with `.partial`."""
        folder = self.folder / "bundles" / f".{identifier}.{uuid.uuid4().hex}.partial"
        folder.mkdir(parents=True)
        return folder

    def adopt(self, assembled: Path) -> str:
        """Try the bundle in `assembled` with its own examples, move it to its place and switch to it.

        Returns:
            Its id.

        Raises:
            EdgeError: it is damaged or answers differently here (code `edge_bundle_invalid`); the current one stays.
        """
        bundle = EdgeBundle.open(assembled)
        if problems := golden_problems(bundle):
            raise EdgeError(
                f"edge bundle {bundle.id} answers differently on this device: {'; '.join(problems[:3])}. "
                "Export it again",
                code="edge_bundle_invalid",
            )
        target = self.bundle_folder(bundle.id)
        _synced(assembled)
        if target.exists():
            shutil.rmtree(target)
        os.replace(assembled, target)
        self._switch(bundle.id)
        return bundle.id

    def rollback(self, reason: str = "this device went back from it", at: int | None = None) -> str:
        """Go back to the bundle before; doing it again comes forward.

        The bundle that it goes back from counts as refused, so that the next update does not bring it again at once.

        Args:
            reason: what is remembered of that bundle.
            at: UTC seconds from which it is refused for a day; None for the present, 0 to let it come again at once.

        Raises:
            EdgeError: there is none (code `no_previous_bundle`).
        """
        previous, current = self.previous, self.current
        if previous is None or not self.bundle_folder(previous).is_dir():
            raise EdgeError(f"there is no earlier bundle in {self.folder} to go back to", code="no_previous_bundle")
        self._switch(previous)
        if current is not None:
            self.refuse(current, reason, int(time.time()) if at is None else at)
        return previous

    def refuse(self, identifier: str, reason: str, at: int) -> None:
        """Remember that this release is no good here."""
        state = self._read()
        self._write({**state, "refused": {identifier: {"reason": reason, "at": at}}})

    def is_sound(self) -> bool:
        """Whether every file of the current bundle is as it was made."""
        folder = self.current_folder()
        try:
            manifest = Manifest.parse((folder / NAME).read_bytes(), str(folder / NAME))
        except (OSError, EdgeError):
            return False
        return not any(manifest.faults(folder, verify=True))

    def files(self) -> dict[str, Path]:
        """Files of installed bundles by their SHA-256 as the manifests say; what they hold must be checked."""
        found: dict[str, Path] = {}
        for identifier in (self.previous, self.current):
            if identifier is None:
                continue
            folder = self.bundle_folder(identifier)
            try:
                manifest = Manifest.parse((folder / NAME).read_bytes(), str(folder / NAME))
            except (OSError, EdgeError):
                continue
            found |= {entry.sha256: folder / name for name, entry in manifest.files.items()}
        return found

    def _switch(self, identifier: str) -> None:
        state = self._read()
        previous = state["previous"] if state["current"] == identifier else state["current"]
        refused = {name: told for name, told in state["refused"].items() if name != identifier}
        self._write({**state, "current": identifier, "previous": previous, "refused": refused})
        for folder in (self.folder / "bundles").iterdir():
            if folder.name not in (identifier, previous):
                shutil.rmtree(folder, ignore_errors=True)

    def _read(self) -> dict[str, Any]:
        nothing: dict[str, Any] = {"format_version": FORMAT_VERSION, "current": None, "previous": None, "refused": {}}
        try:
            state = json.loads((self.folder / POINTER).read_bytes())
            return {**nothing, **state}
        except FileNotFoundError:
            return nothing
        except (OSError, ValueError, TypeError) as error:
            raise EdgeError(
                f"{self.folder / POINTER} is damaged ({error}); remove it and install a bundle again",
                code="edge_bundle_invalid",
            ) from None

    def _write(self, state: dict[str, Any]) -> None:
        path = self.folder / POINTER
        beside = path.with_name(f".{POINTER}.{uuid.uuid4().hex}")
        self.folder.mkdir(parents=True, exist_ok=True)
        with beside.open("w", encoding="utf-8") as file:
            json.dump(state, file, indent=2, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
        _sync_names(self.folder)


def same_content(path: Path, size: int, sha256: str) -> bool:
    """Whether a file is there and holds what it should."""
    return path.is_file() and path.stat().st_size == size and sha256_file(path) == sha256


def _synced(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())
    _sync_names(folder)


def _sync_names(folder: Path) -> None:
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
