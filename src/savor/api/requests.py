"""What may be asked, exactly."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from savor.api.identifiers import Identifier

MOST_ITEMS = 1000
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


class RecommendationRequest(RequestBody):
    """`POST /recommendations`."""

    user_id: Identifier = Field(description="Who the list is for; somebody unknown gets what is popular.")
    num_recommendations: Number = Field(10, description="How many items are wanted.")
    scenario: Annotated[str, Field(max_length=64)] = Field(
        "home", description="Where the list is shown: home, or discover for new items only."
    )
    context: Annotated[dict[str, Scalar], Field(max_length=64)] = Field(
        default_factory=dict,
        description="What else is known of the moment; `search` is the text that the user searches for.",
    )
    filter: StructuredFilter | None = None
    exclude_items: Annotated[list[Identifier], Field(max_length=MOST_ITEMS)] = Field(
        default_factory=list, description="Items to leave out, as those in the cart."
    )
    exclude_seen: bool = Field(False, description="Leave out every item the user had before.")
    explain: bool = Field(False, description="Add the trace: sources, scores, stages and their times.")
    diversity: bool = Field(True, description="Apply the diversity rules.")

    @field_validator("context")
    @classmethod
    def _search_is_text(cls, context: dict[str, Scalar]) -> dict[str, Scalar]:
        search = context.get("search")
        if search is not None and (not isinstance(search, str) or len(search) > LONGEST_SEARCH):
            raise ValueError(f"`search` must be a text of at most {LONGEST_SEARCH} characters")
        return context


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
