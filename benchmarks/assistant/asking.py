"""Asks the scripted requests, and tells how they were answered (see requests.py)."""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from benchmarks.assistant.scripted import Script, Scripted
from benchmarks.assistant.spoken import CITED, spoken_wrong

from savor.assistant.conversation import Assistant
from savor.assistant.options import AssistantOptions
from savor.assistant.parts import Done, Items, Words
from savor.assistant.prompts import opening_prompt
from savor.assistant.providers.open_provider import open_provider
from savor.cli.project import read_project
from savor.cli.stages import two_stage
from savor.core.folders import ProjectFolder
from savor.data.splits import TEST
from savor.evaluation.bootstrap import Bootstrap
from savor.pipeline.build import Serving
from savor.pipeline.item_filter import ItemFilter
from savor.pipeline.query import Query

LENGTH = 5
PATIENCE = 30.0
"""Seconds that a language model is waited for: what it says is judged too, however slow it is. A server waits one."""


@contextmanager
def served(directory: Path, things: str) -> Iterator[tuple[Serving, Script]]:
    """What would have been served when the test period began, and the requests."""
    folder = ProjectFolder(directory)
    stages = two_stage(folder, read_project(folder))
    events, start = stages.dataset.events, int(stages.dataset.split["test_start"])
    test = events.split == TEST
    users, ids = events.user[test], stages.dataset.user_ids
    taken = {str(ids[user]): np.unique(events.item[test][users == user]) for user in np.unique(users)}
    sold = np.bincount(events.item[~test], minlength=len(stages.dataset.item_ids))
    known = {str(ids[user]) for user in np.unique(events.user[~test])}
    taken = {user: rows for user, rows in taken.items() if user in known}
    with stages.serving(~test, start) as serving:
        yield serving, Script(serving.catalogue, taken, sold, things)


def ask(assistant: Assistant, one: Scripted, serving: Serving, told: str = "", *, patient: bool) -> dict[str, Any]:
    """All turns of a request, and what came of them; `told` is what the language model is told before each."""
    index, conversation = serving.catalogue.index, None
    lists: list[list[int]] = []
    messages: list[str] = []
    record: dict[str, Any] = {
        "family": one.family,
        "turns": one.turns,
        "outside": 0,
        "faults": [],
        "sources": [],
        "ms": [],
        "words_ms": [],
    }
    for text in one.turns:
        started, said, ids = perf_counter(), {"plain": "", "model": ""}, []
        done = None
        for part in assistant.answer(one.user, text, conversation, patient=patient, stream=patient):
            since = (perf_counter() - started) * 1000
            if isinstance(part, Items):
                ids = [item["item_id"] for item in part.items]
                record["ms"].append(since)
            elif isinstance(part, Words):
                if not said["plain"] and not said["model"]:
                    record["words_ms"].append(since)
                said[part.source] += part.text
            elif isinstance(part, Done):
                done = part
        assert done is not None
        conversation, message = done.conversation_id, said[done.source]
        record["outside"] += sum(name not in index or name not in done.candidates for name in ids)
        record["outside"] += sum(name not in ids for name in CITED.findall(message))
        record["sources"].append(done.source)
        if done.source == "model" and (wrong_words := spoken_wrong(message, ids, told)):
            record["faults"].append(f"{wrong_words}: {message[:120]}")
        record["fallback"] = done.fallback
        lists.append([index[name] for name in ids if name in index])
        messages.append(message)
    last = np.asarray(lists[-1], np.int64)
    wrong = np.zeros(0, np.int64) if one.allowed is None else last[~one.allowed[last]]
    faults = record["faults"]
    faults += [f"not allowed: {serving.catalogue.names[row]}" for row in wrong[:2]]
    if one.fill and not len(last):
        faults.append("nothing was shown")
    if len(lists) == len(one.turns) and (said_wrong := one.judge(lists, messages)):
        faults.append(said_wrong)
    record |= {"shown": len(last), "wrong": len(wrong), "message": messages[-1]}
    record["hit"] = bool(np.isin(last, one.wanted).any()) if len(one.wanted) else None
    return record


def beside(one: Scripted, serving: Serving, script: Script) -> dict[str, bool | None]:
    """Whether other lists of five, all of them of allowed items, have what this person then took."""
    if one.allowed is None or not len(one.wanted):
        return {"best sold": None, "own pipeline": None}
    allowed = np.flatnonzero(one.allowed)
    best = allowed[np.argsort(-script.sold[allowed], kind="stable")[:LENGTH]]
    within = ItemFilter((lambda rows: one.allowed[rows],))
    query = Query(one.user, serving.clock(), n=LENGTH, filter=within, diverse=False, unseen=True)
    own = serving.pipelines["home"].run(query).items
    return {"best sold": bool(np.isin(best, one.wanted).any()), "own pipeline": bool(np.isin(own, one.wanted).any())}


def share(values: list[Any]) -> str:
    known = np.asarray([float(value) for value in values if value is not None])
    if not len(known):
        return "–"
    (found,) = Bootstrap(len(known)).intervals(known[:, None])
    return f"{found.mean:.3f} ({found.low:.3f} to {found.high:.3f})"


def report(records: list[dict[str, Any]], title: str) -> None:
    families: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        families[record["family"]].append(record)
    print(f"\n### {title}: {len(records)} requests\n")
    print("| request | number | all holds | items that fit | taken by the person | best sold | own pipeline |")
    print("|---|---|---|---|---|---|---|")
    for name, found in [*families.items(), ("**all**", records)]:
        shown = sum(one["shown"] for one in found)
        fitting = "–" if not shown else f"{1 - sum(one['wrong'] for one in found) / shown:.3f}"
        columns = [[not one["faults"] for one in found]]
        columns += [[one[key] for one in found] for key in ("hit", "best sold", "own pipeline")]
        shares = [share(column) if name == "**all**" else share(column).split(" ")[0] for column in columns]
        print(f"| {name} | {len(found)} | {shares[0]} | {fitting} | {' | '.join(shares[1:])} |")
    times = np.asarray([ms for one in records for ms in one["ms"]])
    words = np.asarray([ms for one in records for ms in one["words_ms"]])
    said = [source for one in records for source in one["sources"]]
    outside = sum(one["outside"] for one in records)
    print(f"\nItems outside the catalogue, not among the turn's candidates, or cited and not listed: {outside}.")
    for what, taken in (("the list", times), ("the first words", words)):
        print(f"Milliseconds to {what}: median {np.median(taken):.0f}, p95 {np.quantile(taken, 0.95):.0f}.")
    print(f"Turns whose words are the model's: {said.count('model')} of {len(said)}.")


def main(about: str | None) -> None:
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "-C", "--directory", type=Path, default=Path("demo"), help="a trained project of Complete Journey"
    )
    parser.add_argument("--provider", choices=("none", "local"), default="none")
    written = ("things.toml", "later.toml", "said.toml", "said_later.toml")
    parser.add_argument("--things", choices=written, default="things.toml")
    parser.add_argument("--every", type=int, default=1, help="only each n-th request")
    parser.add_argument("--faults", action="store_true", help="show what went wrong")
    parser.add_argument("--out", type=Path, help="a JSON file for the records")
    arguments = parser.parse_args()
    with served(arguments.directory, arguments.things) as (serving, script):
        patience = {"first_words_seconds": PATIENCE, "timeout_seconds": 2 * PATIENCE}
        provider = open_provider(AssistantOptions(provider=arguments.provider, **patience))
        if provider is not None:
            provider.warm_up(opening_prompt(short=not provider.remote))
        assistant = Assistant(lambda: serving, provider_of=lambda _: provider, timeout_seconds=2 * PATIENCE)
        assistant.warm()
        serving.warm()
        requests = script.requests()[:: arguments.every]
        assistant.reply(requests[0].user, "milk", patient=True)
        records, told = [], ""
        if provider is not None:
            opening = opening_prompt(short=not provider.remote)
            told = "\n".join((opening.system, *(message.text for message in opening.messages)))
        for one in requests:
            record = ask(assistant, one, serving, told, patient=provider is not None)
            records.append({**record, **beside(one, serving, script)})
        named = "no language model" if provider is None else f"with {provider.name}"
        report(records, f"{arguments.things}, {named}")
        if arguments.faults:
            for record in records:
                if record["faults"]:
                    print(f"- {record['family']}: {' / '.join(record['turns'])}: {'; '.join(record['faults'])}")
        if arguments.out is not None:
            arguments.out.write_text(json.dumps(records, indent=1, default=str) + "\n")
        if provider is not None:
            provider.close()
