"""llama.cpp's server inside this process, reached by calls and by a private socket file, never by the network."""

import json
import socket
from collections.abc import Callable, Mapping
from functools import lru_cache
from http.client import HTTPConnection
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.assistant.providers.errors import ProviderAwayError, RefusedError

_SECONDS = 5.0
_CACHE_MIB = 64
_REMEMBERED = 20_000


class LocalEngine:
    """A loaded model. One call at a time.

    The server of llama.cpp always listens; here it does so on a socket in a folder that only this user can open, and
    asks for a key that nobody else knows.

    Args:
        path: GGUF file.
        threads: for reading and writing.
        context: tokens.

    Raises:
        ProviderAwayError: the file cannot be loaded.
    """

    def __init__(self, path: Path, threads: int, context: int) -> None:
        import xllamacpp

        self._folder = TemporaryDirectory(prefix="savor-model-")
        self._socket, self._key = str(Path(self._folder.name) / "model.sock"), token_hex(16)
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(path)
        parameters.n_ctx, parameters.n_parallel = context, 1
        parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
        parameters.cache_ram_mib = _CACHE_MIB
        parameters.verbosity, parameters.warmup = -1, True
        parameters.hostnames, parameters.api_keys = [self._socket], [self._key]
        parameters.ui, parameters.offline, parameters.endpoint_slots = False, True, False
        try:
            self._server: Any = xllamacpp.Server(parameters)
        except (RuntimeError, ValueError) as error:
            self._folder.cleanup()
            raise ProviderAwayError(f"the model {path} cannot be loaded: {error}") from None
        self.tokens = lru_cache(_REMEMBERED)(self._tokens)

    def close(self) -> None:
        """Give memory and socket back."""
        self._server = None
        self._folder.cleanup()

    def chat(self, request: Mapping[str, Any], take: Callable[[Mapping[str, Any]], bool]) -> None:
        """Answer a streaming request in the form of OpenAI's chat completions.

        Args:
            request: its body.
            take: is given each chunk, and errors as `{"error": …}`; ends the answer by True or by raising.
        """
        failure: list[Exception] = []

        def guarded(chunk: Mapping[str, Any]) -> bool:
            try:
                return take(chunk)
            except Exception as error:  # noqa: BLE001
                failure.append(error)
                return True

        self._server.handle_chat_completions(dict(request), guarded)
        if failure:
            raise failure[0]

    def forced(self, prompt: str, answer: str) -> tuple[NDArray[np.float64], int]:
        """Log probability of each token of `answer` after `prompt`, and how many tokens of the prompt were read anew.

        A grammar that allows these tokens alone makes the model write them; what is reported are the probabilities
        over all tokens, before the grammar.

        Returns:
            (T,) float64 natural logarithms, and the number.

        Raises:
            RefusedError: prompt and answer are longer than the context.
        """
        tokens = self.tokens(answer)
        said = self._server.handle_completions(
            {
                "prompt": prompt,
                "grammar": "root ::= " + " ".join(f"<[{token}]>" for token in tokens),
                "max_tokens": len(tokens),
                "temperature": 0.0,
                "n_probs": 1,
                "cache_prompt": True,
            }
        )
        if "error" in said:
            raise RefusedError(f"the local model does not take this: {said['error'].get('message')}")
        written = said["choices"][0]["logprobs"]["content"]
        if [entry["id"] for entry in written[: len(tokens)]] != list(tokens):
            raise ProviderAwayError("the local model did not write the tokens it was held to")
        usage = said["usage"]
        fresh = int(usage["prompt_tokens"]) - int(usage.get("prompt_tokens_details", {}).get("cached_tokens", 0))
        return np.asarray([entry["logprob"] for entry in written[: len(tokens)]], np.float64), fresh

    def _tokens(self, text: str) -> tuple[int, ...]:
        connection = _SocketConnection(self._socket)
        try:
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"}
            body = json.dumps({"content": text, "add_special": False, "parse_special": False})
            connection.request("POST", "/tokenize", body, headers)
            answer = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return tuple(int(token) for token in answer["tokens"])


class _SocketConnection(HTTPConnection):
    """HTTP over a socket file."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
