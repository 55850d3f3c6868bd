"""Recommendations on the device, asked for as on the server."""

import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np

from savor_edge.answer import Answer, Stopwatch, circumstances, explained
from savor_edge.bundle import EdgeBundle
from savor_edge.eligibility import allowed_rows, own_bonus, rows_of
from savor_edge.errors import EdgeError
from savor_edge.golden import golden_problems
from savor_edge.installation import Installation
from savor_edge.loaded_bundle import LoadedBundle
from savor_edge.manifest import NAME
from savor_edge.person_store import PersonStore, user_name
from savor_edge.reasons import reason_for
from savor_edge.request import Request
from savor_edge.search import search
from savor_edge.selection import chosen
from savor_edge.source_columns import Asked

VARIANT = "control"


class EdgeRecommender:
    """Answers from one edge bundle and the events on this device. Safe from several threads.

    Args:
        bundle: what to answer from.
        store: what people did and said.
        installation: where newer bundles come to; None where there is no such place.
        threads: that the model may use.
        note: what is said in `fallback` until the next bundle; None for nothing.
    """

    def __init__(
        self,
        bundle: EdgeBundle,
        store: PersonStore | None = None,
        *,
        installation: Installation | None = None,
        threads: int = 1,
        note: str | None = None,
    ) -> None:
        self.store = PersonStore(None) if store is None else store
        self._loaded, self._lock = LoadedBundle(bundle, note), RLock()
        self._installation, self._threads = installation, threads

    @classmethod
    def open(
        cls,
        folder: str | Path,
        *,
        store: str | Path | None = None,
        threads: int = 1,
        verify: bool = True,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> "EdgeRecommender":
        """Open an edge bundle, or the folder that `Updates` installs bundles in.

        Where the current one of that folder is damaged, the one before answers, and `fallback` says so.

        Args:
            folder: as `savor export` wrote it, or as `Updates` keeps it.
            store: file of events. By default `events.sqlite` in the folder of `Updates`; for a bundle alone, events are
                kept in memory only.
            threads: that the model may use.
            verify: also compare the content of every file with the manifest.
            clock: gives UTC milliseconds.

        Raises:
            EdgeError: there is no bundle, or it is damaged.
        """
        folder = Path(folder)
        installation = None
        if not (folder / NAME).is_file() and Installation.is_at(folder):
            installation = Installation(folder)
            store = installation.store if store is None else store
        note = None
        place = folder if installation is None else installation.current_folder()
        try:
            bundle = EdgeBundle.open(place, verify=verify, threads=threads)
        except EdgeError as error:
            if installation is None or installation.previous is None or error.code != "edge_bundle_invalid":
                raise
            installation.rollback(str(error), at=0)
            bundle = EdgeBundle.open(installation.current_folder(), verify=verify, threads=threads)
            note = "bundle_damaged: the bundle before answers until the next update"
        kept = PersonStore(None if store is None else Path(store), clock)
        return cls(bundle, kept, installation=installation, threads=threads, note=note)

    @property
    def bundle(self) -> EdgeBundle:
        """What is answered from."""
        return self._loaded.bundle

    def close(self) -> None:
        """Close the file of events."""
        self.store.close()

    def refresh(self) -> bool:
        """Go over to the bundle that was installed last; whether it is another. Questions under way end with the old.

        Raises:
            EdgeError: it cannot be opened; the old one goes on answering.
        """
        if self._installation is None:
            return False
        with self._lock:
            if self._installation.current == self.bundle.id:
                return False
            folder = self._installation.current_folder()
            self._loaded = LoadedBundle(EdgeBundle.open(folder, verify=False, threads=self._threads))
            return True

    def problems(self) -> list[str]:
        """What is wrong with the bundle on this device, by its own examples; empty where all is well."""
        return golden_problems(self.bundle)

    def record(self, events: Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> Answer:
        """Keep what happened, as `POST /events`: it changes the next answer. Without `user_id`: of the device's owner.

        Raises:
            EdgeError: an event is none (code `event_invalid`); then none of them is kept.
        """
        given = [events] if isinstance(events, Mapping) else list(events)
        visitor = self.store.visitor if any(event.get("user_id") is None for event in given) else ""
        told = [event if event.get("user_id") is not None else {**event, "user_id": visitor} for event in given]
        recorded = self.store.record(told)
        index = self.bundle.catalogue.index
        unknown = sum(event.get("item_id") is not None and str(event["item_id"]) not in index for event in told)
        return {**recorded._asdict(), "unknown_items": unknown}

    def put_user(self, profile: Mapping[str, Any], user_id: str | int | None = None) -> None:
        """Keep what a person says of themselves, by column; None is unknown.

        Raises:
            EdgeError: a column is none of the model's, or a value is of the wrong type (code `request_invalid`).
        """
        features = self.bundle.features
        if unknown := sorted(profile.keys() - features.columns.keys()):
            raise EdgeError(
                f"{unknown} are no columns of a profile; there are {', '.join(features.columns) or 'none'}",
                code="request_invalid",
            )
        features.inputs([], profile, 0)
        self.store.put_profile(self._person(user_id), profile)

    def erase(self, user_id: str | int | None = None) -> int:
        """Forget what a person (by default the device's owner) did and said; how many events are gone."""
        user = self._person(user_id)
        self._loaded.forget(user)
        return self.store.erase(user)

    def recommend(
        self,
        user_id: str | int | None = None,
        num_recommendations: int = 10,
        *,
        scenario: str = "home",
        context: Mapping[str, Any] | None = None,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - the name that the server's call has
        exclude_items: Sequence[str | int] | None = None,
        exclude_seen: bool = False,
        explain: bool = False,
        diversity: bool = True,
        now: int | None = None,
    ) -> Answer:
        """Answer as `POST /recommendations` does.

        Args:
            user_id: whose list it is; None for the device's owner.
            num_recommendations: how many items are wanted, at most 1000.
            scenario: `home`, or `discover` for items that the person did not have before.
            context: `basket` and `item_id` are items of the moment, which are left out.
            filter: conditions on catalogue fields by operator, that all must hold.
            exclude_items: ids of items to leave out.
            exclude_seen: leave out what the person had before.
            explain: add scores, counts and times.
            diversity: apply the caps of the bundle.
            now: UTC seconds; None for the present.

        Raises:
            EdgeError: what is asked cannot be answered; codes `request_invalid`, `filter_invalid`, `scenario_unknown`.
        """
        loaded, clock = self._loaded, Stopwatch()
        asked = self.store.visitor if user_id is None else user_id
        request = Request.checked(
            asked,
            num_recommendations,
            scenario,
            context,
            filter,
            exclude_items,
            exclude_seen,
            explain,
            diversity,
        )
        now = self.store.clock() // 1000 if now is None else now
        history, profile = loaded.history(request.user_id, self.store).at(now), self.store.profile(request.user_id)
        clock.lap("user")
        allowed = allowed_rows(request, loaded.bundle.catalogue, history)
        clock.lap("eligibility")
        known = any(value is not None for value in profile.values())
        notes = ([loaded.note] if loaded.note else []) + circumstances(history, known=known)
        inputs = loaded.bundle.features.inputs(history, profile, now, request.user_id)
        clock.lap("features")
        bonus = own_bonus(loaded.bundle.features, history, now, len(allowed))
        asked_for = Asked(history, now, allowed, bonus, request.number, request.exclude_seen)
        found = search(loaded.bundle, inputs, asked_for, request.scenario, notes)
        clock.lap("model")
        choices = chosen(loaded.bundle.catalogue, request, found.items, found.scores, allowed, notes)
        listed = [
            {
                "item_id": loaded.bundle.catalogue.ids[choice.row],
                "score": choice.score,
                **loaded.bundle.catalogue.describe(choice.row),
                "reason": reason_for(choice, history, now, loaded.bundle.features.events, profile=known),
            }
            for choice in choices
        ]
        clock.lap("list")
        answer = {
            "user_id": asked,
            "recommendations": listed,
            "num_recommendations": len(listed),
            **self._provenance(loaded.bundle, notes),
            "next_cursor": None,
        }
        if not request.explain:
            return answer
        return explained(answer, [choice.row for choice in choices], found, int((~allowed).sum()), clock)

    def rank(
        self, item_ids: Sequence[str | int], user_id: str | int | None = None, *, now: int | None = None
    ) -> Answer:
        """Score and sort items as `POST /rank` does; those that are not in the catalogue come last, with score None.

        Raises:
            EdgeError: there are no ids, or more than 1000, or one is none (code `request_invalid`).
        """
        loaded = self._loaded
        asked = self.store.visitor if user_id is None else user_id
        request = Request.checked(asked, max(len(item_ids), 1), "home", None, None, item_ids, False, False, False)
        now = self.store.clock() // 1000 if now is None else now
        history, profile = loaded.history(request.user_id, self.store).at(now), self.store.profile(request.user_id)
        catalogue = loaded.bundle.catalogue
        came = dict(zip(request.exclude_items, item_ids, strict=True))
        allowed = np.zeros(len(catalogue), np.bool_)
        allowed[rows_of(came, catalogue)] = True
        notes = circumstances(history, known=any(value is not None for value in profile.values()))
        inputs = loaded.bundle.features.inputs(history, profile, now, request.user_id)
        bonus = own_bonus(loaded.bundle.features, history, now, len(allowed))
        asked_for = Asked(history, now, allowed, bonus, int(allowed.sum()), False, searched=False)
        found = search(loaded.bundle, inputs, asked_for, request.scenario, notes)
        items: list[dict[str, Any]] = [
            {"item_id": came[catalogue.ids[row]], "score": score, **catalogue.describe(row)}
            for row, score in zip(found.items.tolist(), found.scores.tolist(), strict=True)
        ]
        ranked = {str(item["item_id"]) for item in items}
        unknown = [own for text, own in came.items() if text not in ranked]
        if unknown:
            notes.append(f"unknown_items: {len(unknown)} of the items are not in the catalogue")
        items += [{"item_id": own, "score": None, "name": None} for own in unknown]
        return {"user_id": asked, "items": items, **self._provenance(loaded.bundle, notes)}

    def _person(self, user_id: str | int | None) -> str:
        return self.store.visitor if user_id is None else user_name(user_id)

    @staticmethod
    def _provenance(bundle: EdgeBundle, notes: list[str]) -> Answer:
        return {
            "recommendation_id": uuid.uuid4().hex,
            "bundle": bundle.manifest.bundle,
            "edge_bundle": bundle.id,
            "variant": VARIANT,
            "fallback": "; ".join(notes) or None,
        }
