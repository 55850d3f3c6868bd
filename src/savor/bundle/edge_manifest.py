"""What an edge bundle says of itself: `edge.json`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ValidationError

from savor.bundle.manifest import FileEntry
from savor.core.config import Section
from savor.core.errors import BundleError
from savor.core.hashing import sha256_file, sha256_json

EDGE_FORMAT_VERSION = 1
EDGE_MANIFEST = "edge.json"
BESIDE_CONTENT = ("id", "created", "parity")
"""Keys that the id does not cover. All others hold no floats, which languages print differently."""


class Tensor(Section):
    """`dtype` and static `shape` of an input or an output."""

    dtype: str
    shape: tuple[int, ...]


class Runtime(Section):
    """What runs the models: least version of LiteRT, and the built-in operators that it must have."""

    litert: str
    operators: tuple[str, ...]


class EdgeRanker(Section):
    """`ranker.tflite`: what it takes and gives; `features` names the columns of its input `features`, if it has one."""

    kind: str
    candidates: int
    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]
    features: tuple[str, ...] = ()


class EdgeItemTower(Section):
    """`item_tower.tflite`: what it takes and gives."""

    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]


class EdgeManifest(Section):
    """The manifest of an edge bundle.

    Attributes:
        format_version: layout of the bundle.
        name: of the project.
        bundle: id of the server's bundle that it was made of.
        created: UTC seconds since the epoch.
        variant: how its numbers are stored.
        runtime: what runs it.
        number_of_items, k: of the catalogue, and in one answer.
        inputs, outputs: of `model.tflite` by name.
        ranker, item_tower: of the other models; None where there is none.
        shard: which part of the server's catalogue it holds; None for all of it.
        user_ids: whether the model knows the server's users by their ids.
        files: size and SHA-256 of every other file, by name.
        parity: how close its answers are to the server's.
    """

    format_version: int
    name: str
    bundle: str
    created: int
    variant: str
    runtime: Runtime
    number_of_items: int = Field(ge=1)
    k: int = Field(ge=1)
    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]
    ranker: EdgeRanker | None = None
    item_tower: EdgeItemTower | None = None
    shard: dict[str, Any] | None = None
    user_ids: bool = False
    files: dict[str, FileEntry]
    parity: dict[str, Any] = Field(default_factory=dict)

    @property
    def id(self) -> str:
        """16 hexadecimal digits over everything but `created` and `parity`."""
        return sha256_json(self.model_dump(mode="json", exclude=set(BESIDE_CONTENT)))[:16]

    @property
    def size(self) -> int:
        """Bytes of all files but the manifest."""
        return sum(entry.size for entry in self.files.values())

    def document(self) -> dict[str, Any]:
        """The JSON values to store, with the id."""
        return {"id": self.id, **self.model_dump(mode="json")}

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Read and check `edge.json` in `directory`.

        Raises:
            BundleError: it is absent, damaged, of another format version, or does not add up to its id.
        """
        path = directory / EDGE_MANIFEST
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise BundleError(f"no edge bundle in {directory}: {EDGE_MANIFEST} is missing", code=_CODE) from None
        except OSError as error:
            raise BundleError(f"{path} is damaged ({error!r}). Export again", code=_CODE) from None
        return cls.parse(content, source=str(path))

    @classmethod
    def parse(cls, content: bytes, *, source: str) -> Self:
        """Read and check the bytes of `edge.json`, which came from `source`.

        Raises:
            BundleError: they are damaged, of another format version, or do not add up to their id.
        """
        try:
            document = json.loads(content)
            version, stored = document["format_version"], document.pop("id")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BundleError(f"{source} is damaged ({error!r}). Export again", code=_CODE) from None
        if version != EDGE_FORMAT_VERSION:
            raise BundleError(
                f"{source} has edge format {version}, this version of Savor reads {EDGE_FORMAT_VERSION}. Export again",
                code=_CODE,
            )
        try:
            manifest = cls.model_validate(document)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise BundleError(f"{source} is damaged ({where}: {first['msg']}). Export again", code=_CODE) from None
        if manifest.id != stored:
            raise BundleError(
                f"{source} was changed after it was written: it says id {stored} and adds up to {manifest.id}. "
                "Export again",
                code=_CODE,
            )
        return manifest

    def problems(self, directory: Path) -> Iterator[str]:
        """One sentence for every file in `directory` that is not as the manifest says."""
        for name, entry in self.files.items():
            path = directory / name
            if not path.is_file() or path.is_symlink():
                yield f"{name} is missing"
            elif (size := path.stat().st_size) != entry.size:
                yield f"{name} has {size} bytes, not {entry.size}"
            elif sha256_file(path) != entry.sha256:
                yield f"{name} was changed after it was written"
        names = {path.relative_to(directory).as_posix() for path in directory.rglob("*") if not path.is_dir()}
        for name in sorted(names - {*self.files, EDGE_MANIFEST}):
            yield f"{name} does not belong to it"


_CODE = "edge_bundle_invalid"
