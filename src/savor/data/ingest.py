"""Raw tables to a `Dataset` folder, all or nothing."""

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from time import monotonic
from typing import Any

import ibis

from savor.core.clock import Clock, wall_clock
from savor.core.errors import DataError
from savor.core.files import directory_atomic, write_json_atomic
from savor.data.attributes_table import ID, REASON, last_per_id, most_frequent_per_id, number_ids, type_attributes
from savor.data.dataset_writer import count_by, write_dataset
from savor.data.engine import ROW, Engine, open_engine
from savor.data.erased import LEFT_OUT_ERASED, Erased, erased_users, without_events
from savor.data.event_numbers import number_events, without_duplicates
from savor.data.event_texts import number_texts
from savor.data.events_table import TypedEvents, type_events
from savor.data.exclusive import exclusive
from savor.data.ingest_warnings import find_warnings
from savor.data.options import IngestOptions
from savor.data.personal import pseudonym_key, pseudonyms
from savor.data.quarantine import bad_lines, bad_rows, write_quarantine
from savor.data.report import IngestReport, TableReport
from savor.data.schema import ItemTable, Schema, UserTable
from savor.data.sources.open_source import open_source
from savor.data.sources.raw_table import RawTable
from savor.data.splits import SplitOptions


def ingest(
    schema: Schema,
    options: IngestOptions,
    split: SplitOptions,
    base: Path,
    out: Path,
    *,
    clock: Clock = wall_clock,
    erased: Erased | None = None,
) -> IngestReport:
    """Read the declared tables and write them as a data set (see `Dataset`).

    Beside the tables stand `quarantine.parquet` (see `quarantine.SCHEMA`) and `report.json` (see `IngestReport`).

    Args:
        schema: what the tables mean.
        options: time zone, duplicates, the share of bad rows to put up with, memory.
        split: how events are parted into train, validation and test.
        base: the folder that relative sources count from.
        out: the folder to write; an old data set there is replaced only when the new one is whole.
        clock: what counts as now, so that moments in the future are found.
        erased: who was erased and when, by the ids that stand in the tables: their profiles are left out, and their
            events up to that moment. None: nobody.

    Raises:
        DataError: a table or column is missing, nothing is left, too many rows are bad, or
            another ingest is writing `out`; `out` is as it was.
    """
    started = monotonic()
    with exclusive(out), open_engine(options, near=out.parent) as engine, directory_atomic(out) as directory:
        run = _Run(engine, schema, options, split, base, out, directory, clock(), erased)
        report = run.report_after_all_steps().model_copy(update={"seconds": round(monotonic() - started, 2)})
        write_json_atomic(directory / "report.json", report.model_dump(mode="json"))
    return report


@dataclass(frozen=True)
class _Attributes:
    """A typed item or user table: good rows (several may share an id), where from, and its counts."""

    raw: RawTable
    typed: Any
    report: TableReport
    derived: bool


@dataclass(frozen=True)
class _Run:
    engine: Engine
    schema: Schema
    options: IngestOptions
    split: SplitOptions
    base: Path
    out: Path
    directory: Path
    now: int
    erased: Erased | None = None

    def report_after_all_steps(self) -> IngestReport:
        raw = open_source(self.engine, self.schema.events.source, self.schema.events.query, self.base)
        typed = self._typed_events(raw)
        items = self._typed_attributes("items", self.schema.items, raw)
        users = self._typed_attributes("users", self.schema.users, raw)
        typed, users = self._without_erased(typed, users)
        self._check_personal([raw, *(table.raw for table in (items, users) if table is not None)])
        replaced = self._pseudonyms(typed, users) if self.schema.pseudonymous else None
        if replaced is not None:
            typed = TypedEvents(_replace(typed.rows, "user", replaced), typed.keys)
            if users is not None:
                users = _Attributes(users.raw, _replace(users.typed, ID, replaced), users.report, users.derived)
        events_report = self._events_report(raw, typed)
        self._write_quarantine(raw, typed, items, users, events_report)

        good = typed.rows.filter(typed.rows.reason.isnull() & typed.rows.rule.isnull()).drop("reason", "rule")
        item_numbers = self._number("items", items, good.select(id=good.item).distinct())
        user_numbers = self._number("users", users, good.select(id=good.user).distinct())
        kept, kinds = number_events(self.engine, good, item_numbers, user_numbers, self.schema.events)
        duplicates = 0
        if self.options.remove_duplicates:
            kept, duplicates = without_duplicates(self.engine, kept, typed.keys)
        declared = self.schema.without_personal().events
        texts = None
        if written := [role for role in ("search", "review") if getattr(declared, role)]:
            there = typed.rows.filter(typed.rows.rule.isnull() | (typed.rows.rule != LEFT_OUT_ERASED))
            texts = number_texts(self.engine, there, item_numbers, user_numbers, written)
        manifest = write_dataset(
            self.engine,
            self.directory,
            kept,
            item_numbers,
            user_numbers,
            kinds,
            self.schema,
            self.split,
            self.options,
            texts,
        )
        return IngestReport(
            events=events_report.model_copy(update={"duplicates": duplicates, "kept": events_report.kept - duplicates}),
            items=items.report if items and not items.derived else None,
            users=users.report if users and not users.derived else None,
            **self._coverage(kept, items, users, item_numbers, user_numbers),
            kinds=count_by(self.engine, kept, "kind", kinds),
            data_start=manifest["data_start"],
            data_end=manifest["data_end"],
            split=manifest["split"],
            fingerprint=manifest["fingerprint"],
            warnings=find_warnings(self.directory, manifest["split"]["counts"], duplicates / events_report.read),
        )

    def _without_erased(self, typed: TypedEvents, users: _Attributes | None) -> tuple[TypedEvents, _Attributes | None]:
        if self.erased is None:
            return typed, users
        ids = typed.rows.select(id=typed.rows.user)
        if users is not None:
            ids = ids.union(users.typed.select(id=users.typed[ID]))
        gone = erased_users(self.engine, ids, self.erased)
        rows = self.engine.keep("events", without_events(typed.rows, gone))
        if users is not None:
            left = users.typed.anti_join(gone, users.typed[ID] == gone.original)
            users = _Attributes(users.raw, left, users.report, users.derived)
        return TypedEvents(rows, typed.keys), users

    def _check_personal(self, tables: list[RawTable]) -> None:
        """Every column called personal is in a table: a misspelt one would be kept as it is.

        Raises:
            DataError: naming those that are not.
        """
        there = {column for table in tables for column in table.columns}
        if absent := [name for name in self.schema.personal if name not in there]:
            hints = {name: get_close_matches(name, there, n=1) for name in absent}
            named = [f"{name!r} (did you mean {near[0]!r}?)" if near else repr(name) for name, near in hints.items()]
            listed = ", ".join(named)
            raise DataError(
                f"personal names columns that no table has: {listed}. Nothing was written, as what is personal would "
                "have been kept",
                code="column_missing",
            )

    def _typed_events(self, raw: RawTable) -> TypedEvents:
        typed = type_events(self.engine, raw, self.schema.events, self.options, self.split.method, self.now)
        return TypedEvents(self.engine.keep("events", typed.rows), typed.keys)

    def _typed_attributes(self, name: str, table: ItemTable | UserTable | None, events: RawTable) -> _Attributes | None:
        if table is None:
            return None
        kept = self.schema.without_personal()
        declared = kept.items if name == "items" else kept.users
        assert declared is not None
        derived = (table.source, table.query) == (self.schema.events.source, self.schema.events.query)
        raw = events if derived else open_source(self.engine, table.source, table.query, self.base)
        typed = type_attributes(raw, declared)
        if derived:
            typed = most_frequent_per_id(self.engine, typed.filter(typed[ID].notnull()))
            number = self.engine.count(typed)
            return _Attributes(raw, typed, TableReport(source=raw.description, read=number, kept=number), derived)
        typed = self.engine.keep(name, typed)
        malformed = 0 if raw.rejected is None else self.engine.count(raw.rejected)
        counts = self.engine.first(typed.agg(rows=typed.count(), good=typed[ID].count(), ids=typed[ID].nunique()))
        reasons = _reasons(self.engine, raw)
        if missing := counts["rows"] - counts["good"]:
            reasons["missing id"] = missing
        report = TableReport(
            source=raw.description,
            read=counts["rows"] + malformed,
            malformed=malformed,
            quarantined=reasons,
            duplicates=counts["good"] - counts["ids"],
            kept=counts["ids"],
        )
        if report.read == 0:
            raise DataError(f"{raw.description}: the table of {name} has no rows")
        return _Attributes(raw, typed, report, derived)

    def _pseudonyms(self, typed: TypedEvents, users: _Attributes | None) -> Any:
        ids = typed.rows.select(id=typed.rows.user)
        if users is not None:
            ids = ids.union(users.typed.select(id=users.typed[ID]))
        return pseudonyms(self.engine, ids, pseudonym_key())

    def _events_report(self, raw: RawTable, typed: TypedEvents) -> TableReport:
        rows = typed.rows
        verdicts = self.engine.records(rows.group_by(["reason", "rule"]).agg(rows=rows.count()).order_by("rows"))
        reasons = _reasons(self.engine, raw)
        malformed = sum(reasons.values())
        left_out: dict[str, int] = {}
        kept = 0
        for verdict in reversed(verdicts):
            if verdict["rule"] is not None:
                left_out[verdict["rule"]] = verdict["rows"]
            elif verdict["reason"] is not None:
                reasons[verdict["reason"]] = verdict["rows"]
            else:
                kept = verdict["rows"]
        read = sum(left_out.values()) + sum(reasons.values()) + kept
        if read == 0:
            raise DataError(f"{raw.description}: the table of events has no rows")
        return TableReport(
            source=raw.description, read=read, malformed=malformed, quarantined=reasons, left_out=left_out, kept=kept
        )

    def _write_quarantine(
        self,
        raw: RawTable,
        typed: TypedEvents,
        items: _Attributes | None,
        users: _Attributes | None,
        events_report: TableReport,
    ) -> None:
        """Keep every bad row; fail if there are too many of them in a table."""
        personal = bool(self.schema.personal)
        dropped = set(self.schema.personal)
        rows = typed.rows
        bad = rows.filter(rows.reason.notnull()).select("row", "reason", identity=rows.user)
        replaced = self.schema.events.user if self.schema.pseudonymous else None
        parts = [
            bad_rows(self.engine, "events", raw, bad, dropped, replaced),
            bad_lines("events", raw, personal=personal),
        ]
        reports = {"events": events_report}
        for name, table in (("items", items), ("users", users)):
            if table is None or table.derived:
                continue
            bad = table.typed.filter(table.typed[REASON].notnull())
            bad = bad.select(row=bad[ROW], reason=bad[REASON])
            parts += [
                bad_rows(self.engine, name, table.raw, bad, dropped, None),
                bad_lines(name, table.raw, personal=personal),
            ]
            reports[name] = table.report
        there = [part for part in parts if part is not None]
        for name, report in reports.items():
            if report.bad_share > self.options.max_quarantine_share:
                path = self.out.with_name(f"{self.out.name}-quarantine.parquet")
                write_quarantine(self.engine, there, path)
                raise DataError(
                    _too_many(name, report, self.options.max_quarantine_share, path), code="too_many_bad_rows"
                )
        if events_report.kept == 0:
            raise DataError(
                f"{raw.description}: no event is left of {events_report.read:,} rows: "
                + _listed({**events_report.left_out, **events_report.quarantined})
            )
        write_quarantine(self.engine, there, self.directory / "quarantine.parquet")

    def _number(self, name: str, table: _Attributes | None, seen: Any) -> Any:
        if table is None:
            return number_ids(self.engine, name, None, seen)
        good = table.typed.filter(table.typed[ID].notnull())
        given = good.semi_join(seen, good[ID] == seen.id) if table.derived else last_per_id(good)
        return number_ids(self.engine, name, given, seen)

    def _coverage(
        self, kept: Any, items: _Attributes | None, users: _Attributes | None, item_numbers: Any, user_numbers: Any
    ) -> dict[str, int]:
        result = {}
        for name, table, numbers, column in (
            ("items", items, item_numbers, kept.item),
            ("users", users, user_numbers, kept.user),
        ):
            total = self.engine.count(numbers)
            active = int(self.engine.first(kept.agg(number=column.nunique()))["number"])
            listed = table.report.kept if table is not None and not table.derived else total
            result[f"number_of_{name}"] = total
            result[f"{name}_without_attributes"] = total - listed
            result[f"{name}_without_events"] = total - active
        return result


def _replace(rows: Any, column: str, replaced: Any) -> Any:
    """`rows` with the pseudonyms of the values in `column`."""
    joined = rows.left_join(replaced, rows[column] == replaced.original)
    return joined.mutate(**{column: joined.pseudonym}).drop("original", "pseudonym")


def _reasons(engine: Engine, raw: RawTable) -> dict[str, int]:
    if raw.rejected is None:
        return {}
    counted = raw.rejected.group_by("reason").agg(rows=raw.rejected.count()).order_by(ibis.desc("rows"))
    return {row["reason"]: row["rows"] for row in engine.records(counted)}


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{reason}: {number:,}" for reason, number in counts.items())


def _too_many(name: str, report: TableReport, most: float, path: Path) -> str:
    return (
        f"{report.source}: {report.bad:,} of {report.read:,} rows of the {name} ({report.bad_share:.1%}) are bad, more "
        f"than the {most:.1%} allowed by `max_quarantine_share` in [ingest]: {_listed(report.quarantined)}. "
        f"The rows are in {path}; the data set was not touched"
    )
