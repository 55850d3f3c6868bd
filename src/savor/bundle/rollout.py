"""Which releases a channel gives to which share of the devices."""

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from savor.core.config import Section
from savor.core.errors import BundleError
from savor.core.files import write_json_atomic

RELEASE_ID = r"^[0-9a-f]{16}$"
CHANNEL_NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,63}$"
_POSITIONS = 1 << 64


class Move(Section):
    """One change of a channel.

    Attributes:
        release: id of the release.
        action: `release` puts it before all others, `rollout` changes its share in its place, `withdraw` takes it off.
        share: of the devices that it goes to, from then on.
        at: UTC seconds since the epoch.
    """

    release: str = Field(pattern=RELEASE_ID)
    action: Literal["release", "rollout", "withdraw"]
    share: float = Field(ge=0, le=1)
    at: int


class Rollout(Section):
    """A release on a channel.

    Attributes:
        release: its id.
        share: of the devices that get it, unless they get a newer one.
        since: UTC seconds since the epoch when it came to the channel.
        changed: the same, when its share was set last.
    """

    release: str
    share: float
    since: int
    changed: int

    def holds(self, device: str) -> bool:
        """Whether `device` is among those that get it; one that does, does at every larger share too."""
        return self.share >= 1.0 or position(self.release, device) < self.share


def position(release: str, device: str) -> float:
    """Where a device stands in the queue for a release, in [0, 1); another place for each release."""
    digest = hashlib.sha256(f"{release}:{device}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / _POSITIONS


class ReleaseChannel(Section):
    """A pointer file: what was done to a channel, oldest first."""

    history: tuple[Move, ...] = ()

    @classmethod
    def read(cls, path: Path) -> "ReleaseChannel":
        """Read a pointer file; an absent one is a channel that gives out nothing.

        Raises:
            BundleError: the file is damaged (code `channel_damaged`).
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return cls()
        except ValidationError as error:
            raise BundleError(
                f"the channel file {path} is damaged ({error.error_count()} problems). "
                "Remove it, then release again with: savor device release",
                code="channel_damaged",
            ) from None

    def write(self, path: Path) -> None:
        """Replace the pointer file in one step."""
        write_json_atomic(path, self.model_dump(mode="json"))

    @property
    def rollouts(self) -> tuple[Rollout, ...]:
        """What is on the channel, newest first."""
        listed: dict[str, Rollout] = {}
        for move in self.history:
            before = listed.pop(move.release, None) if move.action != "rollout" else listed.get(move.release)
            if move.action == "withdraw":
                continue
            since = move.at if before is None else before.since
            listed[move.release] = Rollout(release=move.release, share=move.share, since=since, changed=move.at)
        return tuple(reversed(listed.values()))

    def release_for(self, device: str | None) -> str | None:
        """The newest release that goes to `device`; without a name, the newest that goes to all; None where none."""
        for rollout in self.rollouts:
            if rollout.share >= 1.0 or (device is not None and rollout.holds(device)):
                return rollout.release
        return None

    def moved(
        self, release: str, action: Literal["release", "rollout", "withdraw"], share: float, at: int
    ) -> "ReleaseChannel":
        """The same channel after one more change."""
        return ReleaseChannel(history=(*self.history, Move(release=release, action=action, share=share, at=at)))
