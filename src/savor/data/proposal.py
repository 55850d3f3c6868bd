"""What `savor init` believes about tables, and why."""

from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from savor.data.options import IngestOptions
from savor.data.schema import Schema
from savor.data.splits import SplitOptions

SECTIONS = """
[retrieval]
# Sized for a few processor cores; wider towers and more passes are better where there is time.
hidden = [256]
batch_size = 2048
epochs = 3
"""


@dataclass(frozen=True)
class Guess:
    """One column's proposed role; `role` is "" for columns that are not used."""

    table: str
    column: str
    role: str
    reason: str


@dataclass(frozen=True)
class Proposal:
    """A configuration that should run as it is.

    Attributes:
        schema: the proposed roles.
        ingest, split: options that differ from the defaults only with a reason in `notes`.
        guesses: every column with its role and the reason.
        notes: what a person should check.
        historical: the newest event is so old that "now" must be the end of the data.
        sections: TOML of the sections on features and models, written as it is.
    """

    schema: Schema
    ingest: IngestOptions = field(default_factory=IngestOptions)
    split: SplitOptions = field(default_factory=SplitOptions)
    guesses: tuple[Guess, ...] = ()
    notes: tuple[str, ...] = ()
    historical: bool = False
    sections: str = SECTIONS

    def render(self) -> RenderableType:
        """The guesses as a rich table, and the notes."""
        table = Table(title="What the columns seem to be", title_justify="left")
        for heading in ("table", "column", "role", "because"):
            table.add_column(heading)
        for guess in self.guesses:
            table.add_row(
                guess.table,
                Text(guess.column),
                guess.role or Text("not used", "dim"),
                Text(guess.reason, "" if guess.role else "dim"),
            )
        shown = [table] if self.guesses else []
        return Group(*shown, *(Text(f"! {note}", "yellow") for note in self.notes))
