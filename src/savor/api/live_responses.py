"""What is answered about events, users, visitors and kept lists."""

from typing import Any

from pydantic import BaseModel, Field

from savor.api.identifiers import Identifier
from savor.api.responses import ItemBody, Provenance, ReasonBody


class EventsResponse(BaseModel):
    """Answer to `POST /events`, when all of them are durable."""

    accepted: int = Field(description="Events that are new.")
    duplicates: int = Field(description="Events that were there already, by their ids.")
    erased: int = Field(description="Events left out, because the person was erased after they happened.")
    unknown_items: int = Field(description="Events about items that are not in the catalogue; they are kept as well.")
    stored_in: str = Field(description="`database`, or `journal` while the database is away.")


class UserResponse(BaseModel):
    """Answer to `PUT` and `GET /users/{user_id}`."""

    user_id: Identifier
    attributes: dict[str, Any] = Field(description="What is known of the user, by column.")
    in_bundle: bool = Field(description="Whether the served bundle was trained with the user.")
    changed: int | None = Field(description="UTC seconds when the attributes were last written here; null for never.")
    events: int = Field(description="Recent events that the bundle does not know.")
    fallback: str | None = Field(description="Why what happened lately may be missing; null where it is not.")


class UserRemoved(BaseModel):
    """Answer to `DELETE /users/{user_id}`."""

    user_id: Identifier
    removed: bool = Field(description="Whether there was anything.")


class VisitorResponse(BaseModel):
    """Answer to `POST /visitors`."""

    visitor_id: str


class MergeResponse(BaseModel):
    """Answer to `POST /visitors/{visitor_id}/merge`."""

    visitor_id: str
    user_id: Identifier
    merged: bool = Field(description="Whether anything changed; doing it again changes nothing.")


class KeptItem(ItemBody):
    """One item of a kept list."""

    reason: ReasonBody | None = None


class KeptResponse(Provenance):
    """Answer to the calls of `/customers/{customer_id}/recommendations`."""

    customer_id: Identifier
    recommendations: list[KeptItem]
    num_recommendations: int
    kept: bool = Field(description="Whether the list is kept; if not, `fallback` says why.")
    changed: int | None = Field(description="UTC seconds of the last change.")


class ListRemoved(BaseModel):
    """Answer to `DELETE /customers/{customer_id}/recommendations` without a body."""

    customer_id: Identifier
    deleted: bool
