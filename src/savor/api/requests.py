"""What may be asked, exactly."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from savor.api.cursor import LONGEST_CURSOR
from savor.api.identifiers import LONGEST, Identifier
from savor.pipeline.search_query import TEXT_FIELDS

MOST_ITEMS = 1000
MOST_BASKET = 200
LONGEST_SEARCH = 1000


class RequestBody(BaseModel):
    """The base of all bodies: types are not converted, and unknown fields are errors."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


Number = Annotated[int, Field(ge=1, le=MOST_ITEMS)]
Scalar = str | int | float | bool | None
StructuredFilter = Annotated[
    dict[str, Any],
    Field(
        max_length=32,
        description="Conditions on catalogue fields that all must hold, by field and operator.",
        examples=[{"category": {"in": ["dairy"]}, "price": {"lte": 5}}],
    ),
]


ContextValue = Scalar | list[Identifier]


def _known_context(context: dict[str, ContextValue]) -> dict[str, ContextValue]:
    """What names mean holds what they mean.

    Raises:
        ValueError: it does not.
    """
    for name, value in context.items():
        if isinstance(value, list) != (name == "basket") and value is not None:
            raise ValueError("`basket` must be a list of item ids, and nothing else may be a list")
    basket = context.get("basket")
    if isinstance(basket, list) and len(basket) > MOST_BASKET:
        raise ValueError(f"`basket` may hold at most {MOST_BASKET} items")
    item = context.get("item_id")
    if item is not None and (isinstance(item, bool | float) or not 0 < len(str(item)) <= LONGEST):
        raise ValueError("`item_id` must be the id of an item")
    for name in TEXT_FIELDS:
        text = context.get(name)
        if text is not None and (not isinstance(text, str) or len(text) > LONGEST_SEARCH):
            raise ValueError(f"`{name}` must be a text of at most {LONGEST_SEARCH} characters")
    return context


Context = Annotated[dict[str, ContextValue], Field(max_length=64), AfterValidator(_known_context)]


class RecommendationRequest(RequestBody):
    """`POST /recommendations`."""

    user_id: Identifier = Field(description="Who the list is for; somebody unknown gets what is popular.")
    num_recommendations: Number = Field(10, description="How many items are wanted.")
    cursor: Annotated[str, Field(min_length=1, max_length=LONGEST_CURSOR)] | None = Field(
        None, description="`next_cursor` of an answer: the page after it, without anything that was shown before."
    )
    scenario: Annotated[str, Field(max_length=64)] = Field(
        "home",
        description="Where the list is shown: home, discover (new items only), basket, item_page, search, buy_again, "
        "or one of savor.toml; `GET /scenarios` lists them.",
    )
    context: Context = Field(
        default_factory=dict,
        description="What else is known of the moment: `basket` (item ids), `item_id` (of the page), `query` (what the "
        "user searches for; `search` is another name of it).",
    )
    filter: StructuredFilter | None = None
    exclude_items: Annotated[list[Identifier], Field(max_length=MOST_ITEMS)] = Field(
        default_factory=list, description="Items to leave out, as those in the cart."
    )
    exclude_seen: bool = Field(False, description="Leave out every item the user had before.")
    explain: bool = Field(False, description="Add the trace: sources, scores, stages and their times.")
    diversity: bool = Field(True, description="Apply the diversity rules.")


class SimilarItemsRequest(RequestBody):
    """`POST /similar_items`."""

    item_id: Identifier
    num_similar: Number = Field(10, description="How many items are wanted.")
    filter: StructuredFilter | None = None
    by: Literal["model", "picture"] = Field(
        "model", description="What likeness is: that of the item tower's vectors, or that of the pictures alone."
    )


class RankRequest(RequestBody):
    """`POST /rank`."""

    user_id: Identifier
    item_ids: Annotated[list[Identifier], Field(min_length=1, max_length=MOST_ITEMS)] = Field(
        description="The items to score and sort; each is answered once."
    )
