"""Sentence-transformers models through ONNX Runtime, without a deep-learning framework."""

import copy
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import ConfigError, MissingDependencyError
from savor.core.hashing import sha256_file
from savor.features.text.folder import ModelFolder
from savor.features.text.options import Pooling

WHOLE = "sentence_embedding"
"""Name of an output that is the vector of the whole text."""


class SentenceEncoder:
    """Sentence vectors of a transformer, pooled over the tokens, length 1.

    Strings are run one at a time on as many threads as there are processors: an int8 model scales its activations
    over the whole input, so in a batch a string's vector would depend on its neighbours.

    Args:
        files: of the model.
        threads: how many strings to encode at a time; None for the number of processors.

    Raises:
        ConfigError: the model cannot be used.
        MissingDependencyError: a package is needed and not installed.
    """

    def __init__(self, files: ModelFolder, threads: int | None = None) -> None:
        try:
            import onnxruntime
            import tokenizers
        except ImportError as error:
            raise MissingDependencyError(error.name or "onnxruntime", "train") from None
        self._files, self._prefix = files, ""
        self._threads = threads or os.cpu_count() or 1
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        try:
            self._tokenizer: Any = tokenizers.Tokenizer.from_file(str(files.tokenizer))
            self._session: Any = onnxruntime.InferenceSession(
                str(files.model), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # noqa: BLE001 - both raise types of their own
            raise ConfigError([f"text encoder: {files.model.parent} cannot be opened ({error})"]) from None
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(files.maximum_tokens)
        self._inputs = {entry.name for entry in self._session.get_inputs()}
        outputs = {entry.name: entry.shape for entry in self._session.get_outputs()}
        self._whole = WHOLE in outputs
        self._output = WHOLE if self._whole else next(iter(outputs))
        problems = []
        if unknown := self._inputs - {"input_ids", "attention_mask", "token_type_ids", "position_ids"}:
            problems.append(f"text encoder: {files.model} wants {', '.join(sorted(unknown))}, which no text has")
        if files.dense and not self._whole:
            problems.append(f"text encoder: {files.model} lacks the output {WHOLE!r}, where its last layer is")
        if problems:
            raise ConfigError(problems)
        said = (files.pooling, files.maximum_tokens, files.lower)
        self._contents = sha256(f"{sha256_file(files.model)}{sha256_file(files.tokenizer)}{said}".encode()).hexdigest()[
            :16
        ]
        self.name = f"onnx-{self._contents}"
        self.dimension = int(self._vector("a").shape[0])

    def before(self, prefix: str) -> "SentenceEncoder":
        """The same model with `prefix` before every text; its vectors are others, so it has another name."""
        if prefix == self._prefix:
            return self
        other = copy.copy(self)
        other._prefix = prefix
        other.name = f"{self.name}-{sha256(prefix.encode()).hexdigest()[:8]}" if prefix else f"onnx-{self._contents}"
        return other

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(N, dimension) float32 of N strings, each row of length 1."""
        vectors = np.empty((len(texts), self.dimension), np.float32)

        def one(row: int) -> None:
            vectors[row] = self._vector(texts[row])

        if self._threads == 1 or len(texts) < 2:
            for row in range(len(texts)):
                one(row)
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                list(pool.map(one, range(len(texts))))
        return vectors

    def _vector(self, text: str) -> NDArray[np.float32]:
        said = self._prefix + text
        encoding = self._tokenizer.encode(said.lower() if self._files.lower else said)
        tokens = np.asarray([encoding.ids], np.int64)
        feeds = {
            "input_ids": tokens,
            "attention_mask": np.ones_like(tokens),
            "token_type_ids": np.zeros_like(tokens),
            "position_ids": np.arange(tokens.shape[1], dtype=np.int64)[None],
        }
        found = self._session.run([self._output], {name: feeds[name] for name in self._inputs})[0][0]
        vector = found if self._whole else pooled(found, self._files.pooling)
        return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), np.float32)


def pooled(tokens: NDArray[np.float32], pooling: Pooling) -> NDArray[np.float32]:
    """(W,) of the vectors of T tokens, (T, W), none of which is padding."""
    match pooling:
        case "mean":
            found = tokens.mean(axis=0)
        case "cls":
            found = tokens[0]
        case "max":
            found = tokens.max(axis=0)
        case "last":
            found = tokens[-1]
    return np.asarray(found, np.float32)
