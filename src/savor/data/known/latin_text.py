"""Old text files without a first line of names, in the encoding of Western Europe."""

from pathlib import Path

from savor.data.engine import Engine
from savor.data.sources.delimited import stage_text
from savor.data.sources.quoting import sql_text

_PIECE = 1 << 20


def stage_latin(engine: Engine, file: Path, delimiter: str, columns: tuple[str, ...], *, header: bool = False) -> str:
    """Turn a Latin-1 text file into Parquet with text columns; returns it as something to SELECT FROM.

    The row's position in the file can be had as `file_row_number`.
    """
    utf8 = engine.workspace / f"{engine.new_name('latin')}.txt"
    with file.open("rb") as source, utf8.open("wb") as target:
        while piece := source.read(_PIECE):
            target.write(piece.decode("latin-1").encode("utf-8"))
    part = stage_text(engine, utf8, delimiter, columns, engine.new_name("rejects"), header=header, quote="")
    return f"read_parquet({sql_text(part)}, file_row_number = true)"
