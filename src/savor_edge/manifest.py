"""What an edge bundle says of itself."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from savor_edge.errors import EdgeError

FORMAT_VERSION = 1
NAME = "edge.json"
ID_DIGITS = 16
NEEDED = ("model.tflite", "catalogue.json", "catalogue.bin", "features.json")
"""Files without which there is no answer."""

_CHUNK = 1 << 20
_FILE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class FileEntry(NamedTuple):
    """Size in bytes and SHA-256 of one file."""

    size: int
    sha256: str


class Tensor(NamedTuple):
    """dtype and static shape of an input or output of the model."""

    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Manifest:
    """`edge.json`, checked.

    Attributes:
        id: 16 hexadecimal digits that name its content.
        bundle: id of the server's bundle that it was made of.
        number_of_items, k: of the catalogue, and in one answer of the model.
        inputs, outputs: tensors of the model by name.
        ranker: inputs, outputs and features of the ranker, as they stand there; None where there is none.
        runtime: least version of LiteRT.
        files: by name.
        document: all of it.
    """

    id: str
    bundle: str
    number_of_items: int
    k: int
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    ranker: Mapping[str, Any] | None
    runtime: str | None
    files: Mapping[str, FileEntry]
    document: Mapping[str, Any]

    @classmethod
    def parse(cls, content: bytes | str, source: str) -> "Manifest":
        """Read and check a manifest; its id must be that of its content.

        Raises:
            EdgeError: it is damaged, of another format, or not what its id says.
        """
        try:
            document = json.loads(content)
            version = document["format_version"]
            if version != FORMAT_VERSION:
                raise EdgeError(
                    f"{source} has format {version}, and this version of savor-edge reads {FORMAT_VERSION}: update "
                    "savor-edge",
                    code="edge_bundle_invalid",
                )
            files = {name: FileEntry(int(one["size"]), str(one["sha256"])) for name, one in document["files"].items()}
            made = cls(
                document["id"],
                str(document["bundle"]),
                int(document["number_of_items"]),
                int(document["k"]),
                _tensors(document["inputs"]),
                _tensors(document["outputs"]),
                document.get("ranker"),
                (document.get("runtime") or {}).get("litert"),
                files,
                document,
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise EdgeError(
                f"{source} cannot be read as the manifest of an edge bundle ({type(error).__name__}: {error}); export "
                "or download it again",
                code="edge_bundle_invalid",
            ) from None
        if problems := [*made._problems()]:
            raise EdgeError(f"{source} is damaged: {'; '.join(problems)}", code="edge_bundle_invalid")
        return made

    def _problems(self) -> Iterator[str]:
        if self.id != (expected := content_id(self.document)):
            yield f"it says its id is {str(self.id)[:80]!r}, and its content has {expected!r}"
        for name in NEEDED:
            if name not in self.files:
                yield f"it names no {name}"
        for name, entry in self.files.items():
            if not _FILE_NAME.fullmatch(name) or ".." in name or name == NAME:
                yield f"{name[:80]!r} cannot be the name of a file in it"
            if not _SHA256.fullmatch(entry.sha256) or entry.size < 0:
                yield f"size or SHA-256 of {name[:80]!r} is none"

    def faults(self, folder: Path, *, verify: bool) -> Iterator[str]:
        """One sentence for every file in `folder` that is absent, truncated or changed.

        Args:
            folder: of the bundle.
            verify: also compare contents; without it only sizes are.
        """
        for name, entry in self.files.items():
            path = folder / name
            if not path.is_file() or path.is_symlink():
                yield f"{name} is missing"
            elif (size := path.stat().st_size) < entry.size:
                yield f"{name} is truncated: {size} of {entry.size} bytes"
            elif size > entry.size or (verify and sha256_file(path) != entry.sha256):
                yield f"{name} was changed after it was made"


def content_id(document: Mapping[str, Any]) -> str:
    """16 hexadecimal digits of the SHA-256 of a manifest as canonical JSON, without `id`, `created` and `parity`."""
    said = {name: value for name, value in document.items() if name not in ("id", "created", "parity")}
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()[:ID_DIGITS]


def sha256_file(path: Path) -> str:
    """The SHA-256 of a file as 64 hexadecimal digits, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _tensors(entries: Mapping[str, Any]) -> dict[str, Tensor]:
    return {name: Tensor(str(one["dtype"]), tuple(int(size) for size in one["shape"])) for name, one in entries.items()}
