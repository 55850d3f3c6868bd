"""A bundle on disk, opened."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import orjson

from savor.bundle.manifest import MANIFEST_NAME, Manifest
from savor.core.errors import BundleError
from savor.core.hashing import sha256_file


@dataclass(frozen=True)
class Bundle:
    """An immutable directory with everything that serving needs.

    Attributes:
        directory: where it is.
        manifest: what it says of itself.
    """

    directory: Path
    manifest: Manifest

    @classmethod
    def open(cls, directory: Path, *, verify: bool = True) -> "Bundle":
        """Open a bundle.

        Args:
            directory: the folder that holds `manifest.json`.
            verify: also read every file and compare it with the manifest; without it only presence and size are.

        Raises:
            BundleError: naming each file that is missing, truncated, changed or extra, and what to do.
        """
        path = directory / MANIFEST_NAME
        try:
            text = path.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            raise BundleError(
                f"no bundle in {directory}: {MANIFEST_NAME} is missing. Make one with: savor run"
            ) from None
        except UnicodeDecodeError:
            raise BundleError(f"{path} is damaged (not UTF-8 text). Publish the bundle again") from None
        bundle = cls(directory, Manifest.parse(text, source=str(path)))
        if problems := list(bundle.problems(verify=verify)):
            listed = "\n".join(f"  - {problem}" for problem in problems)
            raise BundleError(
                f"bundle {bundle.id} in {directory} is damaged:\n{listed}\n"
                "Go back to the one before with `savor rollback`, or train and publish again"
            )
        return bundle

    @cached_property
    def id(self) -> str:
        """The 16 hexadecimal digits that name its content."""
        return self.manifest.id

    @property
    def size(self) -> int:
        """Bytes of all its files but the manifest."""
        return sum(entry.size for entry in self.manifest.files.values())

    def path(self, name: str) -> Path:
        """Where the file or folder `name` (with `/` between folders) is.

        Raises:
            BundleError: the bundle holds no such file or folder.
        """
        if not self.has(name):
            raise BundleError(f"bundle {self.id} has no {name!r}. It was made without that part; train again with it")
        return self.directory.joinpath(*PurePosixPath(name).parts)

    def has(self, name: str) -> bool:
        """Whether the bundle holds the file or folder `name`."""
        return name in self.manifest.files or any(file.startswith(f"{name}/") for file in self.manifest.files)

    def read_json(self, name: str) -> dict[str, Any]:
        """The JSON object in the file `name`.

        Raises:
            BundleError: there is no such file, or it holds something else.
        """
        try:
            document = orjson.loads(self.path(name).read_bytes())
        except orjson.JSONDecodeError as error:
            raise BundleError(f"{name} in bundle {self.id} is not JSON ({error}); train again") from None
        if not isinstance(document, dict):
            raise BundleError(f"{name} in bundle {self.id} is not a JSON object; train again")
        return document

    def problems(self, *, verify: bool) -> Iterator[str]:
        """One sentence for every file that is not as the manifest says; see `open`."""
        for name, entry in self.manifest.files.items():
            path = self.directory.joinpath(*PurePosixPath(name).parts)
            if not path.is_file() or path.is_symlink():
                yield f"{name} is missing"
            elif (size := path.stat().st_size) < entry.size:
                yield f"{name} is truncated: {size} of {entry.size} bytes"
            elif size > entry.size or (verify and sha256_file(path) != entry.sha256):
                yield f"{name} was changed after it was written"
        for name in sorted(files_below(self.directory) - {*self.manifest.files, MANIFEST_NAME}):
            yield f"{name} does not belong to it"


def files_below(directory: Path) -> set[str]:
    """Paths of all files below `directory`, relative to it, with `/` between folders."""
    return {path.relative_to(directory).as_posix() for path in directory.rglob("*") if not path.is_dir()}
