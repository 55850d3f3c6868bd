"""Plays a phone: fetches the release of its channel from the server, then recommends without asking anybody.

Uses `savor_edge` alone, which needs NumPy and LiteRT and no other part of Savor. The folder `--phone` is the phone's
memory: the bundles that were installed, and what its owner did.

    python on_device.py --server http://127.0.0.1:8000
"""

import argparse
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

from savor_edge import EdgeError, EdgeRecommender, Updates
from savor_edge.installation import Installation
from savor_edge.person_store import PersonStore

ASHA = {"age": 29, "gender": "female", "location": "Chennai"}
VEG: dict[str, Any] = {"diet": {"eq": "veg"}}
CRAVING = {"cuisine": {"eq": "thai"}, **VEG}
SHOWN = 6


def fetched(phone: Path, server: str) -> None:
    """Look for a release; without a network, what is there goes on."""
    installation = Installation(phone)
    store = PersonStore(installation.store)
    try:
        update = Updates(phone, server, store.device).update()
    except EdgeError as error:
        say(f"no update: {error}")
    else:
        size = f", {update.fetched / 1e3:,.0f} kB fetched, {update.reused / 1e3:,.0f} kB kept" if update.fetched else ""
        say(f"update: {update.status}, release {update.release}{size}{'; ' + update.problem if update.problem else ''}")
    finally:
        store.close()


def show(recommender: EdgeRecommender, about: str, **asked: Any) -> list[str]:
    """Print a list with the time it took; gives the items' ids."""
    started = perf_counter()
    answer = recommender.recommend(num_recommendations=SHOWN, **asked)
    taken = 1e3 * (perf_counter() - started)
    say(f"\n{about} ({taken:.1f} ms)")
    for item in answer["recommendations"]:
        score = "     –" if item["score"] is None else f"{item['score']:6.3f}"
        say(f"  {score}  {item['name']:<28} {item['price']:>6.2f}  {item['reason']['text']}")
    if answer["fallback"]:
        say(f"  ({answer['fallback']})")
    return [str(item["item_id"]) for item in answer["recommendations"]]


def play(recommender: EdgeRecommender) -> None:
    """One person's first minutes with the app."""
    recommender.erase()
    show(recommender, "Somebody of whom nothing is known")
    recommender.put_user(ASHA)
    show(recommender, f"Asha, {ASHA['age']}, {ASHA['location']}, wants no meat", filter=VEG)
    ordered = show(recommender, "She looks for Thai food", filter=CRAVING)[:3]
    recommender.record([{"kind": "purchase", "item_id": item} for item in ordered])
    show(recommender, "After ordering the first three: what she is shown now", filter=VEG)
    show(recommender, "Something she did not have yet", filter=VEG, exclude_seen=True)


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")


def main() -> int:
    """Fetch, then recommend."""
    parser = argparse.ArgumentParser(description="Recommend on a made-up phone.")
    parser.add_argument("--phone", type=Path, default=Path("phone"), help="the phone's memory")
    parser.add_argument("--server", default="http://127.0.0.1:8000", help="where releases come from")
    asked = parser.parse_args()
    fetched(asked.phone, asked.server)
    try:
        recommender = EdgeRecommender.open(asked.phone)
    except EdgeError as error:
        say(f"the phone has nothing to recommend from: {error}")
        return 1
    play(recommender)
    recommender.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
