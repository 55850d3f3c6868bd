"""Edge bundles as `savor export` writes them, as far as releasing looks at them."""

import hashlib
import json
from pathlib import Path

from savor.bundle.edge_manifest import EdgeManifest

MODEL = bytes(range(256)) * 64
WORDS = json.dumps({"ids": [f"food-{number}" for number in range(400)]}).encode()


def edge_bundle(folder: Path, files: dict[str, bytes] | None = None, **changed: object) -> Path:
    """A folder with `files` and a manifest that fits them; `changed` are further keys of the manifest."""
    files = {"model.tflite": MODEL, "catalogue.json": WORDS} if files is None else files
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    named = {
        name: {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()} for name, content in files.items()
    }
    write_manifest(folder, {"files": named, **changed})
    return folder


def write_manifest(folder: Path, document: dict[str, object]) -> str:
    """Write `edge.json` with the id that the rest adds up to; gives the id."""
    manifest = EdgeManifest.model_validate(
        {
            "format_version": 1,
            "name": "food",
            "bundle": "0" * 16,
            "created": 1_700_000_000,
            "variant": "float16",
            "runtime": {"litert": "2.1.0", "operators": ["FULLY_CONNECTED", "TOPK_V2"]},
            "number_of_items": 400,
            "k": 10,
            "inputs": {"mask": {"dtype": "float32", "shape": [1, 400]}},
            "outputs": {
                "items": {"dtype": "int32", "shape": [1, 10]},
                "scores": {"dtype": "float32", "shape": [1, 10]},
            },
            **document,
        }
    )
    (folder / "edge.json").write_text(json.dumps(manifest.document(), indent=1))
    return manifest.id


def identifier_of(folder: Path) -> str:
    """The id in a folder's `edge.json`."""
    return str(json.loads((folder / "edge.json").read_text())["id"])
