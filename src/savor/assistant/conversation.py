"""The assistant: one turn of a conversation from a message to an answer."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Lock
from uuid import uuid4

from savor.assistant.conversation_options import ConversationOptions
from savor.assistant.described import Item, described
from savor.assistant.finding import Finder
from savor.assistant.following import THAT, follow, standing
from savor.assistant.found import Found, Note
from savor.assistant.holding import holding
from savor.assistant.known_prices import LEAST
from savor.assistant.matched import matched
from savor.assistant.meanings import Meanings
from savor.assistant.memory import InProcess, Memory
from savor.assistant.model_words import ModelWords, Told, Turn
from savor.assistant.parts import Done, Items, Part, Reply, Source, Words
from savor.assistant.plain_words import (
    OUTSIDE,
    UNCLEAR,
    courtesy,
    no_such_place,
    not_called,
    said_of_list,
    said_of_notes,
    said_of_some,
)
from savor.assistant.providers.provider import Provider
from savor.assistant.state import Conversation
from savor.assistant.understanding.knowledge import Knowledge
from savor.assistant.understanding.lexicon import Lexicon
from savor.assistant.understanding.read_turn import read_turn
from savor.assistant.understanding.reading import Reading
from savor.assistant.wish import wish
from savor.core.errors import SavorError
from savor.online.stores.errors import StoreAwayError
from savor.pipeline.build import Serving
from savor.pipeline.query import Query

_BESIDE = 5
"""By how many items of a kind what goes with it is looked for."""


class ConversationUnknownError(SavorError):
    """A conversation is not there any more, or is somebody else's."""

    code = "conversation_unknown"


class Assistant:
    """Answers messages with items of the catalogue.

    Rules say what a message asks for, the pipeline finds what satisfies it, and words are put to it: by templates, or
    by a language model whose every sentence is checked against the list. Safe to use from several threads.

    Args:
        serving: what answers now.
        memory: keeps conversations; None: in this process.
        provider_of: the language model for a user, by id; None: templates only.
        options: how a conversation goes.
        send_personal: whether what a person did may go to a model on another machine.
        timeout_seconds: after how long the language model must have ended.
    """

    def __init__(
        self,
        serving: Callable[[], Serving],
        memory: Memory | None = None,
        provider_of: Callable[[str], Provider | None] = lambda _: None,
        options: ConversationOptions | None = None,
        *,
        send_personal: bool = False,
        timeout_seconds: float = 8.0,
    ) -> None:
        self._serving, self._memory = serving, memory or InProcess()
        self._options = options or ConversationOptions()
        self._provider_of = provider_of
        self._words = ModelWords(self._options, send_personal=send_personal, timeout_seconds=timeout_seconds)
        self._lexicon = Lexicon.standard(self._options.concepts)
        self._known: tuple[Serving, Knowledge, Meanings] | None = None
        self._lock = Lock()

    def warm(self) -> None:
        """Make what every answer needs."""
        serving, knowledge, meanings = self._now()
        meanings.prepare()
        context = {"query": "anything"}  # opens what encodes searches
        serving.pipelines["search"].run(Query("", serving.clock(), scenario="search", context=context, unseen=True))
        for name in knowledge.lexicon.concepts:
            knowledge.wanted(name)

    def reply(self, user_id: str, text: str, conversation_id: str | None = None, *, patient: bool = False) -> Reply:
        """A whole answer; arguments and errors as of `answer`."""
        items: list[Item] = []
        words: dict[str, str] = {"plain": "", "model": ""}
        done: Done | None = None
        for part in self.answer(user_id, text, conversation_id, patient=patient):
            if isinstance(part, Items):
                items = part.items
            elif isinstance(part, Words):
                words[part.source] += part.text
            else:
                done = part
        assert done is not None
        return Reply(words[done.source], items, done)

    def answer(
        self,
        user_id: str,
        text: str,
        conversation_id: str | None = None,
        *,
        patient: bool = False,
        stream: bool = False,
    ) -> Iterator[Part]:
        """Answer a message: the list, then words, then the end.

        Args:
            user_id: who asks; may be unknown.
            text: the message.
            conversation_id: of an earlier answer; None begins a new conversation.
            patient: whether to wait for whatever it takes, as no server can.
            stream: whether words of the language model are still taken after the plain ones were sent.

        Raises:
            ConversationUnknownError: the conversation is not there, or somebody else's.
            SavorError: a required stage of the pipeline failed.
        """
        before, problems = self._remembered(conversation_id, user_id)
        conversation_id = conversation_id or uuid4().hex
        serving, knowledge, meanings = self._now(patient=patient)
        reading = read_turn(text, knowledge, meanings.near, listed=bool(before.listed))
        found = Found()
        items: list[Item] = []
        want = replace(before, turns=before.turns + 1)
        if reading.courtesy is not None:
            plain = courtesy(reading.courtesy)
        elif reading.outside_domain or reading.unclear:
            plain = OUTSIDE if reading.outside_domain else UNCLEAR
        elif (reading.refers_to or reading.points) and not want.referred(reading):
            plain = no_such_place(len(before.listed))
        elif reading.unknown and not reading.goes_on:
            want, plain = replace(standing(before, reading), turns=want.turns), not_called(reading.unknown)
        else:
            want, found, items, plain = self._found(
                serving, knowledge, meanings, user_id, before, reading, patient=patient
            )
        kept = matched(want, knowledge, meanings, found.notes)
        recommendation_id = uuid4().hex
        problems += self._remember(conversation_id, user_id, kept)
        yield Items(items, conversation_id, recommendation_id)
        source: Source = "plain"
        by_rules = not items or bool(reading.asks) or _only_refers(reading)  # of one item, they say all that is known
        provider = None if by_rules else self._provider_of(user_id)
        said: Iterator[Words] = iter((Words(plain, "plain"),))
        told = Told()
        if provider is not None:
            notes = said_of_notes(items, found.notes)
            turn = Turn(text, user_id, kept, items, plain, notes)
            said = self._words.words(provider, turn, told, stream=stream, patient=patient)
        for words in said:
            source = words.source
            yield words
        problems += told.problems
        problems += [f"{code}: {about}" for code, about in found.fallbacks]
        yield Done(
            conversation_id,
            recommendation_id,
            source,
            "; ".join(problems) or None,
            told.usage,
            [serving.catalogue.ids[row] for row in found.candidates.tolist()],
            reading.summary(),
            wish(holding(want, found.notes)) if items else "",
        )

    def _found(
        self,
        serving: Serving,
        knowledge: Knowledge,
        meanings: Meanings,
        user_id: str,
        before: Conversation,
        reading: Reading,
        *,
        patient: bool,
    ) -> tuple[Conversation, Found, list[Item], str]:
        """What is wanted now, what was found, it as items, and what is to be said of it."""
        catalogue, options = serving.catalogue, self._options

        def price_of(item_id: str) -> float | None:
            row = catalogue.index.get(item_id)
            return None if row is None or not catalogue.price[row] >= LEAST else float(catalogue.price[row])

        want = follow(before, reading, price_of)
        finder = Finder(serving, knowledge, meanings, options, patient=patient)
        if _only_refers(reading) and (spoken := [one for one in before.spoken(reading) if one in catalogue.index]):
            found = finder.these(user_id, [catalogue.index[one] for one in spoken])
            items = described(catalogue, found.rows, found.scores, found.reasons)
            places = [before.listed.index(one) if one in before.listed else None for one in spoken]
            about = finder.told(reading.about, found.rows)
            return replace(want, turns=want.turns + 1), found, items, said_of_some(items, places, reading, about)
        unknown_like = ""
        if want.like_phrase and not want.like:
            like = finder.items_called(want.like_phrase, user_id, 1)
            unknown_like = "" if like else want.like_phrase
            want = replace(want, like=like[0] if like else "", like_phrase="")
        if want.beside_phrase and not want.beside:
            beside = finder.items_called(want.beside_phrase, user_id, _BESIDE)
            unknown_like = "" if beside else want.beside_phrase
            called = knowledge.meaning(want.beside_phrase)
            label = called.label if called.kind != "unknown" else THAT
            want = replace(want, beside=tuple(beside), beside_phrase=label if beside else "")
        if unknown_like:
            return want, Found(), [], not_called((unknown_like,))
        found = finder.find(want, user_id, want.number or options.items)
        notes = [Note("spelled", word, meant) for word, meant in reading.corrected]
        notes += [Note("unknown_thing", phrase) for phrase in reading.unknown]
        found = replace(found, notes=(*notes, *found.notes))
        items = described(catalogue, found.rows, found.scores, found.reasons)
        if not items and reading.critique in ("cheaper", "dearer"):
            want = replace(want, price_min=before.price_min, price_max=before.price_max)
        if items:
            want = want.after([item["item_id"] for item in items])
        return want, found, items, said_of_list(want, items, found.notes)

    def _now(self, *, patient: bool = False) -> tuple[Serving, Knowledge, Meanings]:
        """What answers now, and what is known of it."""
        serving = self._serving()
        with self._lock:
            known = self._known
            if known is None or known[0].opened is not serving.opened:
                knowledge = Knowledge(serving.catalogue, self._lexicon)
                known = (serving, knowledge, Meanings(serving, self._options.near, patient=patient))
            elif known[0] is not serving:
                known = (serving, known[1].over(serving.catalogue), known[2].over(serving))
            self._known = known
        return known

    def _remembered(self, conversation_id: str | None, user_id: str) -> tuple[Conversation, list[str]]:
        if conversation_id is None:
            return Conversation(), []
        try:
            document = self._memory.get(conversation_id, user_id)
        except StoreAwayError:
            return Conversation(), ["memory_away: what was said before cannot be read now"]
        if document is None:
            raise ConversationUnknownError(
                "this conversation is not there, or not of this user; leave conversation_id out to begin a new one"
            )
        return Conversation.from_document(document), []

    def _remember(self, conversation_id: str, user_id: str, want: Conversation) -> list[str]:
        try:
            self._memory.put(conversation_id, user_id, want.document())
        except StoreAwayError:
            return ["memory_away: this turn could not be kept, and the next one will not know of it"]
        except ValueError:
            return ["memory_full: this conversation is too long to be kept; the next turn will not know of this one"]
        return []


def _only_refers(reading: Reading) -> bool:
    """Whether a message speaks of an item of the list and wants no others."""
    other = (reading.things, reading.qualities, reading.diets, reading.without, reading.price_max, reading.price_min)
    refers = bool(reading.refers_to) or reading.points
    alike = reading.like_item is not None or reading.goes_with is not None
    return refers and not reading.unlike and not alike and reading.critique is None and not any(other)
