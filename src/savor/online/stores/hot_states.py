"""What users did in the last minutes and hours, near to hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from savor.online.event_batch import EventBatch


@dataclass(frozen=True)
class Recent:
    """A user's recent events.

    Attributes:
        events: oldest first, each once.
        problem: why some may be missing that other servers know of; empty where all is well.
    """

    events: EventBatch
    problem: str = ""


class HotStates(Protocol):
    """The last events of each user, for as long as they matter. Safe to use from several threads.

    No method fails because a server is away: what this process knows stays usable, and answers say so.
    """

    def add(self, batch: EventBatch, *, shared: bool = False) -> None:
        """Take in events; repeated ones, by their ids, change nothing, and late ones find their place by time.

        With `shared`, other servers know of them already and are not told.
        """

    def recent(self, user_id: str) -> Recent:
        """The last events of the user; nothing for somebody who did nothing lately."""

    def users(self) -> list[str]:
        """The ids of those whom this process knows of, who did something for longest first."""

    def merge(self, visitor_id: str, user_id: str) -> None:
        """Count what the visitor did and will do for the user; doing it again changes nothing."""

    def forget(self, user_ids: Sequence[str]) -> bool:
        """Drop everything of these users, and which visitors they were.

        False where a server that knows of them is away: it is told when it is back, as long as this process lives.
        """

    def when_dropped(self, tell: Callable[[str], None]) -> None:
        """Call `tell` with the id of each user whose events this process lets go for want of room or for their age."""

    def problem(self) -> str:
        """Why what other servers know is out of reach; empty where it is not."""
