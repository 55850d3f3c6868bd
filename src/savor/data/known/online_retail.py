"""UCI Online Retail: a year of a British gift shop."""

from pathlib import Path

from savor.core.errors import DataError
from savor.data.engine import Engine
from savor.data.known.known_dataset import KnownDataset, find_file
from savor.data.known.publisher import Publication
from savor.data.known.spreadsheet import spreadsheet_rows
from savor.data.proposal import Proposal
from savor.data.schema import EventTable, ItemTable, Schema, UserTable
from savor.data.sources.quoting import sql_text

COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")


def _convert(engine: Engine, files: Path, raw: Path) -> Proposal:
    prepared = find_file(files, "online_retail.parquet", "*.parquet")
    table = find_file(files, "*.csv", "*.xlsx")
    if prepared is not None:
        engine.copy(f"SELECT {', '.join(COLUMNS)} FROM read_parquet({sql_text(prepared)})", raw / "lines.parquet")  # noqa: S608
    elif table is not None and table.suffix.lower() == ".xlsx":
        spreadsheet_rows(table, raw / "lines.parquet", COLUMNS, moments=("InvoiceDate",))
    elif table is not None:
        engine.copy(f"SELECT {', '.join(COLUMNS)} FROM read_csv({sql_text(table)})", raw / "lines.parquet")  # noqa: S608
    else:
        raise DataError(f"{files}: there is no Parquet, CSV or xlsx file of Online Retail")
    source = "raw/lines.parquet"
    schema = Schema(
        events=EventTable(
            source=source,
            user="CustomerID",
            item="StockCode",
            time="InvoiceDate",
            value="Quantity",
            minimum_value=1,
            anonymous="leave_out",
            price="UnitPrice",
            price_meaning="unit",
            basket="InvoiceNo",
        ),
        items=ItemTable(source=source, id="StockCode", name="Description", text=("Description",)),
        users=UserTable(source=source, id="CustomerID", categories=("Country",)),
    )
    notes = (
        "returns (negative quantities) and lines without a customer are left out by rule",
        "names of items and countries of customers come from the lines themselves",
    )
    return Proposal(schema, notes=notes, historical=True)


ONLINE_RETAIL = KnownDataset(
    "online-retail",
    "UCI Online Retail: a year of a British gift shop",
    "CC BY 4.0 (Chen, 2015)",
    Publication(("https://archive.ics.uci.edu/static/public/352/online+retail.zip",)),
    _convert,
)
