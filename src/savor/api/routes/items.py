"""`PUT`, `PATCH`, `GET` and `DELETE /items/{item_id}`."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.exceptions import RequestValidationError

from savor.api.context import engine_of, engines_of, json_answer, live_of
from savor.api.identifiers import LONGEST
from savor.api.item_bodies import ItemBody, ItemRemoved, ItemResponse
from savor.api.problems import documented
from savor.core.errors import SavorError
from savor.features.item_documents import document_problems, item_document
from savor.online.stores.entities import Entity
from savor.pipeline.build import Serving

router = APIRouter(tags=["live state"])
ItemId = Annotated[str, Path(min_length=1, max_length=LONGEST, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]


@router.put("/items/{item_id:path}", response_model=ItemResponse, responses=documented(400, 404, 413, 422, 503))
async def put_item(request: Request, item_id: ItemId, body: ItemBody) -> Response:
    """Say what an item is, in the place of what was said before; a new one can be recommended within seconds.

    Fields that are left out are as the bundle knows them, and unknown for a new item.
    """
    document = _checked(body, engine_of(request).serving)
    store = live_of(request).stores.entities

    def put() -> Entity:
        store.put("item", {item_id: document})
        said = store.get("item", item_id)
        assert said is not None
        return said

    return await _said(request, item_id, await live_of(request).call(put))


@router.patch("/items/{item_id:path}", response_model=ItemResponse, responses=documented(400, 404, 413, 422, 503))
async def patch_item(request: Request, item_id: ItemId, body: ItemBody) -> Response:
    """Change some fields of an item, as price and stock, and leave the others as they are; both count at once."""
    serving = engine_of(request).serving
    changes = _checked(body, serving)
    store = live_of(request).stores.entities

    def patch() -> Entity:
        known = store.get("item", item_id)
        there = item_id in serving.catalogue.index if known is None else known.document is not None
        if not there:
            raise _unknown()
        return store.merge("item", item_id, changes)

    return await _said(request, item_id, await live_of(request).call(patch))


@router.get("/items/{item_id:path}", response_model=ItemResponse, responses=documented(404, 422, 503))
async def get_item(request: Request, item_id: ItemId) -> Response:
    """What is known of an item."""
    serving = engine_of(request).serving
    engines = engines_of(request)
    live = live_of(request)
    said = await live.call(lambda: live.stores.entities.get("item", item_id))
    if said is not None:
        await engines.settled(said.version)
        serving = engine_of(request).serving
    return json_answer(_shown(serving, item_id, said))


@router.delete("/items/{item_id:path}", response_model=ItemRemoved, responses=documented(404, 422, 503))
async def delete_item(request: Request, item_id: ItemId) -> Response:
    """Take an item out of every answer, until something is said of it again."""
    live, engines = live_of(request), engines_of(request)
    in_bundle = item_id in engine_of(request).serving.catalogue.index
    store = live.stores.entities

    def remove() -> Entity | None:
        known = store.get("item", item_id)
        if (known is None and not in_bundle) or (known is not None and known.document is None):
            return None
        store.put("item", {item_id: None})
        return store.get("item", item_id)

    removed = await live.call(remove)
    if removed is not None:
        engines.said(removed)
        await engines.settled(removed.version)
    return json_answer({"item_id": item_id, "removed": removed is not None})


async def _said(request: Request, item_id: str, said: Entity) -> Response:
    """Bring what was said into force, and show the item."""
    engines = engines_of(request)
    engines.said(said)
    await engines.settled(said.version)
    return json_answer(_shown(engine_of(request).serving, item_id, said))


def _checked(body: ItemBody, serving: Serving) -> dict[str, Any]:
    """What was said, where every field is one of the bundle's.

    Raises:
        RequestValidationError: naming every field that is unknown or of another type.
    """
    document = body.document()
    texts = serving.opened.config.get("text", ())
    if problems := document_problems(document, serving.catalogue, texts):
        raise RequestValidationError(
            [{"type": "value_error", "loc": ("body", one.field), "msg": one.reason} for one in problems]
        )
    return document


def _shown(serving: Serving, item_id: str, said: Entity | None) -> dict[str, Any]:
    """As `ItemResponse`.

    Raises:
        SavorError: there is no such item (code `item_unknown`).
    """
    catalogue = serving.catalogue
    row = catalogue.index.get(item_id)
    if (row is None and said is None) or (said is not None and said.document is None):
        raise _unknown()
    document = dict(said.document or {}) if said is not None else {}
    known = item_document(catalogue, row) if row is not None else {}
    return {
        "item_id": item_id,
        "attributes": {**document, **known},
        "in_bundle": row is not None and row < serving.tables.trained,
        "changed": None if said is None else said.changed,
        "recommendable": row is not None and bool(catalogue.in_stock[row]),
    }


def _unknown() -> SavorError:
    return SavorError("there is no such item", code="item_unknown")
