"""Events of people who agree, brought to the server when the network is there."""

import json
from typing import NamedTuple

from savor_edge.errors import EdgeError
from savor_edge.http import Server
from savor_edge.person_store import Pending, PersonStore

BATCH = 200
MOST_BATCH = 1000
_NEVER = (400, 413, 422)
"""With these the server says that it will not take a batch as it is, today or later."""


class Sent(NamedTuple):
    """What became of the events that waited.

    Attributes:
        sent: that the server has now.
        refused: that it will never take.
        left: that still wait.
        problem: why some still wait; None where none do.
    """

    sent: int
    refused: int
    left: int
    problem: str | None = None


class EventUpload:
    """Sends what `PersonStore.pending` gives to `POST /events`, oldest first.

    An event has its `event_id`, so a batch that is sent twice counts once.

    Args:
        store: of the device.
        url: of the server.
        key: an API key with scope `device` or `write`; None where the server asks for none.
        batch: events in one call.
        timeout: seconds to wait for an answer.
    """

    def __init__(
        self, store: PersonStore, url: str, *, key: str | None = None, batch: int = BATCH, timeout: float = 20
    ) -> None:
        if not 1 <= batch <= MOST_BATCH:
            raise EdgeError(f"a batch has 1 to {MOST_BATCH} events, not {batch}", code="request_invalid")
        self._store, self._batch = store, batch
        self._server = Server(url, key=key, timeout=timeout)

    def send(self) -> Sent:
        """Send what waits; nothing without consent. What cannot be sent now stays for the next call."""
        sent = refused = 0
        try:
            while waiting := self._store.pending(self._batch):
                taken, not_taken = self._post(waiting)
                sent, refused = sent + taken, refused + not_taken
        except EdgeError as error:
            return Sent(sent, refused, self._store.number_pending, str(error))
        return Sent(sent, refused, 0)

    def _post(self, batch: list[Pending]) -> tuple[int, int]:
        """Send one batch, in halves where the server does not take it: so one bad event keeps no other back.

        Returns:
            How many the server took, and how many it will never take.
        """
        if not self._store.consent:
            raise EdgeError("the person does not agree any more", code="consent_withdrawn")
        body = json.dumps([event for _, event in batch], ensure_ascii=False).encode("utf-8")
        numbers = [number for number, _ in batch]
        with self._server.ask("/events", body=body) as answer:
            if 200 <= answer.status < 300:
                self._store.sent(numbers)
                return len(batch), 0
            if answer.status not in _NEVER:
                raise answer.problem()
        if len(batch) == 1:
            self._store.refused(numbers)
            return 0, 1
        middle = len(batch) // 2
        first, second = self._post(batch[:middle]), self._post(batch[middle:])
        return first[0] + second[0], first[1] + second[1]
