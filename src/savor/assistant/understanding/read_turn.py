"""From a message to what it asks for, by rules."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace

from savor.assistant.understanding.amounts import read_amounts
from savor.assistant.understanding.knowledge import Knowledge
from savor.assistant.understanding.language import english
from savor.assistant.understanding.phrases import Phrase, read_phrases, words_said
from savor.assistant.understanding.places import places, that
from savor.assistant.understanding.questions import question
from savor.assistant.understanding.reading import EVERYTHING, Reading
from savor.assistant.understanding.rewording import ailments, attributes, non, spelled
from savor.assistant.understanding.stems import stem, stems

LONGEST = 1000
_MOST_UNKNOWN = 3
_MOST_PHRASES = 12
_MOST_WORDS = 48
_LONGEST_PHRASE = 60
_MOST_RULED_OUT = 8
_LONG_RUN, _MOST_OF_RUN, _LONGEST_THING = 7, 16, 3
_APOSTROPHES = re.compile(r"['\u2018\u2019`]")
_ADDS = re.compile(r"^\s*(?:and|also|plus|as well as)\b|\b(?:as well|too|also)\s*[.!?]*\s*$")
_ARTICLE = re.compile(r"^(?:the|a|an|some|my|our)\s+")
_REFERS = frozenset({"", "this", "that", "it", "these", "those", "them", "this one", "that one", "one", "ones", "the"})
_LIKE_REFERRED = re.compile(
    r"\b(?:(?:something|anything|more|ones?)\s+)?(?:like|similar\s+to)\s*(?=$|[;,.]|but\b|and\b|without\b)"
)
_REFUSED = r"(?:dont|do\s+not)\s+(?:like|want|need|fancy)|hate|dislike|(?:anything|everything|all)\s+but"
_NOT_THAT = re.compile(
    rf"\b(?:not|except|without|no|{_REFUSED})\s+(?:the\s+)?(?:\w+\s+)?(?:one|ones|item|option|first|second|third|last)\b"
)
_NOT_BEFORE = re.compile(rf"\b(?:not|except|without|{_REFUSED})\s+(?:that|this)(?:\s+(?:one|item|product))?\b")
_LEFT_OVER = re.compile(rf"\b(?:not|except|without|{_REFUSED})\s*(?=$|[.,;!?])")
_AILMENT = re.compile(r"\b(?:allerg|intoleran|sensitiv|react|sick|ill\b)")
_ADJECTIVE_AND_HEAD = 2
_ORDINARY = re.compile(r"\b(?:normal|regular|ordinary|usual)\s+(.+)")
Near = Callable[[str], bool]
"""Whether something in the catalogue is near in meaning to a phrase that none of its words says."""


def plain(text: str) -> str:
    """Lower case, without accents and apostrophes, on one line, at most 1,000 characters."""
    letters = unicodedata.normalize("NFKD", text[:LONGEST].casefold())
    joined = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"\s+", " ", _APOSTROPHES.sub("", joined)).strip()


def read_turn(text: str, knowledge: Knowledge, near: Near = lambda _: False, *, listed: bool = False) -> Reading:
    """Understand one message.

    Args:
        text: what was written.
        knowledge: says which phrases stand for items.
        near: says whether a phrase that nothing is called is near in meaning to something.
        listed: whether a list was shown before, so that "that one" may mean an item of it.
    """
    said, corrected = spelled(plain(text), knowledge)
    for name in ("measure", "needless"):
        said = english().expressions[name].sub(" ", said)
    for name, rule in english().courtesy.items():
        if rule.search(said) and not (name == "help" and knowledge.meaning(said).kind != "unknown"):
            return Reading(courtesy=name)
    if any(rule.search(said) for rule in english().services.values()):
        return Reading(courtesy="service")
    if (asked := question(said, knowledge, listed=listed)) is not None:
        return replace(asked, corrected=corrected)
    reading = Reading(
        reset=english().expressions["reset"].search(said) is not None,
        adds=_ADDS.search(said) is not None,
        corrected=corrected,
    )
    said = english().expressions["reset"].sub(" ", said)
    asks = (
        "why"
        if listed and english().expressions["why"].search(said)
        else "price"
        if english().expressions["price"].search(said)
        else None
    )
    refers = listed and bool(places(said)[0])
    outside = asks is None and not refers and any(rule.search(said) for rule in english().outside.values())
    said = (
        english().expressions["price"].sub(lambda found: found.group(1) or " ", said)
        if asks == "price"
        else english().expressions["why"].sub(" ", said)
        if asks
        else said
    )
    reading, said = _whole_rules(replace(reading, asks=asks), said)
    if (match := english().expressions["goes_with"].search(said)) is not None:
        what = _ARTICLE.sub("", match.group(2).strip(" ;,"))[:_LONGEST_PHRASE]
        reading = replace(reading, goes_with="" if what in _REFERS else what, points=what in _REFERS)
        said, outside = f"{said[: match.start()]} ; {match.group(1)} ; {said[match.end() :]}", False
    said = english().expressions["occasion_weather"].sub(" ", said)  # the day is cold, and not what is wanted
    amounts = read_amounts(ailments(said))
    reading = replace(
        reading,
        price_min=amounts.price_min,
        price_max=amounts.price_max,
        total=amounts.total,
        people=amounts.people,
        number=amounts.number,
    )
    reading, said = _references(reading, amounts.rest, knowledge, listed=listed)
    reading, said = _likenesses(reading, said, listed=listed)
    said, passing = attributes(non(said, knowledge))
    reading = _with_phrases(reading, said, knowledge, near)
    if not listed and not reading.narrows and not reading.unknown:
        reading = _with_head(reading, said, knowledge)
    if reading.things:
        reading = replace(reading, passing=tuple(one for one in passing if one in reading.without))
    if reading.asks and not reading.wants and not reading.unknown:
        reading = replace(reading, points=True)
    nothing = not reading.wants and not reading.reset and reading.asks is None
    words = sum(len(phrase.split()) for phrase in reading.unknown)
    unclear = not outside and nothing and not 0 < words <= _MOST_UNKNOWN
    return replace(reading, outside_domain=outside, unclear=unclear)


def _whole_rules(reading: Reading, said: str) -> tuple[Reading, str]:
    """What whole expressions say; they are taken out of the text."""
    if english().expressions["any_price"].search(said):
        reading, said = replace(reading, any_price=True), english().expressions["any_price"].sub(" ; ", said)
    for name, rule in ((name, english().expressions[name]) for name in ("new", "again")):
        if rule.search(said):
            reading, said = replace(reading, occasion=name), rule.sub(" ; ", said)
    if english().expressions["open"].search(said):
        reading, said = replace(reading, open=True), english().expressions["open"].sub(" ", said)
    return reading, said


def _references(reading: Reading, said: str, knowledge: Knowledge, *, listed: bool) -> tuple[Reading, str]:
    for name, rule in english().critiques.items():
        if rule.search(said) and not re.search(r"\bcheaper\s+than\s+\d", said):
            reading, said = replace(reading, critique=reading.critique or name), rule.sub(" ", said)
    for level, rule in english().levels.items():
        if rule.search(said):
            reading, said = replace(reading, level=reading.level or int(level)), rule.sub(" ", said)
    found, rest = places(said)
    if found and listed:
        negated = _NOT_THAT.search(said)
        reading = replace(reading, refers_to=found, unlike=negated is not None)
        said = _LEFT_OVER.sub(" ", rest) if negated else rest
    elif listed:
        points, rest = that(said)
        if points and _NOT_BEFORE.search(said):
            reading, said = replace(reading, points=True, unlike=True), _NOT_BEFORE.sub(" ", said)
        elif points:
            reading, said = replace(reading, points=True), rest
    return _allowed(reading, said, knowledge)


def _allowed(reading: Reading, said: str, knowledge: Knowledge) -> tuple[Reading, str]:
    """What may be again, and diets that no longer hold."""
    for rule in english().allowed.values():
        if (match := rule.search(said)) is not None:
            spoken = next(group for group in match.groups() if group)
            if spoken in ("everything", "anything"):
                reading, said = replace(reading, allowed=(*reading.allowed, EVERYTHING)), rule.sub(" ; ", said)
                continue
            if (ordinary := _ORDINARY.search(spoken)) is not None:
                said = f"{said[: match.start()]} ; {ordinary.group(1)} ; {said[match.end() :]}"
                continue
            words = " ".join(word for word in spoken.split() if word not in english().stop)
            if words and not re.search(r"\bnot?\b", spoken):
                reading, said = replace(reading, allowed=(*reading.allowed, words)), rule.sub(" ; ", said)
    sayings, concepts = knowledge.lexicon.sayings, knowledge.lexicon.concepts
    for match in english().expressions["no_longer"].finditer(said):
        diet = stems(next(filter(None, match.groups())))
        name = sayings.get(diet) or sayings.get(diet[:1])
        if name is not None and concepts[name].kind == "diet":
            reading = replace(reading, allowed=(*reading.allowed, name))
            said = said.replace(match.group(), " ; ")
    return reading, said


def _likenesses(reading: Reading, said: str, *, listed: bool) -> tuple[Reading, str]:
    if (match := english().expressions["instead"].search(said)) is not None:
        what = _ARTICLE.sub("", match.group(1)).strip()
        said = f"{said[: match.start()]} ; without {what} ; {said[match.end() :]}"
    if (reading.refers_to or reading.points) and (match := _LIKE_REFERRED.search(said)) is not None:
        return replace(reading, like_item=""), f"{said[: match.start()]} ; {said[match.end() :]}"
    if (match := english().expressions["like"].search(said)) is not None:
        what = _ARTICLE.sub("", match.group(1).strip(" ;,")).strip(" ;,")
        said = f"{said[: match.start()]} ; {said[match.end() :]}"
        if what not in _REFERS:
            reading = replace(reading, like_item=what[:_LONGEST_PHRASE])
        elif listed:
            reading = replace(reading, like_item="", points=not reading.refers_to)
    return reading, said


def _with_phrases(reading: Reading, said: str, knowledge: Knowledge, near: Near) -> Reading:
    things: list[str] = []
    qualities: list[str] = []
    diets: list[str] = []
    without: list[str] = []
    unknown: list[str] = []
    left = _MOST_WORDS
    for phrase in read_phrases(said, knowledge.joined)[:_MOST_PHRASES]:
        if not phrase.wanted:
            without += _ruled_out(phrase, knowledge)
            continue
        rest, concepts = _concepts(phrase.words, knowledge)
        for name in concepts:
            (diets if knowledge.lexicon.concepts[name].kind == "diet" else qualities).append(name)
        for words in rest:
            words = tuple(word for word in words if not word.isdigit()) or words
            left -= len(words)
            for spoken in _pieces(words, knowledge) if left > 0 or not (things or qualities) else ():
                if knowledge.meaning(spoken).kind == "unknown" and not near(spoken):
                    unknown.append(spoken[:_LONGEST_PHRASE])
                elif phrase.purpose and (things or qualities):
                    qualities.append(f"for {spoken}")
                else:
                    things.append(spoken)
    return replace(
        reading,
        things=tuple(dict.fromkeys(things)),
        qualities=tuple(dict.fromkeys(qualities)),
        diets=tuple(dict.fromkeys(diets)),
        without=tuple(dict.fromkeys(without)),
        unknown=tuple(dict.fromkeys(unknown)),
    )


def _pieces(words: tuple[str, ...], knowledge: Knowledge) -> list[str]:
    """The things of a phrase: itself, or of a long one, as lists without commas are, the longest that something is."""
    if len(words) < _LONG_RUN:
        return [" ".join(words)[:_LONGEST_PHRASE]]
    words, found, place = words[:_MOST_OF_RUN], list[str](), 0
    while place < len(words):
        for length in range(_LONGEST_THING, 0, -1):
            part = words[place : place + length]
            spoken = " ".join(part)
            if length == 1:
                break
            kinds = ("concept", "value") if all(map(knowledge.names, part)) else ("concept", "value", "words")
            if knowledge.together(spoken) and knowledge.meaning(spoken).kind in kinds:
                break
        found.append(spoken)
        place += length
    return list(dict.fromkeys(found))


def _ruled_out(phrase: Phrase, knowledge: Knowledge) -> list[str]:
    """Phrases that are not wanted: the whole one, or its parts where nothing is called so."""
    words = [word for word in phrase.words if word not in english().stop][:_MOST_RULED_OUT]
    for place, word in enumerate(words[:-1]):
        if _is_of_many(word, knowledge):
            rest = Phrase(tuple(words[place + 1 :]), phrase.wanted)
            return [" ".join(words[: place + 1]), *_ruled_out(rest, knowledge)]
    spoken = " ".join(words)
    spoken = spoken[:_LONGEST_PHRASE]
    if len(words) <= 1 or knowledge.ruled_out(spoken).kind != "unknown":
        return [spoken] if spoken else []
    known = [word for word in words if knowledge.ruled_out(word).kind != "unknown"]
    return known or [spoken]


def _with_head(reading: Reading, said: str, knowledge: Knowledge) -> Reading:
    """Of "no salt crackers", where nothing else is wanted: crackers without salt.

    What may be inside of things, and what somebody is allergic to, is never wanted so.
    """
    phrases = [phrase for phrase in read_phrases(said, knowledge.joined) if words_said(phrase.words)]
    words = [word for word in phrases[-1].words if word not in english().stop] if phrases else []
    if len(words) != _ADJECTIVE_AND_HEAD or phrases[-1].wanted or not {*words} <= {*reading.without}:
        return reading
    if _AILMENT.search(said):
        return reading
    head, meaning = words[-1], knowledge.ruled_out(words[-1])
    if meaning.concept is not None and knowledge.lexicon.concepts[meaning.concept].partly:
        return reading
    if knowledge.meaning(head).kind == "unknown":
        return reading
    return replace(reading, things=(head,), without=tuple(one for one in reading.without if one != head))


def _is_of_many(word: str, knowledge: Knowledge) -> bool:
    """Whether a word says in the plural what products have in them: one that goes on behind it speaks of more."""
    name = knowledge.lexicon.sayings.get(stems(word))
    return word.endswith("s") and name is not None and knowledge.lexicon.concepts[name].partly and stem(word) != word


def _concepts(words: tuple[str, ...], knowledge: Knowledge) -> tuple[list[tuple[str, ...]], list[str]]:
    """The stretches of words that name things, without those that say nothing, and the qualities among them."""
    lexicon = knowledge.lexicon
    runs: list[list[str]] = [[]]
    found: list[str] = []
    place = 0
    while place < len(words):
        name, length = _saying(words, place, knowledge)
        if name is None:
            runs[-1] += [] if words[place] in english().stop else [words[place]]
        elif lexicon.names_thing(name):
            runs += [[name], []]
        else:
            found.append(name)
            runs.append([])
        place += length
    return [tuple(run) for run in runs if run], found


def _saying(words: tuple[str, ...], place: int, knowledge: Knowledge) -> tuple[str | None, int]:
    """The concept that the longest saying at `place` names, and how many words that takes; else None and 1.

    A word that says a thing is left to what stands around it, unless the saying has words that say nothing alone.
    """
    lexicon = knowledge.lexicon
    content = tuple(word for word in words if word not in english().stop)
    for length in range(min(lexicon.longest, len(words) - place), 0, -1):
        said = words[place : place + length]
        name = lexicon.sayings.get(stems(" ".join(said)))
        if name is None:
            continue
        if not lexicon.names_thing(name):
            if _of_another(name, said, content, knowledge):
                continue
            whole = len(content) > length and knowledge.meaning(" ".join(content)).kind == "value"
            return (None, 1) if whole else (name, length)
        if any(word in english().stop for word in said):
            return name, length
    return None, 1


def _of_another(name: str, said: tuple[str, ...], words: tuple[str, ...], knowledge: Knowledge) -> bool:
    """Whether what is said belongs to something that the concept never is, as `light` to `light bulb`."""
    own, every = set(stems(" ".join(said))), set(stems(" ".join(words)))
    never = knowledge.lexicon.phrases(name, "never")
    return any(len(phrase) > len(own) and own < set(phrase) <= every for phrase in never)
