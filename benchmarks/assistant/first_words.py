"""How soon the assistant speaks: with the local model, without one, and with one that is away or slow.

python benchmarks/assistant/first_words.py -C demo            # a published project; a copy, nothing is written to it

Each message is asked of the assistant as POST /chat asks it, in this process. Measured are milliseconds until the list,
until the first words, and until the model's first words. `hanging` is an endpoint that accepts connections and never
answers, `refusing` is one where nobody listens, `going slow` one that answered until a moment ago.
"""

import argparse
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from savor.api.chat_bodies import ChatRequest
from savor.api.chatting import Chat
from savor.api.serve import load_engine
from savor.assistant.options import AssistantOptions
from savor.assistant.parts import Done, Items, Words
from savor.core.folders import ProjectFolder

MESSAGES = (
    "milk under 3",
    "something for breakfast",
    "cheap bread",
    "a snack without nuts",
    "coffee",
    "pasta for six",
    "frozen pizza, not pepperoni",
    "cheese",
    "yogurt under 2",
    "soup for a cold day",
    "orange juice",
    "ice cream",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-C", "--directory", type=Path, default=Path("demo"))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", help="one of the kinds")
    parser.add_argument("--show", action="store_true", help="print what was said")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    engine = load_engine(ProjectFolder(arguments.directory).registry)
    users = [user for user, _ in engine.serving.states.sample(20)]
    found = {}
    with hanging() as silent, answering() as (there, slow):
        kinds = {
            "none": AssistantOptions(),
            "local": AssistantOptions(provider="local", first_words_seconds=5),
            "refusing": AssistantOptions(provider="openai", model="m", base_url="http://127.0.0.1:9/v1"),
            "hanging": AssistantOptions(provider="openai", model="m", base_url=silent),
            "going slow": AssistantOptions(provider="openai", model="m", base_url=there),
        }
        for name, options in kinds.items():
            if arguments.only not in (None, name):
                continue
            chat = Chat(lambda: engine.serving, options)
            chat.warm()
            settle(chat)
            chat.assistant.warm()
            if name == "going slow":
                slow.set()
            rows = [
                asked(chat, users[place % len(users)], message)
                for place, message in enumerate(MESSAGES * arguments.rounds)
            ]
            found[name] = summary(rows)
            print(f"{name}: {found[name]}", file=sys.stderr, flush=True)
            for row in rows if arguments.show else ():
                print(f"{row['asked']} -> {row['spoke']}: {row['said']}", file=sys.stderr, flush=True)
            chat.close()
    text = json.dumps(found, indent=1)
    if arguments.out:
        arguments.out.write_text(text + "\n", encoding="utf-8")
    print(text)


def settle(chat: Chat, seconds: float = 60.0) -> None:
    """Wait until the model is warm, or known not to be there."""
    provider = chat.model.provider
    until = time.monotonic() + seconds
    while provider is not None and provider.failure is not None and time.monotonic() < until:
        if "made ready" not in str(provider.failure):
            return
        time.sleep(0.05)


def asked(chat: Chat, user: str, message: str) -> dict[str, float | str]:
    began = time.perf_counter()
    row: dict[str, float | str] = {"asked": message}
    said = {"plain": "", "model": ""}
    for part in chat.parts(ChatRequest(user_id=user, message=message, stream=True)):
        now = (time.perf_counter() - began) * 1000
        if isinstance(part, Items):
            row.setdefault("list", now)
        elif isinstance(part, Words):
            row.setdefault("words", now)
            said[part.source] += part.text
            if part.source == "model":
                row.setdefault("model's words", now)
        elif isinstance(part, Done):
            row["end"] = now
            row["spoke"], row["said"] = part.source, said[part.source]
            row["fallback"] = str(part.fallback).split(":")[0]
    return row


def summary(rows: list[dict[str, float | str]]) -> dict[str, object]:
    made: dict[str, object] = {"answers": len(rows)}
    for key in ("list", "words", "model's words", "end"):
        values = [float(row[key]) for row in rows if key in row]
        if values:
            made[f"{key}, ms (median, 95%, most)"] = [
                round(float(value)) for value in (np.median(values), np.percentile(values, 95), max(values))
            ]
    made["words of the model"] = sum(row["spoke"] == "model" for row in rows)
    made["fallbacks"] = sorted({str(row["fallback"]) for row in rows})
    return made


@contextmanager
def hanging() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0), backlog=512) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1"


@contextmanager
def answering() -> Iterator[tuple[str, threading.Event]]:
    """An endpoint that answers at once until the event is set, and then not at all."""
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from tests.assistant.openai_server import KEY, openai_server

    os.environ["OPENAI_API_KEY"] = KEY
    slow = threading.Event()
    with openai_server() as (url, behaviour):

        def follow() -> None:
            slow.wait()
            behaviour.mode = "slow_start"

        threading.Thread(target=follow, daemon=True).start()
        with suppress(GeneratorExit):
            yield url, slow
        slow.set()


if __name__ == "__main__":
    main()
