"""Turning a folder of parts into a bundle."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from savor.bundle.bundle import Bundle, files_below
from savor.bundle.manifest import FORMAT_VERSION, MANIFEST_NAME, FileEntry, Manifest, Metadata
from savor.core.clock import Clock, wall_clock
from savor.core.errors import BundleError
from savor.core.files import directory_atomic, write_json_atomic
from savor.core.hashing import sha256_file


def write_bundle(parts: Path, metadata: Metadata, out_parent: Path, *, clock: Clock = wall_clock) -> Bundle:
    """Copy every file below `parts` into `out_parent/<id>`, with a manifest; whole or not at all.

    Args:
        parts: folder with the files, already in the bundle's layout; a `manifest.json` directly in it is ignored.
        metadata: where they come from and how good they are.
        out_parent: folder to make the bundle in; a bundle of the same content already there is kept.
        clock: gives the moment written as `created`.

    Raises:
        BundleError: `parts` is empty, or the disk is full or refuses.
    """
    names = sorted(files_below(parts) - {MANIFEST_NAME}) if parts.is_dir() else []
    if not names:
        raise BundleError(f"{parts} holds no files to make a bundle of. Train first with: savor train")
    files = {name: FileEntry(size=(parts / name).stat().st_size, sha256=sha256_file(parts / name)) for name in names}
    manifest = Manifest(
        **metadata.model_dump(exclude={"format_version", "created", "files"}),
        format_version=FORMAT_VERSION,
        created=clock(),
        files=files,
    )
    with disk_errors(out_parent):
        copy_bundle(parts, manifest, out_parent)
    return Bundle.open(out_parent / manifest.id)


def copy_bundle(source: Path, manifest: Manifest, out_parent: Path) -> None:
    """Copy the files that `manifest` names from `source` into `out_parent/<id>`, unless a whole one is there already.

    Raises:
        OSError: the disk is full or refuses; nothing is left behind.
    """
    target = out_parent / manifest.id
    if target.is_dir():
        try:
            Bundle.open(target)
        except BundleError:
            pass
        else:
            return
    with directory_atomic(target) as partial:
        for name in manifest.files:
            (partial / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, partial / name)
        write_json_atomic(partial / MANIFEST_NAME, manifest.document())


@contextmanager
def disk_errors(directory: Path) -> Iterator[None]:
    """Turn what a disk refuses into a `BundleError` that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise BundleError(
                f"the disk that holds {directory} is full; nothing was changed. Free some space, then do it again",
                code="disk_full",
            ) from error
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise BundleError(
            f"{directory} cannot be written ({reason}); nothing was changed. Mend that, then do it again"
        ) from error
