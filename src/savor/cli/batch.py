"""`savor batch`."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from savor.cli.options import AsJson, Directory
from savor.cli.output import print_json
from savor.cli.recommend import Number
from savor.core.progress import console, progress

_ROWS = 50_000


def batch(
    directory: Directory = Path(),
    out: Annotated[Path, typer.Option(help="The Parquet file to write.")] = Path("recommendations.parquet"),
    number: Number = 10,
    new: Annotated[bool, typer.Option("--new", help="Only items that the user never had.")] = False,
    as_json: AsJson = False,
) -> None:
    """Recommend to every user of the live bundle, into a Parquet file: user_id, rank, item_id, score, reason."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from savor.api.serve import load_engine
    from savor.core.folders import ProjectFolder
    from savor.pipeline.query import Query

    serving = load_engine(ProjectFolder(directory).registry).serving
    names = ("user_id", "rank", "item_id", "score", "reason")
    types = (pa.string(), pa.int32(), pa.string(), pa.float32(), pa.string())
    schema = pa.schema(list(zip(names, types, strict=True)))
    users, item_ids, now = serving.states.ids, serving.catalogue.ids, serving.clock()
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
    if as_json:
        print_json({"file": str(out), "users": len(users), "rows": total})
    else:
        console.print(f"✓ {total:,} rows for {len(users):,} users in {out}", highlight=False)


def _table(rows: list[tuple[str, int, str, float, str]], schema: Any) -> Any:
    import pyarrow as pa

    return pa.table([[row[column] for row in rows] for column in range(len(schema))], schema=schema)
