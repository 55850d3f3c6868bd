"""What a provider said, kept and played again: for tests without a model."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import orjson

from savor.assistant.providers.errors import (
    BudgetError,
    NotOfferedError,
    ProviderAwayError,
    ProviderError,
    ProviderSlowError,
    RefusedError,
)
from savor.assistant.providers.prompt import Prompt
from savor.assistant.providers.provider import Likelihoods, Piece, Provider, Usage
from savor.core.errors import ConfigError
from savor.core.hashing import sha256_json

_ERRORS: Mapping[str, type[ProviderError]] = {
    kind.code: kind
    for kind in (ProviderError, ProviderAwayError, ProviderSlowError, RefusedError, BudgetError, NotOfferedError)
}


class Recording:
    """Passes everything on and adds it to a file: one JSON object a line, the key of the request first.

    Args:
        provider: that is called.
        file: made where it is not there.
    """

    def __init__(self, provider: Provider, file: Path) -> None:
        self._inner, self._file, self._lock = provider, file, Lock()
        self.name, self.remote = provider.name, provider.remote
        file.parent.mkdir(parents=True, exist_ok=True)

    def complete(
        self, prompt: Prompt, *, limit: int, schema: Mapping[str, Any] | None = None, deadline: float
    ) -> Iterator[Piece]:
        """See Provider."""
        request = _completion(prompt, limit, schema)
        pieces: list[str] = []
        usage: Usage | None = None
        error: ProviderError | None = None
        try:
            for piece in self._inner.complete(prompt, limit=limit, schema=schema, deadline=deadline):
                pieces.append(piece.text)
                usage = piece.usage
                yield piece
        except ProviderError as raised:
            error = raised
            raise
        finally:
            if usage is not None or error is not None:
                self._write(request, {"pieces": pieces, "usage": asdict(usage) if usage else None}, error)

    def likelihoods(self, prompt: str, answers: Sequence[str], *, deadline: float) -> Likelihoods:
        """See Provider."""
        request = _reading(prompt, answers)
        try:
            found = self._inner.likelihoods(prompt, answers, deadline=deadline)
        except ProviderError as error:
            self._write(request, {}, error)
            raise
        said = {
            "log_probability": found.log_probability.tolist(),
            "tokens": found.tokens.tolist(),
            "usage": asdict(found.usage),
        }
        self._write(request, said, None)
        return found

    def warm_up(self, prompt: Prompt | None = None) -> None:
        """See Provider."""
        self._inner.warm_up(prompt)

    def close(self) -> None:
        """See Provider."""
        self._inner.close()

    def _write(self, request: Mapping[str, Any], said: Mapping[str, Any], error: ProviderError | None) -> None:
        failed = {"error": {"code": error.code, "message": str(error)}} if error else {}
        line = orjson.dumps({"key": sha256_json(dict(request)), "request": request, **said, **failed})
        with self._lock, self._file.open("ab") as file:
            file.write(line + b"\n")


class Replaying:
    """Says what was recorded, and what was not recorded not at all; the last recording of a request counts.

    Args:
        file: of `Recording`.

    Raises:
        ConfigError: the file is absent or is not a recording.
    """

    remote = False

    def __init__(self, file: Path) -> None:
        self.name = f"replay {file.name}"
        try:
            lines = [orjson.loads(line) for line in file.read_bytes().splitlines() if line.strip()]
            self._said: dict[str, Mapping[str, Any]] = {str(line["key"]): line for line in lines}
        except (OSError, orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise ConfigError([f"assistant.recording: {file} is not a recording ({error})"]) from None

    def complete(
        self,
        prompt: Prompt,
        *,
        limit: int,
        schema: Mapping[str, Any] | None = None,
        deadline: float,  # noqa: ARG002
    ) -> Iterator[Piece]:
        """See Provider."""
        said = self._find(_completion(prompt, limit, schema))
        pieces = said.get("pieces", [])
        usage = Usage(**said["usage"]) if said.get("usage") else None
        for place, text in enumerate(pieces):
            yield Piece(text, usage if place == len(pieces) - 1 else None)
        _raise_error(said)

    def likelihoods(self, prompt: str, answers: Sequence[str], *, deadline: float) -> Likelihoods:  # noqa: ARG002
        """See Provider."""
        said = self._find(_reading(prompt, answers))
        _raise_error(said)
        return Likelihoods(
            np.asarray(said["log_probability"], np.float64),
            np.asarray(said["tokens"], np.int64),
            Usage(**said["usage"]),
        )

    def warm_up(self, prompt: Prompt | None = None) -> None:
        """See Provider."""

    def close(self) -> None:
        """See Provider."""

    def _find(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        said = self._said.get(sha256_json(dict(request)))
        if said is None:
            raise ProviderAwayError(f"{self.name} holds no answer to this request")
        return said


def _completion(prompt: Prompt, limit: int, schema: Mapping[str, Any] | None) -> dict[str, Any]:
    messages = [[message.role, message.text] for message in prompt.messages]
    return {"system": prompt.system, "messages": messages, "limit": limit, "schema": dict(schema) if schema else None}


def _reading(prompt: str, answers: Sequence[str]) -> dict[str, Any]:
    return {"prompt": prompt, "answers": list(answers)}


def _raise_error(said: Mapping[str, Any]) -> None:
    if failed := said.get("error"):
        raise _ERRORS.get(failed["code"], ProviderError)(failed["message"])
