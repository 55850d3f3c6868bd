"""API keys, their scopes and their rate limits."""

import asyncio
import ipaddress
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from savor.api.problems import MEDIA_TYPE, documented, problem_body
from savor.api.security_options import SecurityOptions
from savor.core.errors import ConfigError
from savor.online.stores.api_keys import ApiKey
from savor.online.stores.api_keys import Scope as KeyScope
from savor.online.stores.errors import StoreAwayError
from savor.online.stores.rate_limiter import RateLimiter, TokenBucket
from savor.online.stores.stores import Stores

PUBLIC = frozenset({"/", "/health", "/ready", "/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json"})
"""What anybody may see: nothing of users, items or figures."""

METRICS = "/metrics"
_ASKING = frozenset({"/recommendations", "/similar_items", "/rank", "/chat"})
_WRITING = frozenset({"events", "users", "visitors", "items", "customers"})
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_BEARER = "bearer "


def needed_scope(method: str, path: str) -> KeyScope:
    """What a key must open for a call: what neither asks nor writes about users and items is for administrators."""
    if method in _READING or path in _ASKING:
        return "read"
    return "write" if path.strip("/").split("/", 1)[0] in _WRITING else "admin"


def keys_needed(options: SecurityOptions, host: str) -> bool:
    """Whether a server that listens on `host` asks for keys.

    Raises:
        ConfigError: they are switched off, and others than this machine can reach it.
    """
    if options.keys == "off" and not is_loopback(host):
        raise ConfigError(
            [f"security.keys is off, and the server would listen on {host}, where others reach it; take 127.0.0.1"]
        )
    return options.keys == "required" or (options.keys == "auto" and not is_loopback(host))


@lru_cache(maxsize=1024)
def is_loopback(host: str) -> bool:
    """Whether an address is that of this machine alone."""
    name = host.strip("[]").lower()
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.split("%", 1)[0]).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class Access:
    """Who may call a server.

    Attributes:
        options: how much a key may ask for.
        keys: whether keys are needed.
    """

    options: SecurityOptions
    keys: bool

    @classmethod
    def of(cls, options: SecurityOptions, host: str) -> "Access":
        """What holds for a server that listens on `host`.

        Raises:
            ConfigError: as `keys_needed`.
        """
        return cls(options, keys_needed(options, host))


class Security:
    """Lets a request pass where it shows a key that opens what it asks for, and that did not ask too often.

    Without keys only this machine is answered, and only by a name of its own, so that no page of another site can ask
    through somebody's browser.

    Args:
        app: what is protected.
        stores: where keys are and limits are counted.
        access: who may call.
    """

    def __init__(self, app: ASGIApp, stores: Stores, access: Access) -> None:
        options = access.options
        self._app, self._ring, self._keys = app, stores.key_ring, access.keys
        self._limiter: RateLimiter = stores.rate_limiter(TokenBucket(options.requests_per_second, options.burst))
        self._elsewhere = stores.redis is not None
        self._public = PUBLIC | {METRICS} if options.open_metrics else PUBLIC

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401, 403, 429 or 503."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = await self._checked(scope) if self._keys else _from_outside(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await _refuse(send, *refusal)

    async def _checked(self, scope: Scope) -> "_Refusal | None":
        path, method = scope["path"], scope["method"]
        if path in self._public and method in _READING:
            return None
        shown = _shown(Headers(scope=scope))
        if shown is None:
            return 401, "key_missing", "show an API key: Authorization: Bearer savor_…", {"www-authenticate": "Bearer"}
        try:
            key = self._ring.verify(shown)
        except StoreAwayError:
            return 503, "store_away", "keys cannot be checked now", {"retry-after": "1"}
        if key is None:
            return 401, "key_invalid", "this API key is unknown or was revoked", {"www-authenticate": "Bearer"}
        scope.setdefault("state", {})["key"] = key
        needed = needed_scope(method, path)
        if not key.allows(needed):
            return 403, "scope_missing", f"this needs a key with the scope {needed}", {}
        take = self._limiter.take
        allowance = await asyncio.to_thread(take, key.id) if self._elsewhere else take(key.id)
        if not allowance.allowed:
            wait = str(max(math.ceil(allowance.retry_after), 1))
            return 429, "rate_limited", "this key asks more often than it may", {"retry-after": wait}
        scope["state"]["take"] = lambda cost: take(key.id, cost)
        return None


_Refusal = tuple[int, str, str, dict[str, str]]


def key_of(scope: Scope) -> ApiKey | None:
    """The key that a request showed; None where none was needed."""
    key: ApiKey | None = scope.get("state", {}).get("key")
    return key


def actor_of(scope: Scope) -> str:
    """Who asks, for the audit: the id of the key, or the machine itself."""
    key = key_of(scope)
    return "loopback" if key is None else key.id


def _shown(headers: Headers) -> str | None:
    shown = headers.get("authorization", "")
    if shown[: len(_BEARER)].lower() == _BEARER:
        return shown[len(_BEARER) :].strip()
    return headers.get("x-api-key")


def _from_outside(scope: Scope) -> _Refusal | None:
    client = scope.get("client")
    if client is not None and not is_loopback(client[0]):
        return 401, "key_missing", "without keys, only this machine is answered", {"www-authenticate": "Bearer"}
    host = Headers(scope=scope).get("host", "localhost")
    name = host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host.rsplit(":", 1)[0]
    if not is_loopback(name):
        return 403, "host_unknown", "without keys, ask for localhost", {}
    return None


async def _refuse(send: Send, status: int, code: str, detail: str, headers: dict[str, str]) -> None:
    body = problem_body(status, code, detail)
    sent = {"content-type": MEDIA_TYPE, "content-length": str(len(body)), **headers}
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        }
    )
    await send({"type": "http.response.body", "body": body})


def document_security(document: dict[str, Any], *, keys: bool) -> None:
    """Say in an OpenAPI document how calls are refused, which scope each needs, and how `keys` are shown if needed."""
    if keys:
        about = "An API key, as `savor keys create` shows it."
        document.setdefault("components", {})["securitySchemes"] = {
            "key": {"type": "http", "scheme": "bearer", "description": about},
            "header": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": about},
        }
    refusals = {str(status): answer for status, answer in documented(401, 403, 429, 503).items()}
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            if path in PUBLIC:
                continue
            if keys:
                call["security"] = [{"key": []}, {"header": []}]
            call["x-scope"] = needed_scope(method.upper(), path)
            call["responses"] = {**refusals, **call["responses"]}
