"""The files of a `Dataset`, from numbered tables."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import ibis

from savor.core.errors import DataError
from savor.core.files import write_json_atomic
from savor.data.columns import MICROSECONDS
from savor.data.dataset import FORMAT_VERSION
from savor.data.engine import Engine
from savor.data.events import Events
from savor.data.fingerprint import column_digests, fingerprint
from savor.data.options import IngestOptions
from savor.data.schema import Schema
from savor.data.sources.address import without_password
from savor.data.split_columns import leave_one_out_split, random_split, split_hash, temporal_split
from savor.data.splits import NAMES, TEST, VALIDATION, SplitOptions, temporal_cuts

_ORDER = ("moment", "place", "row")


def write_dataset(
    engine: Engine,
    directory: Path,
    events: Any,
    items: Any,
    users: Any,
    kinds: tuple[str, ...],
    schema: Schema,
    split: SplitOptions,
    options: IngestOptions,
    texts: Any = None,
) -> dict[str, Any]:
    """Write the three tables and `manifest.json` to `directory`.

    Args:
        engine: what works on the tables.
        directory: an empty folder.
        events: numbered events, as `number_events` returns.
        items: Ibis table with `number`, `id` and the declared columns.
        users: the same for users.
        kinds: names of the kinds in the order of their numbers.
        schema: the declared roles.
        split: how events are parted.
        options: for the time zone.
        texts: searches and reviews, as `number_texts` returns, for `texts.parquet`; None for no such file.

    Returns:
        What is in the manifest.

    Raises:
        DataError: the split leaves nothing for training.
    """
    ends = engine.first(events.agg(start=events.moment.min(), end=events.moment.max()))
    span = ends["start"] // MICROSECONDS, ends["end"] // MICROSECONDS
    _write_events(engine, directory / "events.parquet", events, split, span)
    for name, table in (("items", items), ("users", users)):
        engine.ibis.to_parquet(table.order_by("number").drop("number"), directory / f"{name}.parquet")
    names = ["events", "items", "users"]
    if texts is not None:
        ordered = texts.order_by([ibis.asc("time"), ibis.asc("order")]).drop("order")
        engine.ibis.to_parquet(ordered, directory / "texts.parquet")
        names.append("texts")
    digests = {name: column_digests(directory / f"{name}.parquet") for name in names}
    written = engine.ibis.read_parquet(directory / "events.parquet")
    counts = count_by(engine, written, "split", tuple(NAMES))
    if not counts["train"]:
        raise DataError(
            f"the split {split.method!r} leaves no event for training (of {sum(counts.values()):,}); "
            "choose another `method` or smaller shares in [split]"
        )
    cuts = _cuts(engine, written, split, span)
    kept = schema.without_personal()
    manifest = {
        "format_version": FORMAT_VERSION,
        "schema": _shown(kept),
        "kinds": list(kinds),
        "fingerprint": fingerprint(kept, kinds, digests),
        "split": {
            "method": split.method,
            "validation_start": cuts[0],
            "test_start": cuts[1],
            "counts": counts,
            "hash": split_hash(directory / "events.parquet", [digests["users"]["id"], digests["items"]["id"]]),
        },
        "timezone": options.timezone,
        "data_start": span[0],
        "data_end": span[1],
    }
    write_json_atomic(directory / "manifest.json", manifest)
    return manifest


def count_by(engine: Engine, rows: Any, column: str, names: tuple[str, ...]) -> dict[str, int]:
    """Rows by `column`, whose values are positions in `names`."""
    counted = engine.records(rows.group_by(column).agg(rows=rows.count()))
    by_number = {row[column]: row["rows"] for row in counted}
    return {name: by_number.get(number, 0) for number, name in enumerate(names)}


def _write_events(engine: Engine, path: Path, events: Any, options: SplitOptions, span: tuple[int, int]) -> None:
    time = (events.moment // MICROSECONDS).cast("int64")
    if options.method == "temporal":
        split = temporal_split(time, temporal_cuts(*span, options))
    elif options.method == "leave_one_out":
        split = leave_one_out_split(events.user, [events[name] for name in _ORDER])
    elif options.method == "random":
        split = random_split(events.row, options)
    else:
        split = events.split
    final = events.mutate(
        time=time,
        value=events.value.cast("float32"),
        price=events.price.fill_null(float("nan")).cast("float32"),
        split=split,
    )
    ordered = final.order_by([ibis.asc(name, nulls_first=False) for name in _ORDER])
    engine.ibis.to_parquet(ordered.select(*Events.__dataclass_fields__), path)


def _cuts(engine: Engine, written: Any, options: SplitOptions, span: tuple[int, int]) -> tuple[int | None, int | None]:
    """Moments of the split: as chosen, or as a given column has them if it never goes back in time.

    Events of the very second of a given column's cut may stand on both sides of it.
    """
    if options.method == "temporal":
        return temporal_cuts(*span, options)
    if options.method in ("leave_one_out", "random"):
        return None, None
    rows = engine.records(
        written.group_by("split").agg(start=written.time.min(), end=written.time.max()).order_by("split")
    )
    follows = all(before["end"] <= after["start"] for before, after in pairwise(rows))
    starts = {row["split"]: row["start"] for row in rows}
    return (starts.get(VALIDATION), starts.get(TEST)) if follows else (None, None)


def _shown(schema: Schema) -> dict[str, Any]:
    """The schema as JSON without passwords."""
    stored: dict[str, Any] = schema.model_dump(mode="json")
    for table in (stored["events"], stored["items"], stored["users"]):
        if table is not None:
            table["source"] = without_password(table["source"])
    return stored
