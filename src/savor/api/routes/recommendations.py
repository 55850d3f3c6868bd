"""`POST /recommendations`, `/similar_items` and `/rank`."""

from time import perf_counter

from fastapi import APIRouter, Request, Response

from savor.api.context import engine_of, json_answer, metrics_of
from savor.api.problems import documented
from savor.api.recommending import recommended_beside
from savor.api.requests import RankRequest, RecommendationRequest, SimilarItemsRequest
from savor.api.responses import RankResponse, RecommendationResponse, ScenariosResponse, SimilarItemsResponse

router = APIRouter(tags=["recommendations"], responses=documented(400, 413, 422, 503))


@router.post("/recommendations", response_model=RecommendationResponse)
async def recommendations(request: Request, body: RecommendationRequest) -> Response:
    """Recommend items to a user; never empty while something in the catalogue may be shown."""
    started = perf_counter()
    answer, _ = await recommended_beside(request.app.state, engine_of(request), body)
    if (shadow := request.app.state.shadow) is not None:
        shadow.observe(body, answer, perf_counter() - started)
    return json_answer(answer)


@router.get("/scenarios", response_model=ScenariosResponse, responses=documented(503))
async def scenarios(request: Request) -> Response:
    """The places a list may be for, and how each is put together."""
    return json_answer(engine_of(request).scenarios())


@router.post("/similar_items", response_model=SimilarItemsResponse)
async def similar_items(request: Request, body: SimilarItemsRequest) -> Response:
    """Find items like an item."""
    return json_answer(engine_of(request).similar(body))


@router.post("/rank", response_model=RankResponse)
async def rank(request: Request, body: RankRequest) -> Response:
    """Score and sort the given items for a user."""
    answer, result = engine_of(request).rank(body)
    metrics_of(request).ran(result)
    return json_answer(answer)
