"""How a language model ranks."""

from typing import Literal

from pydantic import Field

from savor.core.config import Section


class LanguageRankingOptions(Section):
    """`[assistant.ranking]` in savor.toml; scenarios with `language_model` rank so."""

    candidates: int = Field(20, ge=2, le=200, description="How many of the best candidates the model is asked about.")
    history: int = Field(10, ge=1, le=200, description="How many of the last things a person chose it is told.")
    measure: Literal["total", "per_token", "lift", "lift_per_token"] = Field(
        "lift_per_token",
        description="What counts: the log probability of a name after the history, the same over its tokens, or how "
        "much either rises by the history.",
    )
    seconds: float = Field(
        0.4,
        gt=0,
        le=60,
        description="Longest wait for it; after that, and at the deadline of the answer, it is left out.",
    )
