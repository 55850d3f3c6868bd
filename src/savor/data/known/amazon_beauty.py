"""Amazon Beauty, 5-core: 198,502 purchases of 22,363 people in their order, as sequence models are compared on."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from savor.data.engine import Engine
from savor.data.known.interaction_lines import FIRST_DAY, interaction_lines
from savor.data.known.known_dataset import KnownDataset, find_file, need_file
from savor.data.known.publisher import Publication
from savor.data.proposal import Proposal
from savor.data.schema import EventTable, ItemTable, Schema
from savor.data.splits import SplitOptions


def _convert(engine: Engine, files: Path, raw: Path) -> Proposal:
    lines = interaction_lines(need_file(files, "Beauty.txt"))
    engine.copy(
        f"SELECT user, item, position, {FIRST_DAY} + position * 86400 AS time FROM ({lines})",  # noqa: S608
        raw / "purchases.parquet",
    )
    items = None
    described = find_file(files, "Beauty_item2attributes.json")
    if described is not None:
        attributes = json.loads(described.read_text(encoding="utf-8"))
        ids = sorted(attributes, key=int)
        table = {"item": ids, "attributes": [[str(value) for value in attributes[item]] for item in ids]}
        pq.write_table(pa.table(table), raw / "items.parquet")
        items = ItemTable(source="raw/items.parquet", id="item", tags=("attributes",))
    events = EventTable(
        source="raw/purchases.parquet",
        user="user",
        item="item",
        time="time",
        value_meaning="none",
        order="position",
    )
    notes = ("the publisher gives an order and no moments: each person's purchases are put a day apart",)
    return Proposal(
        Schema(events=events, items=items), split=SplitOptions(method="leave_one_out"), notes=notes, historical=True
    )


AMAZON_BEAUTY = KnownDataset(
    "amazon-beauty",
    "Amazon Beauty, 5-core: purchases in their order",
    "for research",
    Publication(
        tuple(
            f"https://raw.githubusercontent.com/RUCAIBox/CIKM2020-S3Rec/master/data/{name}"
            for name in ("Beauty.txt", "Beauty_item2attributes.json")
        )
    ),
    _convert,
)
