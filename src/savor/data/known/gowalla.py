"""Gowalla: a million check-ins at 40,981 places, with the split that graph models are compared on."""

from pathlib import Path

from savor.data.engine import Engine
from savor.data.known.interaction_lines import FIRST_DAY, interaction_lines
from savor.data.known.known_dataset import KnownDataset, find_file, need_file
from savor.data.known.publisher import Publication
from savor.data.proposal import Proposal
from savor.data.schema import EventTable, Schema
from savor.data.sources.quoting import sql_text
from savor.data.splits import SplitOptions


def _convert(engine: Engine, files: Path, raw: Path) -> Proposal:
    parts = []
    for day, name in enumerate(("train", "test")):
        prepared = find_file(files, f"{name}.parquet")
        rows = (
            f"SELECT user, item FROM read_parquet({sql_text(prepared)})"  # noqa: S608
            if prepared is not None
            else f"SELECT user, item FROM ({interaction_lines(need_file(files, f'{name}.txt'))})"  # noqa: S608
        )
        parts.append(f"SELECT user, item, {FIRST_DAY + 2 * day * 86_400} AS time, '{name}' AS split FROM ({rows})")  # noqa: S608
    chosen = "split = 'train' AND md5_number_lower(user || ',' || item) % 10 = 0"
    engine.copy(
        f"SELECT user, item, CASE WHEN {chosen} THEN time + 86400 ELSE time END AS time, "  # noqa: S608
        f"CASE WHEN {chosen} THEN 'validation' ELSE split END AS split FROM ({' UNION ALL '.join(parts)})",
        raw / "check_ins.parquet",
    )
    events = EventTable(
        source="raw/check_ins.parquet",
        user="user",
        item="item",
        time="time",
        default_kind="visit",
        value_meaning="none",
        split="split",
    )
    notes = (
        "the publisher gives train and test and no moments: they are put on two days",
        "a tenth of train, chosen by hash, is set apart for validation",
    )
    return Proposal(Schema(events=events), split=SplitOptions(method="column"), notes=notes, historical=True)


GOWALLA = KnownDataset(
    "gowalla",
    "Gowalla check-ins, LightGCN split",
    "for research; from SNAP",
    Publication(
        tuple(
            f"https://raw.githubusercontent.com/gusye1234/LightGCN-PyTorch/master/data/gowalla/{name}"
            for name in ("train.txt", "test.txt")
        )
    ),
    _convert,
)
