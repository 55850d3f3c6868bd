"""How a conversation goes."""

from pydantic import Field

from savor.assistant.understanding.lexicon import Concept
from savor.core.config import Section


class ConversationOptions(Section):
    """`[assistant.conversation]` in savor.toml."""

    items: int = Field(5, ge=1, le=20, description="How many items an answer has where the message names no number.")
    relevance: float = Field(
        0.4,
        ge=0,
        le=1,
        description="Weight of how well items fit the words, beside what the ranker says of the person.",
    )
    deadline_ms: float = Field(
        200.0,
        gt=0,
        description="Milliseconds for each list of candidates: what is optional and not done then is left out.",
    )
    patience_seconds: float = Field(
        0.25,
        gt=0,
        le=60,
        description="After how long without words of the language model the plain ones are sent. A streamed answer "
        "takes the model's when they come; one that is not streamed keeps the plain ones.",
    )
    limit: int = Field(120, ge=16, le=2000, description="Most tokens that the language model writes for an answer.")
    remember_days: float = Field(30.0, gt=0, description="After how many days of silence a conversation is forgotten.")
    remember_most: int = Field(100_000, ge=1, description="How many conversations are kept; the oldest make room.")
    near: float = Field(
        0.5,
        ge=0,
        le=1,
        description="From which cosine on a phrase that nothing is called stands for the items nearest in meaning.",
    )
    concepts: dict[str, Concept] = Field(
        {}, description="What people ask for by other words than the catalogue's; added to those that come with Savor."
    )
