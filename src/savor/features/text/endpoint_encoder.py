"""Vectors from a service that speaks like OpenAI's `/embeddings`."""

import os
import re
import time
from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property
from hashlib import sha256
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import MissingDependencyError, SavorError
from savor.features.text.options import TextEncoderOptions

PAUSE_SECONDS = 5.0
"""After a failure, so long nothing is asked, and whoever asks is told at once."""

KEPT = 1024
"""So many of the last searches are not asked for again."""


class EndpointEncoder:
    """Asks the service of `options.endpoint`, through the official client.

    Args:
        options: where it is.
        queries: whether the texts are what is searched for now: one at a time, and soon.

    Raises:
        SavorError: texts of people may not be sent there (code `personal_data`).
        MissingDependencyError: the client is not installed.
    """

    def __init__(self, options: TextEncoderOptions, *, queries: bool = False) -> None:
        if queries and not options.personal:
            raise SavorError(
                "what people search for is not sent to another machine; features.text_encoder.send_personal allows it",
                code="personal_data",
            )
        try:
            import openai
        except ImportError:
            raise MissingDependencyError("openai", "llm") from None
        self._options, self._failure = options, openai.OpenAIError
        self._prefix = (options.query_prefix if queries else options.document_prefix) or ""
        self._client = openai.OpenAI(
            base_url=options.endpoint,
            api_key=os.environ.get(options.key_variable) or "none",
            timeout=options.query_timeout_seconds if queries else options.timeout_seconds,
            max_retries=0 if queries else options.retries,
        )
        self._kept: OrderedDict[str, NDArray[np.float32]] | None = OrderedDict() if queries else None
        self._lock, self._away_until = Lock(), 0.0
        said = f"{options.endpoint}\0{options.model}\0{options.dimensions}\0{self._prefix}"
        slug = re.sub(r"[^a-zA-Z0-9.]+", "-", options.model or "").strip("-")[:40]
        self.name = f"endpoint-{slug}-{sha256(said.encode()).hexdigest()[:16]}"

    @cached_property
    def dimension(self) -> int:
        """Width of the vectors; asked for once where the options do not say it."""
        return self._options.dimensions or int(self._ask(["width"]).shape[1])

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(N, dimension) float32 of N strings, each row of length 1.

        Raises:
            SavorError: the service does not answer as it should (code `encoder_away`).
        """
        if self._kept is not None and len(texts) == 1:
            return self._kept_or_asked(texts[0])[None]
        vectors = np.empty((len(texts), self.dimension), np.float32)
        for start in range(0, len(texts), self._options.batch):
            part = texts[start : start + self._options.batch]
            vectors[start : start + len(part)] = self._ask(part)
        return vectors

    def _kept_or_asked(self, text: str) -> NDArray[np.float32]:
        assert self._kept is not None
        with self._lock:
            if text in self._kept:
                self._kept.move_to_end(text)
                return self._kept[text]
        vector: NDArray[np.float32] = self._ask([text])[0]
        with self._lock:
            self._kept[text] = vector
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return vector

    def _ask(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self._kept is not None and time.monotonic() < self._away_until:
            raise self._away("it failed a moment ago")
        extra: dict[str, Any] = {} if self._options.dimensions is None else {"dimensions": self._options.dimensions}
        try:
            answer = self._client.embeddings.create(
                model=self._options.model or "",
                input=[self._prefix + text or " " for text in texts],
                encoding_format="float",
                **extra,
            )
            rows = sorted(answer.data, key=lambda one: one.index)
            vectors = np.asarray([one.embedding for one in rows], np.float32)
            if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
                raise self._away("it did not give one vector for each text")
            if self._options.dimensions not in {None, vectors.shape[1]}:
                raise self._away(f"its vectors are {vectors.shape[1]} wide")
        except (self._failure, TypeError, ValueError, AttributeError) as error:
            self._away_until = time.monotonic() + PAUSE_SECONDS
            raise self._away(type(error).__name__) from None
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(length, 1e-12), np.float32)

    def _away(self, why: str) -> SavorError:
        return SavorError(f"the text encoder at {self._options.endpoint} cannot be used: {why}", code="encoder_away")
