"""Puts an edge bundle on disk."""

import shutil
from pathlib import Path

from savor.bundle.edge_manifest import EDGE_MANIFEST, EdgeManifest
from savor.bundle.manifest import FileEntry
from savor.bundle.writer import disk_errors
from savor.core.files import directory_atomic, write_json_atomic
from savor.core.hashing import sha256_file


def entries(folder: Path) -> dict[str, FileEntry]:
    """Size and SHA-256 of every file in `folder`, by name."""
    paths = sorted(path for path in folder.iterdir() if path.is_file() and path.name != EDGE_MANIFEST)
    return {path.name: FileEntry(size=path.stat().st_size, sha256=sha256_file(path)) for path in paths}


def put_in_place(folder: Path, manifest: EdgeManifest, out_parent: Path) -> Path:
    """Copy the files of `folder` that `manifest` names to `out_parent/<id>`, whole or not at all; gives that folder.

    A whole edge bundle of the same content that is there already is kept.

    Raises:
        BundleError: the disk is full or refuses.
    """
    target = out_parent / manifest.id
    if (target / EDGE_MANIFEST).is_file() and not any(manifest.problems(target)):
        return target
    with disk_errors(out_parent), directory_atomic(target) as partial:
        for name in manifest.files:
            shutil.copyfile(folder / name, partial / name)
        write_json_atomic(partial / EDGE_MANIFEST, manifest.document())
    return target
