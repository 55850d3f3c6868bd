"""What may be said to the assistant, and what it answers."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field

from savor.api.identifiers import Identifier
from savor.api.requests import RequestBody
from savor.api.responses import Provenance, RecommendedItem
from savor.assistant.understanding.read_turn import LONGEST


def _says_something(text: str) -> str:
    if not text.strip():
        raise ValueError("the message says nothing")
    return text


class ChatRequest(RequestBody):
    """`POST /chat`."""

    user_id: Identifier = Field(description="Who asks; somebody unknown is answered from what is popular.")
    message: Annotated[str, Field(min_length=1, max_length=LONGEST), AfterValidator(_says_something)] = Field(
        description="What is asked, in words.", examples=["something quick and vegetarian for six, not pasta again"]
    )
    conversation_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = Field(
        None, description="Of the answer that this goes on from; absent, a new conversation begins."
    )
    stream: bool = Field(
        False, description="Answer as server-sent events: `items`, then `words` as they come, and `done`."
    )


class UsageBody(BaseModel):
    """What the language model took; nothing without one."""

    prompt_tokens: int
    completion_tokens: int
    cost: float


class ChatResponse(Provenance):
    """An answer of the assistant."""

    user_id: Identifier
    conversation_id: str = Field(description="To go on with.")
    message: str = Field(
        description="What is said; `[id]` stands behind each item that it names. What has to be said of the list "
        "stands behind a language model's words too."
    )
    items: list[RecommendedItem] = Field(
        description="What was found, best first; every item satisfies what was understood. Empty where nothing does."
    )
    words: Literal["plain", "model"] = Field(description="Whether the message is by rules or by a language model.")
    want: str = Field(description="What is wanted now, as it was understood.")
    understood: dict[str, Any] = Field(description="What this message was taken to say.")
    usage: UsageBody
