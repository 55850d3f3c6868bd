"""`savor-edge`: try an edge bundle from a terminal; answers are JSON, one line each."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from savor_edge.errors import EdgeError
from savor_edge.installation import Installation
from savor_edge.person_store import PersonStore
from savor_edge.recommender import EdgeRecommender
from savor_edge.updates import Updates
from savor_edge.upload import EventUpload

Command = Callable[[argparse.Namespace], Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 it failed (one line says why), 2 usage."""
    given = _parser().parse_args(arguments)
    command: Command = given.command
    try:
        answer = command(given)
    except EdgeError as error:
        sys.stderr.write(f"savor-edge: {error}\n")
        return 1
    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="savor-edge", description="Recommendations on the device.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Command, about: str) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=about, description=about)
        one.add_argument("folder", type=Path, help="an edge bundle, or where `update` installs bundles")
        one.set_defaults(command=command)
        return one

    add("check", _check, "Compare every file with the manifest and every example with this device.")
    recommend = add("recommend", _recommend, "Recommend items.")
    recommend.add_argument("--user", help="whose list; by default the device's owner")
    recommend.add_argument("-n", type=int, default=10, help="how many items")
    recommend.add_argument("--filter", type=json.loads, help='like \'{"price": {"lte": 5}}\'')
    recommend.add_argument("--exclude-seen", action="store_true", help="only items not had before")
    recommend.add_argument("--explain", action="store_true", help="scores, counts and times")
    record = add("record", _record, "Keep that something happened; it changes the next list.")
    record.add_argument("kind", help="view, purchase, …")
    record.add_argument("item", help="id of the item")
    record.add_argument("--user", help="who did it; by default the device's owner")
    update = add("update", _update, "Fetch, try and switch to a newer bundle.")
    upload = add("upload", _upload, "Send the events that wait, if the person agrees.")
    for one in (update, upload):
        one.add_argument("url", help="of the server")
        one.add_argument("--key", help="an API key with scope device")
    update.add_argument("--channel", default="live", help="which releases to follow")
    consent = add("consent", _consent, "Say whether events may be sent.")
    consent.add_argument("agreed", choices=("yes", "no"))
    return parser


def _check(given: argparse.Namespace) -> Any:
    recommender = EdgeRecommender.open(given.folder)
    if problems := recommender.problems():
        raise EdgeError("; ".join(problems), code="edge_bundle_invalid")
    manifest = recommender.bundle.manifest
    size = sum(entry.size for entry in manifest.files.values())
    return {"id": manifest.id, "bundle": manifest.bundle, "items": manifest.number_of_items, "bytes": size}


def _recommend(given: argparse.Namespace) -> Any:
    return EdgeRecommender.open(given.folder).recommend(
        given.user, given.n, filter=given.filter, exclude_seen=given.exclude_seen, explain=given.explain
    )


def _record(given: argparse.Namespace) -> Any:
    return EdgeRecommender.open(given.folder).record({"user_id": given.user, "kind": given.kind, "item_id": given.item})


def _update(given: argparse.Namespace) -> Any:
    return Updates(given.folder, given.url, channel=given.channel, key=given.key).update()._asdict()


def _upload(given: argparse.Namespace) -> Any:
    return EventUpload(_store(given), given.url, key=given.key).send()._asdict()


def _consent(given: argparse.Namespace) -> Any:
    store = _store(given)
    store.set_consent(given.agreed == "yes")
    return {"consent": store.consent, "pending": store.number_pending}


def _store(given: argparse.Namespace) -> PersonStore:
    return PersonStore(Installation(given.folder).store)


if __name__ == "__main__":
    sys.exit(main())
