"""What may be said of events, users, visitors and kept lists."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, RootModel, StringConstraints, Tag, field_validator

from savor.api.identifiers import LONGEST, Identifier
from savor.api.requests import MOST_ITEMS, Context, Number, RequestBody, StructuredFilter
from savor.online.event_batch import LONGEST_TEXT
from savor.online.moment import MICROSECONDS

MOST_EVENTS = 1000
_LARGEST_SECONDS = 10**11
_LATEST = 253_402_300_799_999_999
_DAY = 86_400 * MICROSECONDS
MOST_AHEAD = _DAY
"""Microseconds that an event may be dated later than its receipt: clocks of clients are wrong, but not for years."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST), AfterValidator(lambda text: _plain(text))]
Kind = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z][a-zA-Z0-9_.-]{0,63}$")]


class EventBody(RequestBody):
    """One event of `POST /events`."""

    event_id: Name | None = Field(
        None, description="Names the event, so that a repeated request is recognised; by default made of what it says."
    )
    user_id: Identifier = Field(description="The user or visitor.")
    kind: Kind = Field(description="What happened: view, click, cart, purchase, save, rating, search, impression, ….")
    item_id: Identifier | None = Field(None, description="The item; not needed for a search.")
    time: int | str | None = Field(
        None,
        description="When it happened: ISO 8601 (UTC where no zone is named), or seconds, milliseconds or microseconds "
        "since 1970; by default the moment it is received.",
    )
    value: float | None = Field(None, allow_inf_nan=False, description="Quantity or rating.")
    price: float | None = Field(None, allow_inf_nan=False, description="Money paid for the line.")
    basket_id: Identifier | None = Field(None, description="What belongs together: a basket, or a session.")
    recommendation_id: Name | None = Field(None, description="The recommendation it answers.")
    position: int | None = Field(None, ge=0, lt=2**31, description="Place in that recommendation, from 0.")
    variant: Name | None = Field(None, description="Variant of the experiment that it was shown in.")
    propensity: float | None = Field(None, gt=0, le=1, description="Probability with which it was shown there.")
    search: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TEXT)] | None = Field(
        None, description="What was searched for."
    )

    @field_validator("time")
    @classmethod
    def _moment(cls, value: int | str | None) -> int | str | None:
        """UTC microseconds."""
        if value is None:
            return None
        return _from_text(value) if isinstance(value, str) else _from_number(value)

    @field_validator("search")
    @classmethod
    def _no_nul(cls, value: str | None) -> str | None:
        if value is not None and ("\0" in value or not value.strip()):
            raise ValueError("must hold words, and no NUL")
        return value

    def values(self) -> dict[str, Any]:
        """As `EventBatch.of` takes it."""
        said = self.model_dump(exclude_none=True)
        for name in ("user_id", "item_id", "basket_id"):
            if name in said:
                said[name] = str(said[name])
        return said


Events = Annotated[
    Annotated[EventBody, Tag("one")]
    | Annotated[list[EventBody], Field(min_length=1, max_length=MOST_EVENTS), Tag("list")],
    Discriminator(lambda value: "list" if isinstance(value, list) else "one"),
]
"""One event, or a list of them."""

Attribute = (
    Annotated[str, StringConstraints(max_length=1000)]
    | int
    | float
    | list[Annotated[str, StringConstraints(max_length=1000)]]
    | None
)


class UserBody(RootModel[Annotated[dict[str, Attribute], Field(max_length=256)]]):
    """`PUT /users/{user_id}`: values of the columns of the user table; null for unknown."""


class MergeBody(RequestBody):
    """`POST /visitors/{visitor_id}/merge`."""

    user_id: Identifier = Field(description="The user that the visitor is.")


class KeepRequest(RequestBody):
    """`POST /customers/{customer_id}/recommendations`."""

    num_recommendations: Number = Field(10, description="How many items are wanted.")
    scenario: Annotated[str, Field(max_length=64)] = Field("home", description="Where the list is shown.")
    context: Context = Field(default_factory=dict, description="As in `POST /recommendations`.")
    filter: StructuredFilter | None = None
    exclude_items: Annotated[list[Identifier], Field(max_length=MOST_ITEMS)] = Field(
        default_factory=list, description="Items to leave out."
    )
    exclude_seen: bool = Field(False, description="Leave out every item the customer had before.")


class ProductList(RequestBody):
    """`PUT` and `DELETE /customers/{customer_id}/recommendations`."""

    product_list: Annotated[list[Identifier], Field(min_length=1, max_length=MOST_ITEMS)] = Field(
        description="Ids of items."
    )


def _plain(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must not hold control characters")
    return text


def _from_text(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError("is no moment as in 2026-01-31T12:00:00Z") from None
    return _within(since.days * _DAY + since.seconds * MICROSECONDS + since.microseconds)


def _from_number(number: int) -> int:
    """Seconds, milliseconds or microseconds, told apart by size, as in ingest."""
    size = abs(number)
    if size < _LARGEST_SECONDS:
        return _within(number * MICROSECONDS)
    return _within(number * 1000 if size < _LARGEST_SECONDS * 10**3 else number)


def _within(microseconds: int) -> int:
    if not 0 <= microseconds <= _LATEST:
        raise ValueError("must be from 1970 to 9999")
    return microseconds
