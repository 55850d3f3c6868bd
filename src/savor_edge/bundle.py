"""An edge bundle on disk, opened."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from savor_edge.catalogue import EdgeCatalogue
from savor_edge.edge_model import MASK, EdgeModel
from savor_edge.errors import EdgeError
from savor_edge.features import EdgeFeatures
from savor_edge.manifest import NAME, Manifest
from savor_edge.ranker import Ranker


@dataclass(frozen=True)
class EdgeBundle:
    """Everything that an answer needs: catalogue, features and model that fit each other, and maybe a ranker."""

    folder: Path
    manifest: Manifest
    catalogue: EdgeCatalogue
    features: EdgeFeatures
    model: EdgeModel
    ranker: Ranker | None

    @classmethod
    def open(cls, folder: Path, *, verify: bool = True, threads: int = 1) -> "EdgeBundle":
        """Open an edge bundle.

        Args:
            folder: holds `edge.json`.
            verify: also read every file and compare it with the manifest; without it only sizes are.
            threads: that the model may use.

        Raises:
            EdgeError: something is absent, damaged, or does not fit the rest; says what.
        """
        path = folder / NAME
        try:
            content = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise EdgeError(
                f"there is no edge bundle in {folder}: {NAME} is missing. Make one with: savor export",
                code="edge_bundle_missing",
            ) from None
        manifest = Manifest.parse(content, str(path))
        _runtime(manifest.runtime)
        if faults := list(manifest.faults(folder, verify=verify)):
            raise EdgeError(
                f"edge bundle {manifest.id} in {folder} is damaged: {'; '.join(faults)}. Export or download it again",
                code="edge_bundle_invalid",
            )
        catalogue = EdgeCatalogue.open(folder)
        features = EdgeFeatures.open(folder, catalogue)
        ranker = Ranker.open(folder, manifest.ranker, catalogue, threads)
        made = cls(folder, manifest, catalogue, features, EdgeModel.open(folder, threads), ranker)
        if misfits := list(made._misfits()):
            raise EdgeError(
                f"the parts of edge bundle {manifest.id} in {folder} do not fit each other: {'; '.join(misfits)}. "
                "Export it again",
                code="edge_bundle_invalid",
            )
        return made

    @property
    def id(self) -> str:
        """The 16 hexadecimal digits that name its content."""
        return self.manifest.id

    def _misfits(self) -> Iterator[str]:
        items = self.manifest.number_of_items
        if len(self.catalogue) != items:
            yield f"the manifest has {items} items, and the catalogue {len(self.catalogue)}"
        for name, (dtype, shape) in self.model.shapes.items():
            if name == MASK:
                if (dtype, shape) != ("float32", (1, items)):
                    yield f"the model's mask is {dtype} {shape}, not float32 {(1, items)}"
                continue
            made = self.features.signature.get(name)
            if made is None:
                yield f"{name} is an input of the model, and the features have no such input"
            elif (dtype, shape) != (made.dtype, (1, *made.shape)):
                yield f"{name} is {dtype} {shape} to the model, and {made.dtype} {(1, *made.shape)} to the features"
        yield from () if self.ranker is None else self.ranker.misfits(self.features)
        if len(self.catalogue.popular) and not 0 <= int(np.max(self.catalogue.popular)) < items:
            yield "popular items are not in the catalogue"


def _runtime(least: str | None) -> None:
    """Refuse a runtime that is older than the bundle asks for; one that has no version is trusted."""
    try:
        installed = version("ai-edge-litert")
    except PackageNotFoundError:
        return
    if least and _numbers(installed) < _numbers(least):
        raise EdgeError(
            f"the edge bundle needs LiteRT {least} or newer, and {installed} is installed; update it with: pip install "
            f"'ai-edge-litert>={least}'",
            code="runtime_too_old",
        )


def _numbers(text: str) -> tuple[int, ...]:
    parts = []
    for part in text.split("."):
        digits = "".join(character for character in part if character.isdigit())
        if digits != part:
            break
        parts.append(int(digits))
    return tuple(parts)
