"""A named pointer to a bundle, and where it pointed before."""

from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from savor.core.config import Section
from savor.core.errors import BundleError
from savor.core.files import write_json_atomic


class Activation(Section):
    """One move of a channel.

    Attributes:
        bundle: id it points to from then on.
        previous: id that a rollback from here goes to; None where there is none.
        action: what moved it.
        at: UTC seconds since the epoch.
        note: what the gate said.
    """

    bundle: str
    previous: str | None
    action: Literal["publish", "activate", "rollback"]
    at: int
    note: str = ""


class Channel(Section):
    """A pointer file: the last activation is the current one."""

    history: tuple[Activation, ...] = ()

    @classmethod
    def read(cls, path: Path) -> "Channel":
        """Read a pointer file; an absent one is a channel that points nowhere.

        Raises:
            BundleError: the file is damaged.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return cls()
        except ValidationError as error:
            raise BundleError(
                f"the channel file {path} is damaged ({error.error_count()} problems). "
                "Remove it, then choose a bundle again with: savor publish"
            ) from None

    def write(self, path: Path) -> None:
        """Replace the pointer file in one step."""
        write_json_atomic(path, self.model_dump(mode="json"))

    @property
    def bundle(self) -> str | None:
        """The id it points to."""
        return self.history[-1].bundle if self.history else None

    @property
    def previous(self) -> str | None:
        """The id that a rollback goes to."""
        return self.history[-1].previous if self.history else None

    def moved(self, bundle: str, action: Literal["publish", "activate"], at: int, note: str = "") -> "Channel":
        """The same channel, pointing to `bundle`."""
        previous = self.previous if bundle == self.bundle else self.bundle
        step = Activation(bundle=bundle, previous=previous, action=action, at=at, note=note)
        return Channel(history=(*self.history, step))

    def rolled_back(self, at: int) -> "Channel":
        """The same channel, pointing to the bundle before; doing it again goes one further back.

        Raises:
            BundleError: there is no bundle before this one.
        """
        target = self.previous
        if target is None:
            raise BundleError("there is no earlier bundle to go back to. See: savor bundles", code="no_previous_bundle")
        earlier = next(step.previous for step in reversed(self.history) if step.bundle == target)
        step = Activation(bundle=target, previous=earlier, action="rollback", at=at)
        return Channel(history=(*self.history, step))
