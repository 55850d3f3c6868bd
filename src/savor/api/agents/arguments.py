"""What agents may ask, exactly; types and bounds are those of the API."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from savor.api.identifiers import Identifier
from savor.api.requests import LONGEST_SEARCH, MOST_BASKET, MOST_ITEMS, RequestBody, StructuredFilter

MOST_LISTED = 50
"""An agent reads every word of an answer, so lists are shorter than those of the API may be."""

Limit = Annotated[int, Field(ge=1, le=MOST_LISTED, description="How many items are wanted.")]
Conditions = Annotated[
    StructuredFilter | None,
    Field(description='Conditions that all must hold, as {"category": {"in": ["dairy"]}, "price": {"lte": 5}}.'),
]
User = Annotated[Identifier, Field(description="Whose taste counts; somebody unknown gets what is popular.")]
Item = Annotated[Identifier, Field(description="Id of an item, as other answers name it.")]


def _words(text: str) -> str:
    if not any(letter.isalnum() for letter in text):
        raise ValueError("there is no word in it")
    return text.strip()


class SearchArguments(RequestBody):
    """`search`."""

    query: Annotated[
        str,
        Field(min_length=1, max_length=LONGEST_SEARCH, description="What is looked for, in words."),
        AfterValidator(_words),
    ]
    user_id: Annotated[Identifier | None, Field(description="Whose taste orders what is found; none: nobody's.")] = None
    limit: Limit = 10
    filter: Conditions = None


class RecommendArguments(RequestBody):
    """`recommend`."""

    user_id: User
    limit: Limit = 10
    scenario: Annotated[str, Field(max_length=64, description="home, discover (new items only) or buy_again.")] = "home"
    filter: Conditions = None
    exclude_items: Annotated[list[Identifier], Field(max_length=MOST_ITEMS, description="Items to leave out.")] = Field(
        default_factory=list
    )
    exclude_seen: Annotated[bool, Field(description="Leave out all that the user had before.")] = False


class SimilarArguments(RequestBody):
    """`similar`."""

    item_id: Item
    limit: Limit = 10
    filter: Conditions = None
    by: Annotated[Literal["model", "picture"], Field(description="What likeness is.")] = "model"


class ExplainArguments(RequestBody):
    """`explain`."""

    user_id: User
    item_id: Item


class BasketArguments(RequestBody):
    """`basket`."""

    user_id: User
    items: Annotated[
        list[Identifier], Field(min_length=1, max_length=MOST_BASKET, description="Ids of what is in the basket.")
    ]
    limit: Limit = 10
    filter: Conditions = None
