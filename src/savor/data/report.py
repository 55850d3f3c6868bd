"""What ingest did, for people and for programs."""

from datetime import UTC, datetime
from typing import Any

from pydantic import Field
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from savor.core.config import Section


class TableReport(Section):
    """What became of one table's rows; `read` is the sum of all the others."""

    source: str
    read: int
    malformed: int = Field(0, description="Lines that were no rows at all; part of `quarantined`.")
    quarantined: dict[str, int] = Field(default_factory=dict, description="Bad rows by reason.")
    left_out: dict[str, int] = Field(default_factory=dict, description="Rows left out by a declared rule, by rule.")
    duplicates: int = 0
    kept: int

    @property
    def bad(self) -> int:
        """Rows in quarantine."""
        return sum(self.quarantined.values())

    @property
    def bad_share(self) -> float:
        """Share of the rows read that is in quarantine."""
        return self.bad / self.read if self.read else 0.0


class IngestReport(Section):
    """The outcome of one ingest; stored as `report.json` in the data set."""

    events: TableReport
    items: TableReport | None = None
    users: TableReport | None = None
    number_of_items: int
    number_of_users: int
    items_without_attributes: int = Field(0, description="Items that only events know.")
    users_without_attributes: int = Field(0, description="Users that only events know.")
    items_without_events: int = 0
    users_without_events: int = 0
    kinds: dict[str, int] = Field(default_factory=dict, description="Events by kind.")
    data_start: int = Field(description="UTC seconds of the first event.")
    data_end: int = Field(description="UTC seconds of the last event.")
    split: dict[str, Any]
    fingerprint: str
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0

    def render(self) -> RenderableType:
        """The report as a rich table with its warnings."""
        table = Table(title="Ingest", title_justify="left")
        table.add_column("table")
        for heading in ("read", "left out", "quarantined", "duplicates", "kept"):
            table.add_column(heading, justify="right")
        for name, part in (("events", self.events), ("items", self.items), ("users", self.users)):
            if part is not None:
                numbers = (part.read, sum(part.left_out.values()), part.bad, part.duplicates, part.kept)
                table.add_row(name, *(f"{number:,}" for number in numbers))
        start, end = (datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M") for moment in self.span)
        lines = [
            f"{self.number_of_users:,} users · {self.number_of_items:,} items · {start} to {end} UTC",
            "split: " + self.split["method"] + ", " + ", ".join(f"{n} {c:,}" for n, c in self.split["counts"].items()),
        ]
        for name, part in (("events", self.events), ("items", self.items), ("users", self.users)):
            if part is not None:
                lines += [f"{name}, left out: {rule}: {count:,}" for rule, count in part.left_out.items()]
                lines += [f"{name}, quarantined: {reason}: {count:,}" for reason, count in part.quarantined.items()]
        body = [Text(line) for line in lines]
        notes = [Text(f"! {warning}", style="yellow") for warning in self.warnings]
        return Group(table, *body, *notes, Text(f"fingerprint {self.fingerprint[:16]} · {self.seconds:.1f} s", "dim"))

    @property
    def span(self) -> tuple[int, int]:
        """UTC seconds of the first and the last event."""
        return self.data_start, self.data_end
