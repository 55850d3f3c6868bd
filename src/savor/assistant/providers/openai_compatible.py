"""Any endpoint that speaks OpenAI's protocol, through the official client."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from ipaddress import ip_address
from threading import Lock
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from savor.assistant.providers.errors import (
    NotOfferedError,
    ProviderAwayError,
    ProviderError,
    ProviderSlowError,
    RefusedError,
)
from savor.assistant.providers.in_time import Outlet, in_time
from savor.assistant.providers.prices import Prices, estimated_tokens
from savor.assistant.providers.prompt import Message, Prompt
from savor.assistant.providers.provider import Likelihoods, Piece, Usage
from savor.core.errors import ConfigError, MissingDependencyError

_NO_KEY = "none"
_REFUSALS = frozenset({400, 404, 413, 422})
_CONNECT_SHARE = 0.25
_GREETING = Prompt("Answer with one word.", (Message("user", "Hello"),))


class OpenAICompatible:
    """One model of one endpoint. It follows no redirection and uses no proxy, so prompts go where they are meant to.

    Args:
        model: its name there.
        base_url: of the endpoint, as `https://api.openai.com/v1`.
        key: sent as a bearer token; empty where none is asked for.
        temperature: None does not send any.
        limit_parameter: name of the most tokens of an answer.
        patience: seconds to the first piece; None: the deadline alone counts.
        prices: per token.

    Raises:
        ConfigError: the address cannot be used.
        MissingDependencyError: the client is not installed.
    """

    def __init__(
        self,
        model: str,
        base_url: str,
        key: str = "",
        *,
        temperature: float | None = 0.0,
        limit_parameter: str = "max_tokens",
        patience: float | None = None,
        prices: Prices | None = None,
    ) -> None:
        if find_spec("openai") is None:
            raise MissingDependencyError("openai", "llm")
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
            raise ConfigError(
                [f"assistant.base_url: {parts.scheme}://{parts.hostname or ''} is not http(s)://HOST/PATH"]
            )
        self.name = f"openai {model} at {parts.hostname}"
        self.remote = not _is_here(parts.hostname)
        self._model, self._url, self._key = model, base_url, key
        self._temperature, self._limit = temperature, limit_parameter
        self._patience, self._prices = patience, prices or Prices()
        self._client: Any = None
        self._making, self._closed = Lock(), False

    def complete(
        self, prompt: Prompt, *, limit: int, schema: Mapping[str, Any] | None = None, deadline: float
    ) -> Iterator[Piece]:
        """See Provider. Where the endpoint does not say what it used, tokens are estimated."""
        return self._pieces(prompt, limit, schema, deadline, self._patience)

    def likelihoods(self, prompt: str, answers: Sequence[str], *, deadline: float) -> Likelihoods:
        """See Provider. Needs the older `completions` with `echo` and `logprobs`, which vLLM and others have."""
        if not answers or not all(answers):
            raise NotOfferedError("an answer without text has no likelihood")
        work: Callable[[Outlet[Likelihoods]], None] = partial(self._likelihoods, prompt, tuple(answers))
        return next(iter(in_time(work, deadline, self.name)))

    def warm_up(self, prompt: Prompt | None = None) -> None:
        """See Provider: connects, and asks for a few words; as slow as `patience` lets."""
        self._ready()
        patience = 10.0 if self._patience is None else self._patience
        for _ in self._pieces(prompt or _GREETING, 16, None, monotonic() + 10 * patience, self._patience):
            pass

    def close(self) -> None:
        """See Provider."""
        with self._making:
            self._closed, client, self._client = True, self._client, None
        if client is not None:
            client.close()

    def _pieces(
        self, prompt: Prompt, limit: int, schema: Mapping[str, Any] | None, deadline: float, patience: float | None
    ) -> Iterator[Piece]:
        request: dict[str, Any] = {
            "model": self._model,
            "messages": [
                {"role": "system", "content": prompt.system},
                *({"role": message.role, "content": message.text} for message in prompt.messages),
            ],
            self._limit: limit,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if self._temperature is not None:
            request["temperature"] = self._temperature
        if schema is not None:
            described = {"name": "answer", "schema": dict(schema), "strict": True}
            request["response_format"] = {"type": "json_schema", "json_schema": described}
        work = partial(self._complete, request)
        return in_time(work, deadline, self.name, patience)

    def _complete(self, request: Mapping[str, Any], outlet: Outlet[Piece]) -> None:
        said: list[str] = []
        usage: Usage | None = None
        finished = False
        with (
            self._translated(outlet),
            self._ready().chat.completions.create(
                **request, timeout=self._timeout(outlet), extra_headers={"Accept-Encoding": "identity"}
            ) as stream,
        ):
            for chunk in stream:
                if outlet.stopped:
                    return
                for choice in chunk.choices or ():
                    if text := (choice.delta.content if choice.delta else None):
                        said.append(text)
                        outlet.put(Piece(text))
                    finished = finished or choice.finish_reason is not None
                if chunk.usage is not None:
                    usage = self._prices.usage(chunk.usage.prompt_tokens or 0, chunk.usage.completion_tokens or 0)
        if not finished:
            raise ProviderAwayError(f"{self.name} broke off in the middle of its answer")
        if usage is None:
            read = sum(estimated_tokens(message["content"]) for message in request["messages"])
            usage = self._prices.usage(read, estimated_tokens("".join(said)))
        outlet.put(Piece("", usage))

    def _likelihoods(self, prompt: str, answers: Sequence[str], outlet: Outlet[Likelihoods]) -> None:
        with self._translated(outlet, likelihoods=True):
            said = self._ready().completions.create(
                model=self._model,
                prompt=[prompt + answer for answer in answers],
                max_tokens=1,
                temperature=0.0,
                echo=True,
                logprobs=1,
                timeout=self._timeout(outlet),
            )
        sums = np.zeros(len(answers))
        counts = np.zeros(len(answers), np.int64)
        for choice in said.choices:
            marks = choice.logprobs
            if not 0 <= choice.index < len(answers) or marks is None or not marks.text_offset:
                raise NotOfferedError(f"{self.name} gives no probabilities of what it reads")
            end = len(prompt) + len(answers[choice.index])
            for offset, value in zip(marks.text_offset, marks.token_logprobs or (), strict=False):
                if len(prompt) <= offset < end and value is not None:
                    sums[choice.index] += min(float(value), 0.0)
                    counts[choice.index] += 1
        if not counts.all():
            raise NotOfferedError(f"{self.name} gives no probabilities of what it reads")
        used = said.usage
        read = used.prompt_tokens if used else sum(estimated_tokens(prompt + answer) for answer in answers)
        written = used.completion_tokens if used else len(answers)
        outlet.put(Likelihoods(sums, counts, self._prices.usage(read, written)))

    def _timeout(self, outlet: Outlet[Any]) -> Any:
        import httpx2

        left = max(outlet.left, 0.01)
        connect = min(left, _CONNECT_SHARE * (self._patience or 4.0))
        return httpx2.Timeout(left, connect=connect)

    def _ready(self) -> Any:
        """The client, made once: to import it takes a while."""
        with self._making:
            if self._closed:
                raise ProviderAwayError(f"{self.name} is closed")
            if self._client is None:
                import httpx2
                import openai

                from savor.assistant.providers.deadline_transport import DeadlineTransport

                http = httpx2.Client(transport=DeadlineTransport(), follow_redirects=False)
                self._client = openai.OpenAI(
                    api_key=self._key or _NO_KEY, base_url=self._url, max_retries=0, http_client=http
                )
            return self._client

    def _translated(self, outlet: Outlet[Any], *, likelihoods: bool = False) -> "_Translated":
        return _Translated(self.name, outlet, likelihoods=likelihoods)


class _Translated:
    """The client's errors as ours; while it is entered, this thread's transport heeds the outlet."""

    def __init__(self, name: str, outlet: Outlet[Any], *, likelihoods: bool) -> None:
        self._name, self._outlet, self._likelihoods = name, outlet, likelihoods

    def __enter__(self) -> None:
        from savor.assistant.providers.deadline_transport import WAITING

        self._token = WAITING.set(self._outlet)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from savor.assistant.providers.deadline_transport import WAITING

        WAITING.reset(self._token)
        if error is None or isinstance(error, ProviderError) or not isinstance(error, Exception):
            return
        raise self._translate(error) from None

    def _translate(self, error: Exception) -> ProviderError:
        import openai

        if isinstance(error, openai.APITimeoutError):
            return ProviderSlowError(f"{self._name} does not answer in time")
        if isinstance(error, openai.APIStatusError):
            status = error.status_code
            if status in _REFUSALS:
                if self._likelihoods:
                    return NotOfferedError(f"{self._name} gives no probabilities of what it reads ({status})")
                return RefusedError(f"{self._name} does not take this request ({status})")
            return ProviderAwayError(f"{self._name} turns callers away ({status})")
        return ProviderAwayError(f"{self._name} cannot be used now ({type(error).__name__})")


def _is_here(host: str) -> bool:
    """Whether a host is this machine by its name."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
