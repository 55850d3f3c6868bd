"""What is answered; these models document the answers, which are encoded from plain values."""

from typing import Any

from pydantic import BaseModel, Field

from savor.api.identifiers import Identifier


class ReasonBody(BaseModel):
    """Why an item is in the list."""

    code: str
    text: str


class ItemBody(BaseModel):
    """One item of an answer."""

    item_id: Identifier
    score: float | None
    name: str | None = None
    category: str | None = None
    price: float | None = None


class RecommendedItem(ItemBody):
    """One recommended item."""

    reason: ReasonBody
    explanation: dict[str, Any] | None = Field(
        None, description="With `explain`: score and rank in each source that brought it, the scorer, features."
    )


class StageTime(BaseModel):
    """How long one stage took."""

    name: str
    milliseconds: float


class TraceBody(BaseModel):
    """With `explain`: what happened on the way."""

    stages: list[StageTime]
    retrieved: dict[str, int]
    ranked: int
    scorer: str
    dropped: dict[str, int]
    failures: list[dict[str, str]]


class Provenance(BaseModel):
    """Where an answer comes from."""

    recommendation_id: str
    bundle: str
    variant: str
    fallback: str | None = Field(description="In what way the answer is less than usual, and why; null when it is not.")


class RecommendationResponse(Provenance):
    """Answer to `POST /recommendations`.

    Items come in the order to show them in. Scores are what the ranker says; fairness, diversity, relevance and
    exploration may put an item before one with a higher score.
    """

    user_id: Identifier
    recommendations: list[RecommendedItem]
    num_recommendations: int
    next_cursor: str | None = Field(description="For the next page of this list; null where there is none.")
    trace: TraceBody | None = None


class ScenarioBody(BaseModel):
    """One scenario."""

    name: str
    sources: list[str] = Field(description="Where its candidates come from, in their order.")
    backup: list[str] = Field(description="Sources that follow where those bring too few.")
    exclude_seen: bool
    wants: str | None = Field(description="What the context must hold: `items` (`basket` or `item_id`), or `text`.")
    stages: list[str] = Field(description="Every stage, in the order they run.")
    hash: str = Field(description="Of the stages; the same where two scenarios are put together alike.")


class ScenariosResponse(BaseModel):
    """Answer to `GET /scenarios`."""

    bundle: str
    scenarios: list[ScenarioBody]


class SimilarItemsResponse(Provenance):
    """Answer to `POST /similar_items`."""

    item_id: Identifier
    similar_items: list[ItemBody]
    num_similar: int


class RankResponse(Provenance):
    """Answer to `POST /rank`; items that are not in the catalogue come last, with a null score."""

    user_id: Identifier
    items: list[ItemBody]


class Status(BaseModel):
    """Answer to `GET /health` and `GET /ready`."""

    status: str
    bundle: str | None = None
    problem: str | None = Field(None, description="Why what is served is not the newest, or not all of it.")


class Problem(BaseModel):
    """RFC 9457 problem document."""

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable name of the problem, for programs.")
    errors: list[dict[str, str]] | None = Field(None, description="Each field that is wrong, and why.")
