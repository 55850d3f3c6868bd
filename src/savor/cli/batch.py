"""`savor batch`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from savor.cli.options import AsJson, Directory
from savor.cli.output import print_json
from savor.cli.recommend import Number
from savor.core.progress import console, progress

if TYPE_CHECKING:
    from savor.pipeline.build import Serving

_ROWS = 50_000


def batch(
    directory: Directory = Path(),
    out: Annotated[Path, typer.Option(help="The Parquet file to write.")] = Path("recommendations.parquet"),
    number: Number = 10,
    new: Annotated[bool, typer.Option("--new", help="Only items that the user never had.")] = False,
    as_json: AsJson = False,
) -> None:
    """Recommend to every user of the live bundle, into a Parquet file: user_id, rank, item_id, score, reason.

    What happened since the bundle was made counts; who was erased is left out.
    """
    from savor.api.serve import load_engine
    from savor.cli.live_overlay import live_overlay
    from savor.core.folders import ProjectFolder

    folder = ProjectFolder(directory)
    with live_overlay(folder) as over:
        users, total = _write(load_engine(folder.registry, over_states=over).serving, out, number, new=new)
    if as_json:
        print_json({"file": str(out), "users": users, "rows": total})
    else:
        console.print(f"✓ {total:,} rows for {users:,} users in {out}", highlight=False)


def _write(serving: "Serving", out: Path, number: int, *, new: bool) -> tuple[int, int]:
    """Write the lists of all users; how many users and rows there were."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from savor.pipeline.query import Query

    names = ("user_id", "rank", "item_id", "score", "reason")
    types = (pa.string(), pa.int32(), pa.string(), pa.float32(), pa.string())
    schema = pa.schema(list(zip(names, types, strict=True)))
    states, item_ids, now = serving.states, serving.catalogue.ids, serving.clock()
    users = [user for user in states.ids if user in states]
    beside = out.with_name(f".{out.name}.partial")
    total = 0
    try:
        with pq.ParquetWriter(beside, schema) as writer, progress("recommend to everyone", len(users)) as task:
            rows: list[tuple[str, int, str, float, str]] = []
            for user in users:
                result = serving.pipeline.run(Query(user, now, n=number, exclude_seen=new))
                rows += [
                    (user, place, item_ids[item], score, reason.text)
                    for place, (item, score, reason) in enumerate(
                        zip(result.items.tolist(), result.scores.tolist(), result.reasons, strict=True), start=1
                    )
                ]
                if len(rows) >= _ROWS:
                    writer.write_table(_table(rows, schema))
                    total, rows = total + len(rows), []
                task.advance()
            writer.write_table(_table(rows, schema))
            total += len(rows)
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(beside, out)
    finally:
        beside.unlink(missing_ok=True)
    return len(users), total


def _table(rows: list[tuple[str, int, str, float, str]], schema: Any) -> Any:
    import pyarrow as pa

    return pa.table([[row[column] for row in rows] for column in range(len(schema))], schema=schema)
