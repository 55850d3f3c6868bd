"""The app at `/device`: recommendations that are made in the browser."""

import gzip
from html import escape
from importlib.resources import files
from pathlib import Path as FilePath
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

router = APIRouter(include_in_schema=False)

BUILT = FilePath(str(files("savor.api"))) / "device"
"""Where `npm run build` in `web/` puts the app; not there in a clone where it never ran."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "worker-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Its own files run and nothing else; `wasm-unsafe-eval` lets WebAssembly be compiled, and no text run as a program."""

_HEADERS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
_FRESH, _LASTING = "no-cache", "public, max-age=31536000, immutable"
_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}
_NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Savor: the app is not built</title>
<h1>The app is not built</h1>
<p>This page recommends in the browser. It is written in TypeScript, in the folder <code>web</code> of Savor, and needs
<a href="https://nodejs.org">Node.js</a> 18 or newer to be built, once:</p>
<pre>make device</pre>
<p>or <code>cd web &amp;&amp; npm ci &amp;&amp; npm run build</code>. Then load this page again; the server need not be
started anew. It looks in <code>{folder}</code>.</p>
"""


@router.get("/device")
async def without_slash(request: Request) -> Response:
    """The app's links begin at `/device/`, also behind a proxy that puts a folder before it."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"device/{query}", status_code=307)


@router.get("/device/")
async def app_page(request: Request) -> Response:
    """The app, or how to build it."""
    if not (BUILT / "index.html").is_file():
        page = _NOT_BUILT.format(folder=escape(str(BUILT)))
        return HTMLResponse(
            page, 503, headers={"content-security-policy": "default-src 'none'", "cache-control": _FRESH}
        )
    return _file("index.html", request, _FRESH)


@router.get("/device/sw.js")
async def service_worker(request: Request) -> Response:
    """Keeps the app on the device."""
    return _file("sw.js", request, _FRESH)


@router.get("/device/manifest.webmanifest")
async def web_manifest(request: Request) -> Response:
    """What the app is called when it is installed."""
    return _file("manifest.webmanifest", request, _FRESH)


@router.get("/device/assets/{name}")
async def app_asset(
    request: Request, name: Annotated[str, Path(max_length=100, pattern=r"^[A-Za-z0-9_]+[A-Za-z0-9_.-]*$")]
) -> Response:
    """Scripts, styles, pictures and the WebAssembly runtime."""
    return _file(f"assets/{name}", request, "public, max-age=3600" if name.startswith("icon") else _LASTING)


def _file(name: str, request: Request, caching: str) -> Response:
    """A file of the app; one that is there packed is sent so to whom can unpack it."""
    path = BUILT / name
    packed = path.with_name(f"{path.name}.gz")
    headers = {**_HEADERS, "cache-control": caching}
    kind = _TYPES.get(path.suffix, "application/octet-stream")
    if path.is_file():
        return FileResponse(path, media_type=kind, headers=headers)
    if not packed.is_file():
        raise HTTPException(404, "the app has no such file; if it was not built: make device")
    headers["vary"] = "accept-encoding"
    if "gzip" in request.headers.get("accept-encoding", ""):
        return FileResponse(packed, media_type=kind, headers={**headers, "content-encoding": "gzip"})
    return Response(gzip.decompress(packed.read_bytes()), media_type=kind, headers=headers)
