"""What is asked and answered about bundles."""

from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints

from savor.api.requests import RequestBody

BundleId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]


class BundleListing(BaseModel):
    """One bundle of the registry."""

    id: str
    created: int | None = Field(description="UTC seconds since 1970.")
    size: int = Field(description="Bytes.")
    channels: list[str] = Field(description="Names of the pointers to it.")
    problem: str | None = Field(description="Why it cannot be read.")


class BundlesResponse(BaseModel):
    """Answer to `GET /bundles`."""

    current: str = Field(description="The bundle that answers.")
    previous: str | None = Field(description="The bundle before, while it is in memory: going back takes no time.")
    channel: str | None = Field(description="The pointer that is followed; null where none is.")
    problem: str | None = Field(description="Why the bundle that the channel points to does not answer.")
    bundles: list[BundleListing] = Field(description="Newest first.")


class SwitchedResponse(BaseModel):
    """Answer to `POST /bundles/{id}/activate` and `POST /bundles/rollback`."""

    bundle: str = Field(description="The bundle that answers from now on.")
    previous: str | None = Field(description="The one before; null where it answered already.")
    channel: str


class ShadowRequest(RequestBody):
    """`PUT /bundles/shadow`."""

    bundle: BundleId = Field(description="Id of a bundle of the registry.")


class ShadowResponse(BaseModel):
    """Answer to `GET`, `PUT` and `DELETE /bundles/shadow`: figures of this process."""

    channel: str = Field(description="The pointer to the bundle that answers unseen.")
    share: float = Field(description="Share of the requests that it answers too.")
    live: str = Field(description="The bundle that is served.")
    bundle: str | None = Field(description="The bundle that answers unseen; null where there is none.")
    problem: str | None = Field(description="Why it does not answer yet.")
    comparison: dict[str, Any] | None = Field(
        description="`compared`, `failed`, `left_out` and `fallbacks` count requests; `overlap_at_10`, `kendall`, "
        "`spearman` and `same_first` are means; `milliseconds` has p50, p95 and p99 of both.",
    )
