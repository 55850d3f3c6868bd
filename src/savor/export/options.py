"""What an edge bundle shall be like."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from savor.export.parity import Bounds

DEFAULT_VARIANT = "int8_rescored"
PERCENT = 100
RankerChoice = Literal["auto", "always", "never"]


@dataclass(frozen=True)
class ExportOptions:
    """How to export.

    Attributes:
        name: of the project.
        variant: name of the one to make; None: `DEFAULT_VARIANT`, or the one that fits `maximum_size` and
            `bounds.loss` where `choose` is set.
        choose: make every variant and take the smallest that fits.
        maximum_size: bytes of the whole bundle; None for any.
        bounds: within which the device answers as the server does.
        k: length of an answer, or the number of items where there are fewer.
        items, where, listed: which part of the catalogue; see `choose_rows`.
        user_ids: whether the device knows the server's users by their ids.
        item_tower: whether to bring the item tower, for items that come later.
        ranker: whether to bring a neural ranker: `auto` where it makes lists better, `always`, or `never`.
        users: how many people the answers are compared for.
        pipeline_users: of these, how many the whole pipeline of the server answers too; 0 for none.
        seed: of what is drawn.
    """

    name: str = "savor"
    variant: str | None = None
    choose: bool = False
    maximum_size: int | None = None
    bounds: Bounds = field(default_factory=Bounds)
    k: int = 100
    items: int | None = None
    where: dict[str, str] = field(default_factory=dict)
    listed: tuple[str, ...] | None = None
    user_ids: bool = False
    item_tower: bool = False
    ranker: RankerChoice = "auto"
    users: int = 2000
    pipeline_users: int = 300
    seed: int = 0

    def is_over(self, size: int) -> bool:
        """Whether so many bytes are more than the whole bundle may have."""
        return self.maximum_size is not None and size > self.maximum_size


def listed_ids(path: Path) -> tuple[str, ...]:
    """The ids in a text file, one a line; empty lines are skipped."""
    return tuple(line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
