"""`POST /chat`."""

import asyncio
from collections.abc import Iterator
from itertools import chain

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from savor.api.chat_bodies import ChatRequest, ChatResponse
from savor.api.chatting import Chat, streamed, whole
from savor.api.context import engine_of, json_answer, limited
from savor.api.problems import documented
from savor.assistant.parts import Part

COST = 5
"""As how many requests a message counts against what a key may ask for."""

_STREAM = {
    "description": "The answer; with `stream`, as server-sent events: `items` (the list, `conversation_id` to go on "
    "with at once, and `recommendation_id`), `words` (`text` to be joined up, and its `source`: `model` takes the "
    "place of `plain`), `done` (everything else), or `error`.",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}
router = APIRouter(tags=["assistant"], responses=documented(400, 404, 413, 422, 503))


@router.post("/chat", response_model=ChatResponse, responses={200: _STREAM})
async def chat(request: Request, body: ChatRequest) -> Response:
    """Answer a message with items of the catalogue, and remember what it was about.

    What must hold (price, what is left out, the kind of thing) holds for every item; where nothing satisfies it the
    list is empty and the message says so. A message about anything else is declined.
    """
    bundle = engine_of(request).bundle_id
    limited(request, COST - 1)
    door: Chat = request.app.state.chat
    parts = door.parts(body)
    if not body.stream:
        return json_answer(await asyncio.to_thread(whole, body, parts, bundle))
    first = await asyncio.to_thread(_first, parts)  # what goes wrong before it is an answer of its own
    events = streamed(body, chain([first], parts), bundle)
    return StreamingResponse(events, media_type="text/event-stream", headers={"cache-control": "no-store"})


def _first(parts: Iterator[Part]) -> Part:
    return next(parts)
