"""API keys, their scopes and their rate limits."""

import asyncio
import ipaddress
import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from savor.api.device_options import DeviceOptions
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
EVENTS = "/events"
_DEVICE, _DEVICE_DATA, _DEVICE_RELEASES = "/device", ("/device/channels/", "/device/files/"), "/device/releases"
_ASKING = frozenset({"/recommendations", "/similar_items", "/rank", "/chat", "/mcp"})
_WRITING = frozenset({"events", "users", "visitors", "items", "customers"})
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_BEARER = "bearer "
_NETWORK_BITS = 64


def needed_scope(method: str, path: str) -> KeyScope:
    """What a key must open for a call: what neither asks nor writes about users and items is for administrators.

    `device` opens what devices fetch, and events of visitors; `read` opens what devices fetch too.
    """
    if method in _READING and path.startswith(_DEVICE_DATA):
        return "device"
    if method in _READING or path in _ASKING:
        return "read"
    return "write" if path.strip("/").split("/", 1)[0] in _WRITING else "admin"


def opens(key: ApiKey, method: str, path: str) -> bool:
    """Whether a key opens a call."""
    needed = needed_scope(method, path)
    if key.allows(needed):
        return True
    if needed == "device":
        return key.allows("read")
    return (method, path) == ("POST", EVENTS) and key.allows("device")


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
        device: what devices may without one.
    """

    options: SecurityOptions
    keys: bool
    device: DeviceOptions = field(default_factory=DeviceOptions)

    @classmethod
    def of(cls, options: SecurityOptions, host: str, device: DeviceOptions | None = None) -> "Access":
        """What holds for a server that listens on `host`.

        Raises:
            ConfigError: as `keys_needed`.
        """
        return cls(options, keys_needed(options, host), device or DeviceOptions())


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
        options, device = access.options, access.device
        self._app, self._ring, self._keys = app, stores.key_ring, access.keys
        self._limiter: RateLimiter = stores.rate_limiter(TokenBucket(options.requests_per_second, options.burst))
        self._addresses: RateLimiter = stores.rate_limiter(TokenBucket(device.requests_per_second, device.burst))
        self._public_device = device.public
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
        if method in _READING and (path in self._public or _is_device_page(path)):
            return None
        if method in _READING and self._public_device and path.startswith(_DEVICE_DATA):
            return await self._limited(scope, self._addresses, _address(scope))
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
        if not opens(key, method, path):
            return 403, "scope_missing", f"this needs a key with the scope {needed_scope(method, path)}", {}
        if key.scopes == {"device"}:  # one for all who have the app, so each of them is counted apart
            return await self._limited(scope, self._addresses, _address(scope))
        return await self._limited(scope, self._limiter, key.id)

    async def _limited(self, scope: Scope, limiter: RateLimiter, name: str) -> "_Refusal | None":
        """Count a request against what `name` may ask for."""
        take = limiter.take
        allowance = await asyncio.to_thread(take, name) if self._elsewhere else take(name)
        if not allowance.allowed:
            wait = str(max(math.ceil(allowance.retry_after), 1))
            return 429, "rate_limited", "asked more often than is allowed; wait a little", {"retry-after": wait}
        scope.setdefault("state", {})["take"] = lambda cost: take(name, cost)
        return None


_Refusal = tuple[int, str, str, dict[str, str]]


def key_of(scope: Scope) -> ApiKey | None:
    """The key that a request showed; None where none was needed."""
    key: ApiKey | None = scope.get("state", {}).get("key")
    return key


def visitors_only(scope: Scope) -> bool:
    """Whether a request may speak of visitors alone, because its key may be in an app that anybody can take apart."""
    key = key_of(scope)
    return key is not None and not key.allows("write")


def actor_of(scope: Scope) -> str:
    """Who asks, for the audit: the id of the key, or the machine itself."""
    key = key_of(scope)
    return "loopback" if key is None else key.id


def _shown(headers: Headers) -> str | None:
    shown = headers.get("authorization", "")
    if shown[: len(_BEARER)].lower() == _BEARER:
        return shown[len(_BEARER) :].strip()
    return headers.get("x-api-key")


def _is_device_page(path: str) -> bool:
    """Whether a path is of the page for devices: code, and nothing of users, items or figures."""
    if path == _DEVICE:
        return True
    return path.startswith(f"{_DEVICE}/") and not path.startswith((*_DEVICE_DATA, _DEVICE_RELEASES))


def _address(scope: Scope) -> str:
    """Whom a request without a key of its own counts against: an address, or a network of version 6."""
    client = scope.get("client")
    name = client[0] if client is not None else ""
    try:
        address = ipaddress.ip_address(name.split("%", 1)[0])
    except ValueError:
        return f"address {name}"
    if isinstance(address, ipaddress.IPv6Address):
        return f"address {ipaddress.ip_network((address, _NETWORK_BITS), strict=False)}"
    return f"address {address}"


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


def document_security(document: dict[str, Any], *, keys: bool, public_device: bool = False) -> None:
    """Say in an OpenAPI document how calls are refused, which scope each needs, and how `keys` are shown if needed.

    What devices fetch needs none with `public_device`.
    """
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
                none: list[dict[str, list[str]]] = [{}] if public_device and path.startswith(_DEVICE_DATA) else []
                call["security"] = [*none, {"key": []}, {"header": []}]
            call["x-scope"] = needed_scope(method.upper(), path)
            call["responses"] = {**refusals, **call["responses"]}
