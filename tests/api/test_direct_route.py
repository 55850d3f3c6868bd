import orjson
import pytest
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.testclient import TestClient

from savor.api.direct_route import DirectRoute
from savor.api.problems import install_problem_handlers
from savor.api.requests import RecommendationRequest

JSON = "application/json"


def application(**settings) -> FastAPI:
    router = APIRouter(**settings)

    @router.post("/recommendations", response_model=dict)
    async def recommendations(request: Request, body: RecommendationRequest) -> Response:
        return Response(orjson.dumps(body.model_dump()), media_type=JSON)

    @router.get("/scenarios", response_model=dict)
    async def scenarios(request: Request) -> Response:
        return Response(b"{}", media_type=JSON)

    app = FastAPI()
    app.include_router(router)
    install_problem_handlers(app)
    return app


DIRECT, USUAL = application(route_class=DirectRoute), application()


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b'{"user_id": "1"}', JSON),
        (b'{"user_id": 7, "context": {"query": "tea", "hour": 3, "rain": true, "none": null}}', JSON),
        (b'{"user_id": "1", "filter": {"price": {"lte": 5.5}}}', f"{JSON}; charset=utf-8"),
        (b'{"user_id": "1"}', "APPLICATION/JSON"),
        ('{"user_id": "ü"}'.encode(), JSON),
        (b'{"user_id": "1", "num_recommendations": 0}', JSON),
        (b'{"user_id": "1", "num_recommendations": "10"}', JSON),
        (b'{"user_id": "1", "unheard_of": 1}', JSON),
        (b'{"user_id": ""}', JSON),
        (b'{"user_id": "a\\u0000b"}', JSON),
        (b'{"user_id": "\\ud800"}', JSON),
        (b'{"user_id": 1e400}', JSON),
        (b'{"user_id": NaN}', JSON),
        (b'{"user_id": 99999999999999999999999}', JSON),
        (b'{"user_id": "1", "user_id": "2"}', JSON),
        (b"[]", JSON),
        (b"null", JSON),
        (b"{", JSON),
        (b"\xff", JSON),
        (b"[" * 100_000, JSON),
        (b"", JSON),
        (b'{"user_id": "1"}', "text/plain"),
        (b"user_id=1", "application/x-www-form-urlencoded"),
    ],
)
def test_answers_are_those_of_the_usual_route(content: bytes, media_type: str) -> None:
    answers = []
    for app in (DIRECT, USUAL):
        with TestClient(app, raise_server_exceptions=False) as client:
            answer = client.post("/recommendations", content=content, headers={"content-type": media_type})
        answers.append((answer.status_code, answer.headers["content-type"], answer.content))
    assert answers[0] == answers[1]


def test_the_document_is_the_same() -> None:
    assert DIRECT.openapi() == USUAL.openapi()


def test_other_endpoints_are_served_as_ever() -> None:
    assert TestClient(DIRECT).get("/scenarios").json() == {}
