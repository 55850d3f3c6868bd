"""The edge bundles that devices may fetch, and which of them goes to whom."""

import gzip
import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from savor.bundle.edge_manifest import EDGE_MANIFEST, EdgeManifest
from savor.bundle.manifest import FileEntry
from savor.bundle.rollout import CHANNEL_NAME, ReleaseChannel, Rollout
from savor.bundle.writer import disk_errors
from savor.core.clock import Clock, wall_clock
from savor.core.errors import BundleError
from savor.core.file_lock import locked
from savor.core.files import fsync_directory, write_bytes_atomic
from savor.core.hashing import sha256_file

DEFAULT_CHANNEL = "live"
_CHUNK = 1 << 20
_WORTH_PACKING = 0.9
_PARTIAL = ".partial"
_DAMAGED = "edge_bundle_invalid"
_LARGEST_MANIFEST = 1 << 20
_MOST_FILES = 1000
_LONGEST_NAME = 200


@dataclass(frozen=True)
class Released:
    """What a release did.

    Attributes:
        release: id of the edge bundle.
        channel: that gives it out.
        share: of the devices.
        files: in it.
        size: bytes of them.
        new_files: which no release had before; devices fetch these alone.
        new_bytes: bytes of those.
    """

    release: str
    channel: str
    share: float
    files: int
    size: int
    new_files: int
    new_bytes: int


class Releases:
    """A folder with `releases/<id>.json`, `files/<sha256>` and one pointer file `channels/<name>.json` per channel.

    Manifests are kept byte for byte, files under the hash of their content, once for all releases that have them. Every
    change is one rename, so a reader or a crash sees the state before it or after it. Writers in several processes take
    turns through a lock file; readers need none (`ReleaseIndex`).

    Args:
        directory: `ProjectFolder.device` of a project; made by the first release.
        clock: for the moment of each change.
    """

    def __init__(self, directory: Path, *, clock: Clock = wall_clock) -> None:
        self.directory = directory
        self._clock = clock

    def release(self, edge_bundle: Path, *, channel: str = DEFAULT_CHANNEL, share: float = 1.0) -> Released:
        """Keep an edge bundle and let `channel` give it to a share of its devices, before every other release.

        A release that is on the channel already comes first again, with this share.

        Args:
            edge_bundle: folder that `savor export` wrote.
            channel: name of the pointer.
            share: of the devices, above 0 and at most 1.

        Raises:
            BundleError: the edge bundle is damaged (code `edge_bundle_invalid`), the share or the channel's name cannot
                be used, or the disk is full; no device sees a change.
        """
        _check_share(share)
        path = self._channel_path(channel)
        manifest, content = _read(edge_bundle)
        with self._writing():
            pointer = ReleaseChannel.read(path)
            entries = {entry.sha256: (name, entry) for name, entry in manifest.files.items()}
            new = [entry for name, entry in entries.values() if self._keep(edge_bundle / name, entry)]
            self._keep_manifest(manifest.id, content)
            pointer.moved(manifest.id, "release", share, self._clock()).write(path)
        new_bytes = sum(entry.size for entry in new)
        return Released(manifest.id, channel, share, len(manifest.files), manifest.size, len(new), new_bytes)

    def rollout(self, release: str, share: float, *, channel: str = DEFAULT_CHANNEL) -> Rollout:
        """Give a release of the channel to another share of the devices.

        A larger share keeps every device that has it; at a smaller one some go back to the release before.

        Raises:
            BundleError: it is not on the channel (code `release_unknown`), or the share cannot be used.
        """
        _check_share(share)
        rollouts = self._change(release, "rollout", share, channel).rollouts
        return next(rollout for rollout in rollouts if rollout.release == release)

    def withdraw(self, release: str, *, channel: str = DEFAULT_CHANNEL) -> ReleaseChannel:
        """Take a release off the channel; its devices go back to the one before when they ask next.

        Raises:
            BundleError: it is not on the channel (code `release_unknown`).
        """
        return self._change(release, "withdraw", 0.0, channel)

    def channels(self) -> dict[str, ReleaseChannel]:
        """Every channel by its name.

        Raises:
            BundleError: the file of one is damaged.
        """
        paths = sorted(self.directory.glob("channels/*.json"))
        return {path.stem: ReleaseChannel.read(path) for path in paths if re.fullmatch(CHANNEL_NAME, path.stem)}

    def manifest(self, release: str) -> tuple[EdgeManifest, bytes]:
        """The manifest of a release that is kept, and its bytes.

        Raises:
            BundleError: there is no such release, or its manifest is damaged.
        """
        path = self._manifest_path(release)
        try:
            content = path.read_bytes()
        except OSError:
            raise _unknown(release) from None
        manifest = EdgeManifest.parse(content, source=str(path))
        if manifest.id != release:
            raise BundleError(f"{path} holds release {manifest.id}. Release the edge bundle again", code=_DAMAGED)
        return manifest, content

    def file(self, sha256: str) -> Path:
        """Where the file with this hash is kept, if it is."""
        return self.directory / "files" / sha256

    def tidy(self, keep: int = 3) -> tuple[int, int]:
        """Remove what no device can get any more: releases that are on no channel, and files that only those have.

        Args:
            keep: how many releases behind the ones that devices get stay on each channel, to go back to.

        Returns:
            How many releases and how many bytes were removed.
        """
        with self._writing():
            for name, pointer in self.channels().items():
                for rollout in _out_of_reach(pointer.rollouts)[keep:]:
                    pointer = pointer.moved(rollout.release, "withdraw", 0.0, self._clock())
                pointer.write(self._channel_path(name))
            listed = {rollout.release for pointer in self.channels().values() for rollout in pointer.rollouts}
            needed = {entry.sha256 for release in listed for entry in self.manifest(release)[0].files.values()}
            gone = [path for path in self.directory.glob("releases/*.json") if path.stem not in listed]
            files = [path for path in self.directory.glob("files/*") if path.name.split(".")[0] not in needed]
            size = sum(path.stat().st_size for path in files)
            for path in (*gone, *files):
                path.unlink()
        return len(gone), size

    def _change(
        self, release: str, action: Literal["rollout", "withdraw"], share: float, channel: str
    ) -> ReleaseChannel:
        path = self._channel_path(channel)
        with self._writing():
            pointer = ReleaseChannel.read(path)
            if release not in {rollout.release for rollout in pointer.rollouts}:
                raise BundleError(
                    f"release {release} is not on channel {channel}. See: savor device list", code="release_unknown"
                )
            changed = pointer.moved(release, action, share, self._clock())
            changed.write(path)
        return changed

    def _keep(self, source: Path, entry: FileEntry) -> bool:
        """Copy a file to its place, and a packed one beside it where that is much smaller; False if it was there.

        What is hashed is the copy, so nothing can change between the check and the use.
        """
        target = self.file(entry.sha256)
        if target.is_file() and target.stat().st_size == entry.size and sha256_file(target) == entry.sha256:
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{entry.sha256}.{uuid.uuid4().hex}{_PARTIAL}")
        packed = beside.with_name(f"{beside.stem}.gz{_PARTIAL}")
        try:
            _copy(source, beside, entry)
            _pack(beside, packed)
            if packed.stat().st_size <= _WORTH_PACKING * entry.size:
                os.replace(packed, packed_beside(target))
            os.replace(beside, target)
            fsync_directory(target.parent)
        finally:
            beside.unlink(missing_ok=True)
            packed.unlink(missing_ok=True)
        return True

    def _keep_manifest(self, release: str, content: bytes) -> None:
        """Write a manifest, unless a whole one of the same id is there: what was given out does not change."""
        try:
            self.manifest(release)
        except BundleError:
            write_bytes_atomic(self._manifest_path(release), content)

    def _manifest_path(self, release: str) -> Path:
        if not re.fullmatch(r"[0-9a-f]{16}", release):
            raise _unknown(release)
        return self.directory / "releases" / f"{release}.json"

    def _channel_path(self, channel: str) -> Path:
        if not re.fullmatch(CHANNEL_NAME, channel):
            raise BundleError(
                f"channel {channel!r} is not a name made of letters, digits and _, of at most 64",
                code="channel_invalid",
            )
        return self.directory / "channels" / f"{channel}.json"

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Hold the lock, with what a crash left behind swept away."""
        with disk_errors(self.directory):
            self.directory.mkdir(parents=True, exist_ok=True)
            with locked(self.directory / ".lock"):
                for path in self.directory.glob(f"*/.*{_PARTIAL}"):
                    path.unlink()
                yield


def is_inside(name: str) -> bool:
    """Whether `name` is that of a file inside an edge bundle's folder on every system, and not of its manifest."""
    return (
        name != EDGE_MANIFEST
        and len(name) <= _LONGEST_NAME
        and name.isprintable()
        and not set('\\:*?"<>|') & set(name)
        and all(part not in ("", ".", "..") for part in name.split("/"))
    )


def _read(folder: Path) -> tuple[EdgeManifest, bytes]:
    """The manifest of the edge bundle in `folder`, and the bytes that were checked."""
    path = folder / EDGE_MANIFEST
    if not path.is_file():
        raise BundleError(
            f"{folder} holds no edge bundle ({EDGE_MANIFEST} is missing). Make one with: savor export", code=_DAMAGED
        )
    if (size := path.stat().st_size) > _LARGEST_MANIFEST:
        raise BundleError(f"{path} has {size} bytes, and a manifest has at most {_LARGEST_MANIFEST}", code=_DAMAGED)
    content = path.read_bytes()
    manifest = EdgeManifest.parse(content, source=str(path))
    if len(manifest.files) > _MOST_FILES or not manifest.files:
        raise BundleError(f"{path} names {len(manifest.files)} files; 1 to {_MOST_FILES} may be", code=_DAMAGED)
    for name in manifest.files:
        if not is_inside(name):
            raise BundleError(f"{path} names {name!r}, which is not a file inside an edge bundle", code=_DAMAGED)
    return manifest, content


def packed_beside(file: Path) -> Path:
    """Where the packed form of a kept file is, if it has one."""
    return file.with_name(f"{file.name}.gz")


def _copy(source: Path, target: Path, entry: FileEntry) -> None:
    digest, size = hashlib.sha256(), 0
    try:
        reading = source.open("rb")
    except OSError as error:
        raise BundleError(
            f"{source} cannot be read ({error.strerror}). Export the bundle again", code=_DAMAGED
        ) from None
    with reading, target.open("xb") as writing:
        while chunk := reading.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            writing.write(chunk)
        writing.flush()
        os.fsync(writing.fileno())
    if size != entry.size or digest.hexdigest() != entry.sha256:
        raise BundleError(
            f"{source} is not the file that the manifest names: expected are {entry.size} bytes with the hash "
            f"{entry.sha256[:12]}…, there are {size} with {digest.hexdigest()[:12]}…. Export the bundle again",
            code=_DAMAGED,
        )


def _pack(source: Path, target: Path) -> None:
    """The same content always makes the same bytes: no name and no moment is written."""
    with source.open("rb") as reading, target.open("xb") as file:
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=6, mtime=0) as writing:
            shutil.copyfileobj(reading, writing, _CHUNK)
        file.flush()
        os.fsync(file.fileno())


def _out_of_reach(rollouts: tuple[Rollout, ...]) -> tuple[Rollout, ...]:
    """The roll-outs behind the newest one that goes to all devices."""
    for number, rollout in enumerate(rollouts):
        if rollout.share >= 1.0:
            return rollouts[number + 1 :]
    return ()


def _check_share(share: float) -> None:
    if not 0.0 < share <= 1.0:
        raise BundleError(
            f"a share is a number above 0 and at most 1, as 0.1 for a tenth of the devices; got {share:g}",
            code="share_invalid",
        )


def _unknown(release: str) -> BundleError:
    return BundleError(f"there is no release {release!r}. See: savor device list", code="release_unknown")
