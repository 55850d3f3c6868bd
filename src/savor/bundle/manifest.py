"""What a bundle says of itself."""

import json
from typing import Any, Self

from pydantic import Field, ValidationError

from savor.core.config import Section
from savor.core.errors import BundleError
from savor.core.hashing import sha256_json

FORMAT_VERSION = 1
MANIFEST_NAME = "manifest.json"


class FileEntry(Section):
    """One file of a bundle: `size` in bytes and `sha256` as 64 hexadecimal digits."""

    size: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Gate(Section):
    """Which measured figure must not get worse: `metrics["tasks"][task][model][metric]`."""

    task: str = "all"
    model: str = "pipeline"
    metric: str = "ndcg@10"


class Metadata(Section):
    """Where a bundle comes from and how good it is.

    Attributes:
        schema_hash: hash of the schema it was trained under.
        data_fingerprint: fingerprint of the data set.
        split_hash: hash of the split the metrics were measured on; metrics of two bundles compare only where it agrees.
        config: the whole configuration, as JSON values.
        seeds: every seed used, by purpose.
        metrics: `{"protocol": {...}, "tasks": {task: {model: {metric: {"mean", "low", "high"}}}}}`.
        gate: the figure that decides whether it may replace the live bundle.
    """

    schema_hash: str
    data_fingerprint: str
    split_hash: str
    config: dict[str, Any] = Field(default_factory=dict)
    seeds: dict[str, int] = Field(default_factory=dict)
    metrics: dict[str, Any] = Field(default_factory=dict)
    gate: Gate = Gate()


class Manifest(Metadata):
    """`manifest.json` of a bundle: its metadata and the name, size and SHA-256 of every other file.

    Attributes:
        format_version: layout of the bundle; this version of Savor reads `FORMAT_VERSION` only.
        created: UTC seconds since the epoch; not part of the id, so the same content keeps the same id.
        files: by path inside the bundle, with `/` between folders.
    """

    format_version: int
    created: int
    files: dict[str, FileEntry]

    @property
    def id(self) -> str:
        """16 hexadecimal digits over everything but `created`."""
        return sha256_json(self.model_dump(mode="json", exclude={"created"}))[:16]

    @classmethod
    def parse(cls, text: str, *, source: str) -> Self:
        """Read a manifest.

        Args:
            text: the JSON document.
            source: where it came from, for messages.

        Raises:
            BundleError: it is not such a document, is of another format version, or does not add up to its own id.
        """
        try:
            document = json.loads(text)
            version = document["format_version"]
            stored = document.pop("id")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BundleError(f"{source} is damaged ({error!r}). Publish the bundle again") from None
        if version != FORMAT_VERSION:
            raise BundleError(
                f"{source} has bundle format {version}, this version of Savor reads {FORMAT_VERSION}. "
                "Train and publish again with this version"
            )
        try:
            manifest = cls.model_validate(document)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise BundleError(f"{source} is damaged ({where}: {first['msg']}). Publish the bundle again") from None
        if manifest.id != stored:
            raise BundleError(
                f"{source} was changed after it was written: it says id {stored} and adds up to {manifest.id}. "
                "Publish the bundle again"
            )
        return manifest

    def document(self) -> dict[str, Any]:
        """The JSON values to store, with the id."""
        return {"id": self.id, **self.model_dump(mode="json")}
