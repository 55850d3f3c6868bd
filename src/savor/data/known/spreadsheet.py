"""The first sheet of an xlsx workbook, read row by row."""

import re
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree as ET

import pyarrow as pa
import pyarrow.parquet as pq

from savor.core.errors import DataError

_SPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_FIRST_DAY = datetime(1899, 12, 30)
_PIECE = 50_000


def spreadsheet_rows(file: Path, target: Path, columns: tuple[str, ...], moments: tuple[str, ...] = ()) -> None:
    """Write the first sheet of `file` to the Parquet file `target` as text columns.

    Args:
        file: an xlsx workbook whose first row has the columns' names.
        target: where to write.
        columns: the columns to take.
        moments: those among them that hold moments, as days since 1899-12-30; written as ISO text.

    Raises:
        DataError: it is no workbook, or a column is missing.
    """
    schema = pa.schema([(name, pa.string()) for name in columns])
    try:
        with zipfile.ZipFile(file) as archive, pq.ParquetWriter(target, schema) as writer:
            rows = _rows(archive)
            first = next(rows, {})
            places = {name: place for place, name in first.items()}
            if missing := [name for name in columns if name not in places]:
                raise DataError(f"{file.name}: the first sheet has no column {', '.join(missing)}")
            while piece := list(islice(rows, _PIECE)):
                arrays = [
                    pa.array([_value(row.get(places[name]), name in moments) for row in piece], pa.string())
                    for name in columns
                ]
                writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    except (zipfile.BadZipFile, KeyError, ET.ParseError) as error:
        raise DataError(f"{file.name}: cannot be read as an xlsx workbook ({error})") from None


def _rows(archive: zipfile.ZipFile) -> Iterator[dict[str, str]]:
    """Each row as cell values by column letters."""
    shared: list[str] = []
    if "xl/sharedStrings.xml" in archive.namelist():
        with archive.open("xl/sharedStrings.xml") as stream:
            shared = ["".join(node.itertext()) for node in _elements(stream, "si")]
    with archive.open("xl/worksheets/sheet1.xml") as stream:
        for row in _elements(stream, "row"):
            cells = {}
            for cell in row:
                value = cell.find(f"{_SPACE}v")
                text = "".join(cell.itertext()) if value is None else value.text or ""
                if cell.get("t") == "s":
                    text = shared[int(text)]
                cells[re.sub(r"\d", "", cell.get("r", ""))] = text
            yield cells


def _elements(stream: IO[bytes], name: str) -> Iterator[Any]:
    """Elements called `name`, each forgotten after it was looked at."""
    events = ET.iterparse(stream, events=("start", "end"))  # noqa: S314
    _, root = next(events)
    for event, element in events:
        if event == "end" and element.tag == f"{_SPACE}{name}":
            yield element
            element.clear()
            root.clear()


def _value(text: str | None, moment: bool) -> str | None:
    if text is None or text == "":
        return None
    if not moment:
        return text
    return (_FIRST_DAY + timedelta(seconds=round(float(text) * 86_400))).isoformat()
