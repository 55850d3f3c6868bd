"""`POST /events`."""

import asyncio
import re
from time import perf_counter

from fastapi import APIRouter, Request, Response

from savor.api.context import engine_of, json_answer, limited, live_of, metrics_of
from savor.api.live_requests import MOST_AHEAD, EventBody, Events
from savor.api.live_responses import EventsResponse
from savor.api.problems import documented
from savor.api.security import visitors_only
from savor.core.errors import DataError, SavorError
from savor.online.event_batch import EventBatch
from savor.online.moment import wall_microclock
from savor.online.stores.errors import StoreAwayError, StoreError
from savor.online.visitor_ids import PREFIX

router = APIRouter(tags=["live state"], responses=documented(400, 413, 422, 503))
_VISITOR = re.compile(f"{PREFIX}[A-Za-z0-9_-]{{16,}}")
_LONGEST_WAIT = 15.0
_EVENTS_FOR_ONE = 100


@router.post("/events", response_model=EventsResponse)
async def events(request: Request, body: Events) -> Response:
    """Keep one event or a list of them; when this answers they are durable, and the next recommendation knows of them.

    Repeated events, by their ids, change nothing. A list is kept as a whole or not at all. A key that opens `device`
    and not `write` may send those of visitors alone.
    """
    live, metrics = live_of(request), metrics_of(request)
    listed = body if isinstance(body, list) else [body]
    if visitors_only(request.scope):
        _only_visitors(listed)
    limited(request, (len(listed) - 1) // _EVENTS_FOR_ONE)
    started = perf_counter()
    try:
        batch = _batch(listed)
        appended = await asyncio.wait_for(
            asyncio.shield(asyncio.wrap_future(live.stores.events.submit(batch))), _LONGEST_WAIT
        )
    except TimeoutError:
        metrics.refused(len(listed))
        raise StoreAwayError("neither the database nor the journal has answered in time; send the same again") from None
    except (StoreError, DataError):
        metrics.refused(len(listed))
        raise
    if live.shared:
        await asyncio.to_thread(live.feed.took, batch)
    else:
        live.feed.took(batch)
    metrics.stored(batch, appended, perf_counter() - started)
    return json_answer(
        {
            "accepted": appended.accepted,
            "duplicates": appended.duplicates,
            "erased": appended.erased,
            "unknown_items": _unknown(request, batch),
            "stored_in": "journal" if appended.spilled else "database",
        }
    )


def _only_visitors(listed: list[EventBody]) -> None:
    if not all(_VISITOR.fullmatch(str(event.user_id)) for event in listed):
        raise SavorError(
            "this key sends events of visitors alone: user_id is visitor- and at least 16 random letters and digits",
            code="visitors_only",
        )


def _batch(listed: list[EventBody]) -> EventBatch:
    received = wall_microclock()
    batch = EventBatch.of((event.values() for event in listed), received)
    late = [number for number, time in enumerate(batch.time.tolist()) if time > received + MOST_AHEAD]
    if late:
        named = ", ".join(map(str, late[:20]))
        raise DataError(f"events are dated more than a day from now: {named}", code="event_invalid")
    return batch


def _unknown(request: Request, batch: EventBatch) -> int:
    try:
        index = engine_of(request).serving.catalogue.index
    except SavorError:
        return 0
    return sum(item is not None and item not in index for item in batch.item_id)
