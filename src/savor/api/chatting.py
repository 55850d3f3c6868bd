"""The assistant of an application."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from savor.api.chat_bodies import ChatRequest
from savor.api.engine import VARIANT
from savor.assistant.conversation import Assistant
from savor.assistant.language_model import LanguageModel
from savor.assistant.memory import InProcess
from savor.assistant.options import AssistantOptions
from savor.assistant.parts import Done, Items, Part, Words
from savor.core.errors import SavorError
from savor.online.stores.conversations import Conversations
from savor.online.stores.stores import Stores
from savor.pipeline.build import Serving

logger = logging.getLogger("savor.api")
Answer = dict[str, Any]


class Chat:
    """Answers `POST /chat`. `close` it in the end.

    Attributes:
        talks: whether it has a language model; without, what it needs is made when it is first asked, so that a server
            that nobody talks to does without.

    Args:
        serving: what answers now.
        options: `[assistant]` of savor.toml.
        stores: where conversations are kept; None: in this process.
        base: folder that files of the options count from.
        model: the language model; absent, the one that the options name.

    Raises:
        ConfigError: the options name what is not there.
        MissingDependencyError: the language model's packages are not installed.
    """

    def __init__(
        self,
        serving: Callable[[], Serving],
        options: AssistantOptions | None = None,
        stores: Stores | None = None,
        base: Path | None = None,
        model: LanguageModel | None = None,
    ) -> None:
        options = options or AssistantOptions()
        kept = options.conversation
        self.talks = options.provider != "none"
        accounts = None if stores is None else stores.assistant_accounts
        self.model = LanguageModel(options, accounts, base) if model is None else model
        memory = (
            InProcess()
            if stores is None
            else Conversations(stores.database, forget_days=kept.remember_days, most=kept.remember_most)
        )
        self.assistant = Assistant(
            serving,
            memory,
            self.model.of,
            kept,
            send_personal=options.send_personal,
            timeout_seconds=options.timeout_seconds,
        )

    def warm(self) -> None:
        """Make what every answer needs, and begin to load the language model."""
        self.model.warm_up_in_background()
        self.assistant.warm()

    def close(self) -> None:
        """Give the language model back."""
        self.model.close()

    def parts(self, body: ChatRequest) -> Iterator[Part]:
        """The answer, part by part; errors as of `Assistant.answer`, with the first part."""
        return self.assistant.answer(str(body.user_id), body.message, body.conversation_id, stream=body.stream)


def whole(body: ChatRequest, parts: Iterator[Part], bundle: str) -> Answer:
    """All parts as one answer."""
    said: dict[str, str] = {"plain": "", "model": ""}
    answer: Answer = {}
    for part in parts:
        match part:
            case Items():
                answer["items"] = part.items
            case Words():
                said[part.source] += part.text
            case Done():
                answer |= ending(body, part, bundle)
    return answer | {"message": said[answer["words"]]}


def ending(body: ChatRequest, done: Done, bundle: str) -> Answer:
    """What is known when an answer has ended."""
    return {
        "user_id": body.user_id,
        "conversation_id": done.conversation_id,
        "recommendation_id": done.recommendation_id,
        "bundle": bundle,
        "variant": VARIANT,
        "fallback": done.fallback,
        "words": done.source,
        "want": done.want,
        "understood": done.understood,
        "usage": {
            "prompt_tokens": done.usage.prompt_tokens,
            "completion_tokens": done.usage.completion_tokens,
            "cost": done.usage.cost,
        },
    }


def streamed(body: ChatRequest, parts: Iterator[Part], bundle: str) -> Iterator[bytes]:
    """The parts as server-sent events; whatever fails, `error` says so and ends them."""
    try:
        for part in parts:
            match part:
                case Items():
                    kept = {"conversation_id": part.conversation_id, "recommendation_id": part.recommendation_id}
                    yield _event("items", {"items": part.items, **kept})
                case Words():
                    yield _event("words", {"text": part.text, "source": part.source})
                case Done():
                    yield _event("done", ending(body, part, bundle))
    except SavorError as error:
        yield _event("error", {"code": error.code, "detail": str(error)})
    except Exception as error:
        logger.exception("unexpected error", exc_info=error)
        detail = "something failed that should not; the server's log says what"
        yield _event("error", {"code": "internal_error", "detail": detail})


def _event(name: str, value: Answer) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS) + b"\n\n"
