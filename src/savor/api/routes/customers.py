"""`/customers/{customer_id}/recommendations`: lists that are made, kept, changed and shown again."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from savor.api.context import engine_of, json_answer, live_of, metrics_of
from savor.api.engine import VARIANT, describe_item
from savor.api.identifiers import PathIdentifier
from savor.api.live import Live
from savor.api.live_requests import KeepRequest, ProductList
from savor.api.live_responses import KeptResponse, ListRemoved
from savor.api.problems import documented
from savor.api.recommending import recommended_beside
from savor.api.requests import RankRequest, RecommendationRequest
from savor.core.errors import SavorError
from savor.online.stores.errors import StoreAwayError
from savor.online.stores.kept_lists import KeptList
from savor.pipeline.build import Serving

router = APIRouter(tags=["kept lists"])
CustomerId = Annotated[PathIdentifier, Path()]
PATH = "/customers/{customer_id:path}/recommendations"
Answer = dict[str, Any]


@router.post(PATH, response_model=KeptResponse, responses=documented(400, 404, 413, 422, 503))
async def customer_recommendations(
    request: Request, customer_id: CustomerId, body: KeepRequest | None = None
) -> Response:
    """Recommend items to a customer, and keep the list in the place of any other."""
    live, engine = live_of(request), engine_of(request)
    asked = (body or KeepRequest()).model_dump()
    try:
        wanted = RecommendationRequest(user_id=customer_id, **asked)
    except ValidationError as error:
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in error.errors()]) from None
    answer, _ = await recommended_beside(request.app.state, engine, wanted)
    shown = answer["recommendations"]
    reasons = {item["item_id"]: item["reason"] for item in shown}
    kept = KeptList(
        tuple(item["item_id"] for item in shown),
        tuple(float(item["score"]) for item in shown),
        {**_provenance(answer), "reasons": reasons},
    )
    return json_answer(await _keep(live, engine.serving, customer_id, kept))


@router.get(PATH, response_model=KeptResponse, responses=documented(404, 422, 503))
async def show_recommendations(request: Request, customer_id: CustomerId) -> Response:
    """The list that a customer keeps."""
    live, engine = live_of(request), engine_of(request)
    kept, problem = await _kept(live, customer_id)
    return json_answer(_shown(engine.serving, customer_id, kept, problem))


@router.put(PATH, response_model=KeptResponse, responses=documented(400, 404, 413, 422, 503))
async def update_recommendations(request: Request, customer_id: CustomerId, body: ProductList) -> Response:
    """Score these items for a customer, sort them, and keep them in the place of any other list."""
    live, engine = live_of(request), engine_of(request)
    answer, result = engine.rank(RankRequest(user_id=customer_id, item_ids=body.product_list))
    metrics_of(request).ran(result)
    ranked = [item for item in answer["items"] if item["score"] is not None]
    kept = KeptList(
        tuple(str(item["item_id"]) for item in ranked),
        tuple(float(item["score"]) for item in ranked),
        {**_provenance(answer), "written": {str(item["item_id"]): item["item_id"] for item in ranked}},
    )
    return json_answer(await _keep(live, engine.serving, customer_id, kept))


@router.delete(PATH, response_model=KeptResponse | ListRemoved, responses=documented(400, 404, 413, 422, 503))
async def delete_recommendations(
    request: Request, customer_id: CustomerId, body: ProductList | None = None
) -> Response:
    """Remove these items from the list that a customer keeps; without a body, the whole list."""
    live, engine = live_of(request), engine_of(request)
    if body is None:
        deleted = await live.call(lambda: live.stores.kept_lists.delete(customer_id))
        live.kept.put(customer_id, None)
        return json_answer({"customer_id": customer_id, "deleted": deleted})
    gone = {str(item) for item in body.product_list}
    kept = await live.call(lambda: live.stores.kept_lists.remove(customer_id, gone))
    live.kept.put(customer_id, kept)
    return json_answer(_shown(engine.serving, customer_id, _there(kept)))


async def _keep(live: Live, serving: Serving, customer_id: str, kept: KeptList) -> Answer:
    """Keep it, and the answer; where the store is away it is remembered by this process, and the answer says so."""
    problem = ""
    try:
        kept = await live.call(lambda: live.stores.kept_lists.put(customer_id, kept))
    except StoreAwayError as error:
        problem = f"list_not_kept: it is shown and not kept, as the store is away ({error})"
    live.kept.put(customer_id, kept)
    return _shown(serving, customer_id, kept, problem)


async def _kept(live: Live, customer_id: str) -> tuple[KeptList, str]:
    """The list, and why it may be an old one.

    Raises:
        SavorError: there is none (code `list_unknown`).
        StoreAwayError: the store is away, and this process remembers nothing of the customer.
    """
    try:
        kept = await live.call(lambda: live.stores.kept_lists.get(customer_id))
    except StoreAwayError as error:
        remembered, kept = live.kept.get(customer_id)
        if not remembered:
            raise
        return _there(kept), f"list_from_memory: the store is away ({error})"
    live.kept.put(customer_id, kept)
    return _there(kept), ""


def _there(kept: KeptList | None) -> KeptList:
    if kept is None:
        raise SavorError("this customer keeps no list; POST makes one", code="list_unknown")
    return kept


def _provenance(answer: Answer) -> Answer:
    return {name: answer[name] for name in ("recommendation_id", "bundle", "variant", "fallback")}


def _shown(serving: Serving, customer_id: str, kept: KeptList, problem: str = "") -> Answer:
    index, detail = serving.catalogue.index, kept.detail
    written, reasons = detail.get("written", {}), detail.get("reasons", {})
    items: list[Answer] = []
    for item, score in zip(kept.items, kept.scores, strict=True):
        known = describe_item(serving, index[item]) if item in index else {}
        items.append({"item_id": written.get(item, item), "score": score, **known, "reason": reasons.get(item)})
    fallback = "; ".join(part for part in (detail.get("fallback"), problem) if part) or None
    return {
        "customer_id": customer_id,
        "recommendations": items,
        "num_recommendations": len(items),
        "kept": bool(kept.changed),
        "changed": kept.changed or None,
        "recommendation_id": detail.get("recommendation_id", ""),
        "bundle": detail.get("bundle", serving.bundle.id),
        "variant": detail.get("variant", VARIANT),
        "fallback": fallback,
    }
