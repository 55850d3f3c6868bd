"""Errors as RFC 9457 problem documents with a stable code."""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from savor.api.responses import Problem
from savor.core.errors import SavorError

logger = logging.getLogger("savor.api")
MEDIA_TYPE = "application/problem+json"
_STATUS = {
    "filter_invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "scenario_unknown": HTTPStatus.UNPROCESSABLE_ENTITY,
    "cursor_invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "bundle_unknown": HTTPStatus.NOT_FOUND,
    "not_ready": HTTPStatus.SERVICE_UNAVAILABLE,
    "stage_failed": HTTPStatus.SERVICE_UNAVAILABLE,
    "experiment_unknown": HTTPStatus.NOT_FOUND,
    "experiment_state": HTTPStatus.CONFLICT,
    "experiment_changed": HTTPStatus.CONFLICT,
    "experiments_conflict": HTTPStatus.CONFLICT,
    "share_invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "event_invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "not_a_visitor": HTTPStatus.UNPROCESSABLE_ENTITY,
    "not_a_user": HTTPStatus.UNPROCESSABLE_ENTITY,
    "visitors_only": HTTPStatus.FORBIDDEN,
    "visitor_merged": HTTPStatus.CONFLICT,
    "user_unknown": HTTPStatus.NOT_FOUND,
    "item_unknown": HTTPStatus.NOT_FOUND,
    "bundle_invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "bundles_fixed": HTTPStatus.CONFLICT,
    "no_previous_bundle": HTTPStatus.CONFLICT,
    "disk_full": HTTPStatus.SERVICE_UNAVAILABLE,
    "conversation_unknown": HTTPStatus.NOT_FOUND,
    "list_unknown": HTTPStatus.NOT_FOUND,
    "rate_limited": HTTPStatus.TOO_MANY_REQUESTS,
    "store_away": HTTPStatus.SERVICE_UNAVAILABLE,
    "erasure_key_wrong": HTTPStatus.SERVICE_UNAVAILABLE,
    "live_state_off": HTTPStatus.SERVICE_UNAVAILABLE,
    "payload_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}
_LONGEST_LIST = 50
_TYPES = {"str", "int", "float", "bool"}


def problem_body(status: int, code: str, detail: str, errors: Sequence[dict[str, str]] = ()) -> bytes:
    """A problem document, encoded."""
    body: dict[str, Any] = {
        "type": f"urn:savor:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    if errors:
        body["errors"] = list(errors[:_LONGEST_LIST])
    return orjson.dumps(body)


def problem(status: int, code: str, detail: str, errors: Sequence[dict[str, str]] = ()) -> Response:
    """A problem document as an answer."""
    return Response(problem_body(status, code, detail, errors), status, media_type=MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the OpenAPI document: these statuses come with a problem document."""
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: schema}} for status in statuses}


def install_problem_handlers(app: FastAPI) -> None:
    """Answer every error of `app` with a problem document."""

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:  # noqa: ARG001
        errors = [_reason(one) for one in error.errors()]
        if any(one["type"] == "json_invalid" for one in error.errors()):
            return problem(400, "json_invalid", "the body is not JSON", errors)
        fields = ", ".join(dict.fromkeys(one["field"] for one in errors[:_LONGEST_LIST]))
        return problem(422, "validation_failed", f"the request cannot be used; wrong: {fields}"[:500], errors)

    @app.exception_handler(SavorError)
    async def refused(request: Request, error: SavorError) -> Response:  # noqa: ARG001
        status = _STATUS.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR)
        errors = [{"field": "filter", "reason": one} for one in getattr(error, "problems", ())]
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            logger.error("%s: %s", error.code, error)
        return problem(status, error.code, str(error), errors)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:  # noqa: ARG001
        code = {400: "bad_request", 404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
        answer = problem(error.status_code, code, str(error.detail))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:  # noqa: ARG001
        logger.exception("unexpected error", exc_info=error)
        return problem(500, "internal_error", "something failed that should not; the server's log says what")


def add_problem_schema(document: dict[str, Any]) -> None:
    """Put the schema of problem documents into an OpenAPI document."""
    document["components"]["schemas"]["Problem"] = Problem.model_json_schema()


def _reason(error: Any) -> dict[str, str]:
    """One validation error, without the input, which may be hostile, and without the names of types in a union."""
    location: list[str] = []
    for part in error["loc"]:
        if part in _TYPES or "[" in str(part):
            break
        location += [str(part)[:100]] if part not in ("body", "query", "path") else []
    return {"field": ".".join(location) or "body", "reason": str(error["msg"]).removeprefix("Value error, ")[:300]}
