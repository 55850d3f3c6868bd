"""What a message asks for, read by the rules and by a language model that is held to a schema.

python benchmarks/assistant/reading.py -C demo                      # the local model
python benchmarks/assistant/reading.py -C demo --base-url http://127.0.0.1:8080/v1 --model NAME

The messages are those of requests.py that name a thing, a price, what is not wanted, or nothing of a shop; what they
ask for is known from how they were made. Both readers are asked for the same fields, the model with three examples and
no deadline. A field is right where it says what was asked, by the stems of its words.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from time import monotonic, perf_counter
from typing import Any, NamedTuple

import numpy as np

sys.path[0] = str(Path(__file__).resolve().parents[2])

from benchmarks.assistant.asking import served  # noqa: E402
from benchmarks.assistant.scripted import Script  # noqa: E402

from savor.assistant.meanings import Meanings  # noqa: E402
from savor.assistant.options import AssistantOptions  # noqa: E402
from savor.assistant.providers.errors import ProviderError  # noqa: E402
from savor.assistant.providers.open_provider import open_provider  # noqa: E402
from savor.assistant.providers.prompt import Message, Prompt  # noqa: E402
from savor.assistant.providers.provider import Provider  # noqa: E402
from savor.assistant.understanding.knowledge import Knowledge  # noqa: E402
from savor.assistant.understanding.lexicon import Lexicon  # noqa: E402
from savor.assistant.understanding.read_turn import read_turn  # noqa: E402
from savor.assistant.understanding.stems import stems  # noqa: E402

FIELDS = ("thing", "price_min", "price_max", "without")
SCHEMA = {
    "type": "object",
    "properties": {
        "about_the_shop": {"type": "boolean"},
        "thing": {"type": "string", "maxLength": 40},
        "price_min": {"type": ["number", "null"]},
        "price_max": {"type": ["number", "null"]},
        "without": {"type": "string", "maxLength": 40},
    },
    "required": ["about_the_shop", *FIELDS],
    "additionalProperties": False,
}
SYSTEM = "You read messages to the assistant of a supermarket, and write down as JSON what is asked for."
EXAMPLES = (
    ("I need green peas under 3.50", (True, "green peas", None, 3.5, "")),
    ("lamb, but no ribs, between 4 and 9", (True, "lamb", 4.0, 9.0, "ribs")),
    ("how tall is the tower of Pisa?", (False, "", None, None, "")),
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


class Asked(NamedTuple):
    """What a message asks for; "" and None for nothing."""

    about_the_shop: bool = True
    thing: str = ""
    price_min: float | None = None
    price_max: float | None = None
    without: str = ""


def known(script: Script) -> list[tuple[str, str, Asked]]:
    """Family, message and what it asks for."""
    found = []
    said_without = {f"{one['thing']}, {one['said']}": one["thing"] for one in script.written["exclusions"]}
    for one in script.requests():
        if len(one.turns) > 1:
            continue
        (text,) = one.turns
        things = [name for name in script.things if name in text]
        numbers = [float(number) for number in _NUMBER.findall(text)]
        if one.family == "outside the shop":
            found.append((one.family, text, Asked(about_the_shop=False)))
        elif one.family == "a thing, not a kind of it":
            thing = said_without[text]
            rest = text.removeprefix(f"{thing}, ").removeprefix("but ")
            found.append((one.family, text, Asked(thing=thing, without=re.sub(r"^(?:no|not|without)\s+", "", rest))))
        elif one.family in ("a thing", "a thing under a price", "a thing between prices"):
            low, high = {0: (None, None), 1: (None, *numbers), 2: tuple(numbers)}[len(numbers)]
            found.append((one.family, text, Asked(thing=max(things, key=len), price_min=low, price_max=high)))
    return found


def by_rules(text: str, knowledge: Knowledge, meanings: Meanings) -> Asked:
    reading = read_turn(text, knowledge, near=meanings.near)
    return Asked(
        not reading.outside_domain,
        " ".join((*reading.qualities, *reading.diets, *reading.things)),
        reading.price_min,
        reading.price_max,
        " ".join(reading.without),
    )


def by_model(text: str, provider: Provider) -> Asked:
    turns: list[Message] = []
    for message, asked in EXAMPLES:
        turns += [Message("user", message), Message("assistant", json.dumps(Asked(*asked)._asdict()))]
    prompt = Prompt(SYSTEM, (*turns, Message("user", text)))
    try:
        pieces = provider.complete(prompt, limit=120, schema=SCHEMA, deadline=monotonic() + 120)
        return Asked(**json.loads("".join(piece.text for piece in pieces)))
    except (ProviderError, ValueError, TypeError):
        return Asked(about_the_shop=False)


def right(asked: Asked, read: Asked) -> dict[str, bool]:
    def close(one: float | None, other: float | None) -> bool:
        return one is other if one is None or other is None else abs(one - other) < 0.02

    def same(one: str, other: str) -> bool:
        return set(stems(one)) == set(stems(other))

    found = {
        "of the shop or not": asked.about_the_shop == read.about_the_shop,
        "thing": same(asked.thing, read.thing),
        "prices": close(asked.price_min, read.price_min) and close(asked.price_max, read.price_max),
        "not wanted": same(asked.without, read.without),
    }
    return {**found, "all": all(found.values()) if asked.about_the_shop else found["of the shop or not"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-C", "--directory", type=Path, default=Path("demo"))
    parser.add_argument("--things", choices=("things.toml", "later.toml"), default="later.toml")
    parser.add_argument("--base-url", help="an OpenAI-compatible endpoint in place of the local model")
    parser.add_argument("--model", help="its model")
    parser.add_argument("--show", action="store_true", help="each message that the model read wrongly")
    arguments = parser.parse_args()
    choice: dict[str, Any] = {"provider": "local"}
    if arguments.base_url:
        choice = {"provider": "openai", "base_url": arguments.base_url, "model": arguments.model}
    provider = open_provider(AssistantOptions(**choice, first_words_seconds=60, timeout_seconds=120))
    assert provider is not None
    with served(arguments.directory, arguments.things) as (serving, script):
        messages = known(script)
        knowledge = Knowledge(serving.catalogue, Lexicon.standard())
        meanings = Meanings(serving, 0.5, patient=True)
        rows: dict[str, list[dict[str, bool]]] = {"rules": [], provider.name: []}
        times: dict[str, list[float]] = {name: [] for name in rows}
        by_rules(messages[0][1], knowledge, meanings)
        provider.warm_up()
        for _, text, asked in messages:
            for name in rows:
                began = perf_counter()
                read = by_rules(text, knowledge, meanings) if name == "rules" else by_model(text, provider)
                times[name].append((perf_counter() - began) * 1000)
                rows[name].append(right(asked, read))
                if arguments.show and name != "rules" and not rows[name][-1]["all"]:
                    print(f"- {text}: {read}", file=sys.stderr)
    provider.close()
    print(f"{arguments.things}: {len(messages)} messages\n")
    columns = list(rows["rules"][0])
    print(f"| read by | {' | '.join(columns)} | ms, median |\n|{'---|' * (len(columns) + 2)}")
    for name, found in rows.items():
        shares = [f"{np.mean([one[column] for one in found]):.3f}" for column in columns]
        print(f"| {name} | {' | '.join(shares)} | {np.median(times[name]):.0f} |")


if __name__ == "__main__":
    main()
