"""The bundles of a project, and which of them is live."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from savor.bundle.bundle import Bundle
from savor.bundle.channel import Activation, Channel
from savor.bundle.gate import judge
from savor.bundle.manifest import MANIFEST_NAME, Manifest
from savor.bundle.writer import copy_bundle, disk_errors
from savor.core.clock import Clock, wall_clock
from savor.core.errors import BundleError
from savor.core.file_lock import locked

LIVE = "live"


@dataclass(frozen=True)
class Listing:
    """One bundle of a registry: `channels` point to it; `problem` says why its manifest cannot be read."""

    id: str
    created: int | None
    size: int
    channels: tuple[str, ...]
    manifest: Manifest | None
    problem: str | None


class Registry:
    """A folder with `bundles/<id>/` and one pointer file `channels/<name>.json` per channel.

    Every change is one rename, so a reader or a crash sees the state before it or after it. Writers in several
    processes take turns through a lock file; readers need none.
    """

    def __init__(self, directory: Path, *, clock: Clock = wall_clock) -> None:
        self.directory = directory
        self._clock = clock

    def publish(self, bundle_directory: Path, *, channel: str = LIVE, force: bool = False) -> Activation:
        """Copy a bundle into the registry and point `channel` to it.

        Args:
            bundle_directory: a bundle made by `write_bundle`.
            channel: name of the pointer to move.
            force: publish although the gate refuses.

        Raises:
            BundleError: the bundle is damaged, the gate refuses (code `gate_refused`), or the disk is full.
        """
        bundle = Bundle.open(bundle_directory)
        with self._writing():
            pointer = Channel.read(self._channel_path(channel))
            verdict = judge(bundle.manifest, self._manifest_or_none(pointer.bundle))
            if not verdict.passed and not force:
                raise BundleError(
                    f"bundle {bundle.id} is not published: it is worse than the live one by more than its interval "
                    f"({verdict.reason}). Train a better one, or insist with --force",
                    code="gate_refused",
                )
            copy_bundle(bundle.directory, bundle.manifest, self.directory / "bundles")
            note = verdict.reason if verdict.passed else f"forced; {verdict.reason}"
            moved = pointer.moved(bundle.id, "publish", self._clock(), note)
            moved.write(self._channel_path(channel))
        return moved.history[-1]

    def activate(self, identifier: str, *, channel: str = LIVE) -> Activation:
        """Point `channel` to a bundle that is in the registry already.

        Raises:
            BundleError: there is no such bundle, or it is damaged.
        """
        bundle = self.open(identifier)
        with self._writing():
            moved = Channel.read(self._channel_path(channel)).moved(bundle.id, "activate", self._clock())
            moved.write(self._channel_path(channel))
        return moved.history[-1]

    def rollback(self, channel: str = LIVE) -> Activation:
        """Point `channel` to the bundle before the current one; again, to the one before that.

        Raises:
            BundleError: there is none, or it is damaged.
        """
        with self._writing():
            moved = Channel.read(self._channel_path(channel)).rolled_back(self._clock())
            self.open(moved.history[-1].bundle)
            moved.write(self._channel_path(channel))
        return moved.history[-1]

    def clear(self, channel: str) -> bool:
        """Let `channel` point nowhere, and forget where it pointed; False where it points nowhere already."""
        with self._writing():
            path = self._channel_path(channel)
            there = path.exists()
            path.unlink(missing_ok=True)
        return there

    def current(self, channel: str = LIVE) -> str | None:
        """The id that `channel` points to; None where nothing was published."""
        return Channel.read(self._channel_path(channel)).bundle

    def history(self, channel: str = LIVE) -> tuple[Activation, ...]:
        """Every move of `channel`, oldest first."""
        return Channel.read(self._channel_path(channel)).history

    def open(self, identifier: str | None = None, *, channel: str = LIVE, verify: bool = True) -> Bundle:
        """Open the bundle `identifier`, or the one that `channel` points to.

        Raises:
            BundleError: there is none, or it is damaged.
        """
        identifier = identifier or self.current(channel)
        if identifier is None:
            raise BundleError(
                f"no bundle is published on channel {channel!r} in {self.directory}. Make one with: savor run",
                code="nothing_published",
            )
        if identifier not in self._identifiers():
            raise BundleError(f"no bundle {identifier} in {self.directory}. See: savor bundles", code="bundle_unknown")
        bundle = Bundle.open(self.directory / "bundles" / identifier, verify=verify)
        if bundle.id != identifier:
            raise BundleError(
                f"the folder bundles/{identifier} in {self.directory} holds bundle {bundle.id}. "
                "Remove the folder, then publish again"
            )
        return bundle

    def list(self) -> list[Listing]:
        """All bundles, newest first; damaged manifests are listed with what is wrong."""
        pointing: dict[str, tuple[str, ...]] = {}
        for path in sorted(self.directory.glob("channels/*.json")):
            if identifier := Channel.read(path).bundle:
                pointing[identifier] = (*pointing.get(identifier, ()), path.stem)
        listings = [self._listing(identifier, pointing.get(identifier, ())) for identifier in self._identifiers()]
        return sorted(listings, key=lambda listing: (-(listing.created or 0), listing.id))

    def _listing(self, identifier: str, channels: tuple[str, ...]) -> Listing:
        path = self.directory / "bundles" / identifier / MANIFEST_NAME
        try:
            manifest = Manifest.parse(path.read_text(encoding="utf-8"), source=str(path))
        except (BundleError, OSError, UnicodeDecodeError) as error:
            return Listing(identifier, None, 0, channels, None, str(error))
        size = sum(entry.size for entry in manifest.files.values())
        return Listing(identifier, manifest.created, size, channels, manifest, None)

    def _manifest_or_none(self, identifier: str | None) -> Manifest | None:
        if identifier is None or identifier not in self._identifiers():
            return None
        return self._listing(identifier, ()).manifest

    def _identifiers(self) -> set[str]:
        folder = self.directory / "bundles"
        return {path.name for path in folder.iterdir() if path.name[0] != "."} if folder.is_dir() else set()

    def _channel_path(self, channel: str) -> Path:
        if not channel.isidentifier():
            raise BundleError(f"channel {channel!r} is not a name made of letters, digits and _")
        return self.directory / "channels" / f"{channel}.json"

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Hold the lock, with what a crash left behind swept away."""
        with disk_errors(self.directory):
            self.directory.mkdir(parents=True, exist_ok=True)
            with locked(self.directory / ".lock"):
                self._sweep()
                yield

    def _sweep(self) -> None:
        for folder in ("bundles", "channels"):
            for path in self.directory.glob(f"{folder}/.*"):
                if path.suffix == ".partial":
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                elif path.suffix == ".old":
                    original = path.with_name(path.name[1:].split(".")[0])
                    shutil.rmtree(path) if original.exists() else os.replace(path, original)
