"""`/device/channels`, `/device/files` and `/device/releases`: how releases reach devices."""

from base64 import b64encode
from hashlib import sha256
from typing import Annotated, Any, BinaryIO

from anyio import to_thread
from fastapi import APIRouter, Header, Path, Query, Request, Response
from starlette.background import BackgroundTask

from savor.api.conditional import asked_range, names_etag, takes_gzip
from savor.api.context import json_answer, live_or_none
from savor.api.device_bodies import ReleasesResponse
from savor.api.device_releases import DeviceReleases
from savor.api.file_answer import FileAnswer
from savor.api.problems import documented, problem
from savor.api.security import key_of
from savor.bundle.release_index import KeptFile, Shelf
from savor.bundle.rollout import CHANNEL_NAME, RELEASE_ID, ReleaseChannel
from savor.core.errors import SavorError
from savor.online.stores.devices import DeviceCount, Sighting

router = APIRouter(tags=["devices"])
_FOR_EVER = 31_536_000
_NOT_CHANGED: dict[str, Any] = {"description": "What the device has is what it should have."}
_BYTES = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
ReleaseId = Annotated[str | None, Query(pattern=RELEASE_ID)]
IfNoneMatch = Annotated[str | None, Header(max_length=1000, description='`"…"`: what the device has already.')]


@router.get(
    "/device/channels/{channel}/manifest",
    response_class=Response,
    responses={
        200: {
            "content": {"application/json": {"schema": {"type": "object"}}},
            "description": "`edge.json`, as exported",
        },
        304: _NOT_CHANGED,
        **documented(404, 422, 429, 503),
    },
)
async def manifest(
    request: Request,
    channel: Annotated[str, Path(pattern=CHANNEL_NAME)],
    device: Annotated[
        str | None,
        Query(
            pattern=r"^[A-Za-z0-9_-]{16,64}$",
            description="Made at random on the device, of no person; only a hash is kept. Without one, the device gets "
            "only what goes to all, and is not counted.",
        ),
    ] = None,
    current: ReleaseId = None,
    failed: ReleaseId = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """What a device should run: the newest release of the channel whose share holds it.

    `current` is the release that runs on it, `failed` one that it refused.
    """
    devices = _devices_of(request)
    shelf = await _shelf(devices)
    found = shelf.channels.get(channel)
    background = None
    if found is not None and device is not None and devices is not None:
        sighting = Sighting(device, channel, current, failed)
        if devices.news(sighting):
            background = BackgroundTask(devices.saw, sighting)
    answer = _manifest_answer(request, shelf, found, device, if_none_match)
    answer.background = background
    return answer


@router.get(
    "/device/files/{sha256}",
    response_class=Response,
    responses={
        200: {**_BYTES, "description": "The file, packed with gzip where that is allowed and much smaller"},
        206: {**_BYTES, "description": "The part that was asked for"},
        304: _NOT_CHANGED,
        **documented(404, 416, 422, 429, 503),
    },
)
async def file(
    request: Request,
    digest: Annotated[str, Path(alias="sha256", pattern="^[0-9a-f]{64}$", description="Hash of the file.")],
    if_none_match: IfNoneMatch = None,
    asked: Annotated[
        str | None, Header(alias="range", max_length=100, description="`bytes=FIRST-LAST`: a part of the file.")
    ] = None,
    if_range: Annotated[
        str | None, Header(max_length=1000, description='`"SHA256"`: send the part only of this file.')
    ] = None,
) -> Response:
    """A file of a release that is on a channel now. Its content never changes, so it may be kept for ever."""
    devices = _devices_of(request)
    kept = (await _shelf(devices)).files.get(digest)
    if kept is None:
        return _refused(request, 404, "file_unknown", "no release has this file now; ask for the manifest again")
    headers = {**_open_to_pages(request), "vary": "accept-encoding", "x-content-type-options": "nosniff"}
    private = key_of(request.scope) is not None
    headers["cache-control"] = f"{'private' if private else 'public'}, max-age={_FOR_EVER}, immutable"
    headers["accept-ranges"] = "bytes"
    if if_range is not None and if_range.strip('"') != digest:
        asked = None
    try:
        part = asked_range(asked, kept.size)
    except ValueError as error:
        refused = _refused(request, 416, "range_invalid", f"the range holds nothing: {error}")
        refused.headers["content-range"] = f"bytes */{kept.size}"
        return refused
    packed = part is None and kept.packed is not None and takes_gzip(request.headers.get("accept-encoding"))
    headers["etag"] = f'"{digest}-gzip"' if packed else f'"{digest}"'
    if names_etag(if_none_match, digest, f"{digest}-gzip"):
        return Response(None, 304, headers=headers)
    if packed:
        headers["content-encoding"] = "gzip"
    opened = await to_thread.run_sync(_opened, kept, packed)
    if opened is None:
        return _refused(request, 404, "file_unknown", "the file was removed just now; ask for the manifest again")
    if part is None:
        return FileAnswer(opened, 0, kept.packed_size if packed else kept.size, 200, headers)
    headers["content-range"] = f"bytes {part[0]}-{part[1] - 1}/{kept.size}"
    return FileAnswer(opened, *part, 206, headers)


@router.get("/device/releases", response_model=ReleasesResponse, responses=documented(429, 503))
async def releases(request: Request) -> Response:
    """Which releases are out, to which share of the devices they go, and on how many they run."""
    devices, live = _devices_of(request), live_or_none(request)
    shelf = await _shelf(devices)
    counts: list[DeviceCount] | None = None
    trouble, days = shelf.problem, 30.0
    if devices is not None:
        days = devices.options.active_days
    if devices is not None and devices.devices is not None and live is not None:
        known = devices.devices
        try:
            counts = await live.call(lambda: known.counts(days))
        except SavorError as error:
            trouble = trouble or f"devices are not counted: {error}"
    channels = [_channel_shown(name, channel, shelf, counts) for name, channel in sorted(shelf.channels.items())]
    return json_answer({"channels": channels, "days": days, "problem": trouble or None})


def _devices_of(request: Request) -> DeviceReleases | None:
    devices: DeviceReleases | None = request.app.state.device
    return devices


async def _shelf(devices: DeviceReleases | None) -> Shelf:
    return Shelf() if devices is None else await devices.shelf()


def _manifest_answer(
    request: Request, shelf: Shelf, channel: ReleaseChannel | None, device: str | None, if_none_match: str | None
) -> Response:
    if channel is None:
        return _refused(request, 404, "channel_unknown", "there is no such channel; see: savor device list")
    release = channel.release_for(device)
    if release is None:
        return _refused(request, 404, "nothing_released", "nothing is released for this device; keep what is there")
    headers = {**_open_to_pages(request), "etag": f'"{release}"', "cache-control": "private, no-cache"}
    if names_etag(if_none_match, release):
        return Response(None, 304, headers=headers)
    content = shelf.manifests[release][1]
    headers["repr-digest"] = f"sha-256=:{b64encode(sha256(content).digest()).decode()}:"
    return Response(content, headers=headers, media_type="application/json")


def _open_to_pages(request: Request) -> dict[str, str]:
    """Headers that let pages of other sites read an answer, where it is public."""
    devices = _devices_of(request)
    if devices is None or not devices.options.public:
        return {}
    return {
        "access-control-allow-origin": "*",
        "access-control-expose-headers": "etag, repr-digest, content-range, retry-after",
    }


def _refused(request: Request, status: int, code: str, detail: str) -> Response:
    answer = problem(status, code, detail)
    answer.headers.update({**_open_to_pages(request), "cache-control": "no-store"})
    return answer


def _opened(kept: KeptFile, packed: bool) -> BinaryIO | None:
    path = kept.packed if packed else kept.path
    assert path is not None
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def _channel_shown(
    name: str, channel: ReleaseChannel, shelf: Shelf, counts: list[DeviceCount] | None
) -> dict[str, Any]:
    of_channel = {count.release: count for count in counts or () if count.channel == name}
    nobody = DeviceCount(name, "", 0, 0)
    listed = []
    for rollout in channel.rollouts:
        told, count = shelf.manifests[rollout.release][0], of_channel.pop(rollout.release, nobody)
        listed.append(
            {
                **rollout.model_dump(),
                "bundle": told.bundle,
                "variant": told.variant,
                "number_of_items": told.number_of_items,
                "size": told.size,
                "running": None if counts is None else count.running,
                "failed": None if counts is None else count.failed,
            }
        )
    elsewhere = None if counts is None else sum(count.running for count in of_channel.values())
    return {"channel": name, "releases": listed, "elsewhere": elsewhere}
