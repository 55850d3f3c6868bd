"""Words of a language model, sentence by sentence as they are checked."""

import queue
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from threading import BoundedSemaphore, Event, Thread
from time import monotonic
from typing import NamedTuple

from savor.assistant.conversation_options import ConversationOptions
from savor.assistant.described import Item
from savor.assistant.grounding import Grounding, cites
from savor.assistant.parts import Words
from savor.assistant.prompts import echoes, phrasing_prompt, shown_items, with_ids
from savor.assistant.providers.errors import ProviderError
from savor.assistant.providers.prompt import Prompt
from savor.assistant.providers.provider import Provider, Usage
from savor.assistant.state import Conversation
from savor.assistant.wish import wish

_SENTENCE = re.compile(r"(?<=[.!?])[\"')]*\s+|\n+")
_ENDS = (".", "!", "?")
_AT_ONCE = 16
_LONGEST = 1000
"""Letters without the end of a sentence after which nothing good is to be expected."""

_MOST_SENTENCES = 4


class Turn(NamedTuple):
    """What words are put to.

    Attributes:
        message: of the person.
        user_id: who that is; it is not sent.
        want: what was understood, in words that may be shown.
        items: the list.
        plain: what is said without a model.
        notes: what of that has to be said behind a model's words too.
    """

    message: str
    user_id: str
    want: Conversation
    items: Sequence[Item]
    plain: str
    notes: str = ""


@dataclass
class Told:
    """What is known of a language model's answer once its words were taken: `usage`, and what went wrong."""

    usage: Usage = field(default_factory=Usage)
    problems: list[str] = field(default_factory=list)


class ModelWords:
    """Asks a language model to put words to a list, and lets only those through that speak of it.

    Args:
        options: patience, and how long an answer may be.
        send_personal: whether what a person wrote and did may go to another machine.
        timeout_seconds: after how long an answer must have ended.
    """

    def __init__(self, options: ConversationOptions, *, send_personal: bool, timeout_seconds: float) -> None:
        self._options, self._send_personal, self._timeout = options, send_personal, timeout_seconds
        self._free = BoundedSemaphore(_AT_ONCE)

    def words(
        self,
        provider: Provider,
        turn: Turn,
        told: Told,
        *,
        stream: bool,
        patient: bool,
    ) -> Iterator[Words]:
        """The model's sentences that may be shown, and the notes; the plain words where it has none in time.

        Args:
            provider: the model.
            turn: what words are put to.
            told: is filled in while words are taken.
            stream: whether the model's words are still taken after the plain ones were sent.
            patient: whether to wait for the model until it must have ended.
        """
        personal = self._send_personal or not provider.remote
        short = not provider.remote
        want, shown = turn.want, shown_items(turn.items, short=short)
        prompt = phrasing_prompt(turn.message, want, shown, personal=personal, names=(turn.user_id,), short=short)
        unsaid = (*want.diets, *want.without)
        grounding = Grounding(turn.items, wish(replace(want, diets=(), without=())), unsaid)
        if not self._free.acquire(blocking=False):
            told.problems.append("provider_busy: too many answers are being written; these words are by rules")
            yield Words(turn.plain, "plain")
            return
        answer = _Answer(provider, prompt, self._options.limit, monotonic() + self._timeout, self._free)
        patience = self._timeout if patient else self._options.patience_seconds
        said, refused, gave_plain = 0, 0, False
        named: set[str] = set()  # a small model goes on with empty words: each of its sentences must name another item
        sentences = answer.sentences(monotonic() + patience)
        try:
            while True:
                sentence = next(sentences, None)
                if sentence is None and answer.pending and not gave_plain and not said:
                    yield Words(turn.plain, "plain")
                    gave_plain = True
                    if not stream:
                        break
                    sentences = answer.sentences(answer.deadline)
                elif sentence is None:
                    break
                elif (
                    said < _MOST_SENTENCES
                    and not echoes(sentence, prompt)
                    and grounding.accepts(cited := with_ids(sentence, shown))
                    and not (short and named.issuperset(cites(cited)))
                ):
                    cited += "" if cited.endswith(_ENDS) else "."
                    yield Words(f" {cited}" if said else cited, "model")
                    named.update(cites(cited))
                    said += 1
                    if said == 1:
                        sentences = answer.sentences(answer.deadline)
                else:
                    refused += 1
        finally:
            answer.stop()
        if said and turn.notes:
            yield Words(f" {turn.notes}", "model")
        told.usage = answer.usage
        if answer.problem:
            told.problems.append(answer.problem)
        elif answer.pending:
            told.problems.append("provider_slow: the language model took too long; these words are by rules")
        elif not said:
            about = "said nothing" if not refused else "did not keep to the list"
            told.problems.append(f"words_refused: the language model {about}; these words are by rules")
        if not said and not gave_plain:
            yield Words(turn.plain, "plain")


class _Answer:
    """One answer under way, in a thread of its own."""

    def __init__(self, provider: Provider, prompt: Prompt, limit: int, deadline: float, free: BoundedSemaphore) -> None:
        self.deadline, self.usage, self.problem, self.pending = deadline, Usage(), "", True
        self._pieces: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._stopped, self._buffer = Event(), ""
        Thread(target=self._read, args=(provider, prompt, limit, free), name="savor-words", daemon=True).start()

    def stop(self) -> None:
        """What comes from now on is not wanted."""
        self._stopped.set()

    def sentences(self, until: float) -> Iterator[str]:
        """Whole sentences as they come, until the answer ends or the moment `until` has come."""
        while self.pending:
            try:
                piece = self._pieces.get(timeout=max(until - monotonic(), 0.0))
            except queue.Empty:
                return
            if piece is None:
                self.pending = False
                rest, self._buffer = self._buffer.strip(), ""
                if rest:
                    yield rest
                return
            self._buffer += piece
            if len(self._buffer) > _LONGEST:
                self.pending = False
                return
            *whole, self._buffer = _SENTENCE.split(self._buffer)
            for sentence in whole:
                if sentence.strip():
                    yield sentence.strip()

    def _read(self, provider: Provider, prompt: Prompt, limit: int, free: BoundedSemaphore) -> None:
        try:
            pieces = provider.complete(prompt, limit=limit, deadline=self.deadline)
            for piece in pieces:
                if piece.usage is not None:
                    self.usage = piece.usage
                if self._stopped.is_set():
                    break
                if piece.text:
                    self._pieces.put(piece.text)
            close = getattr(pieces, "close", None)
            if close is not None:
                close()
        except ProviderError as error:
            self.problem = f"{error.code}: {error}"
        except Exception as error:  # noqa: BLE001 - whatever a model does, the plain words must still come
            self.problem = f"provider_failed: {type(error).__name__}"
        finally:
            self._pieces.put(None)
            free.release()
