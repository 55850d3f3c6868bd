"""savor init: roles guessed from names and values, and a savor.toml that reads back as proposed."""

import tomllib
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from savor.cli.init import init
from savor.core.clock import frozen_clock
from savor.core.errors import ConfigError, DataError
from savor.data.ingest import ingest
from savor.data.project_file import project_file, source_from
from savor.data.proposal import Proposal
from savor.data.propose import Sources, propose
from savor.data.schema import EventTable, ItemTable, UserTable
from tests.data.workbench import NOW

ORDERS = "OrderNo;CustomerID;SKU;OrderDate;Qty;UnitPrice;Title;City\n" + "".join(
    f"{n // 2};{100 + n % 9 if n % 10 else ''};S{n % 7};{1 + n % 28:02}/01/2024 10:30;{n % 5 - 1 or 2};{n % 7}.5;"
    f"Tea number {n % 7};town {n % 9}\n"
    for n in range(300)
)
RATINGS = "userId,movieId,rating,timestamp\n" + "".join(
    f"{n % 20},{n % 30},{n % 5 + 1},{NOW - 1000 * n}\n" for n in range(200)
)
MOVIES = "movieId,title,genres,studio,group,price,in_stock,image\n" + "".join(
    f"{n},The film of {n} ({1990 + n}),Drama|War{n % 3},studio {n % 4},group {n % 2},{n}.5,{n % 2},i/{n}.jpg\n"
    for n in range(30)
)
USERS = "id,email,age,gender,zip\n" + "".join(f"{n},p{n}@x.org,{20 + n},{'MF'[n % 2]},{n % 5:05}\n" for n in range(20))


def look(folder: Path, tables: dict[str, str], roles: dict[str, str] | None = None) -> Proposal:
    for name, content in tables.items():
        (folder / f"{name}.csv").write_text(content)
    sources = Sources(
        "events.csv",
        "items.csv" if "items" in tables else None,
        "users.csv" if "users" in tables else None,
        None,
        roles,
    )
    return propose(sources, folder, folder / ".savor", clock=frozen_clock(NOW))


def runs(proposal: Proposal, folder: Path) -> None:
    ingest(
        proposal.schema, proposal.ingest, proposal.split, folder, folder / ".savor" / "dataset", clock=frozen_clock(NOW)
    )


def test_a_shop_with_one_table(tmp_path: Path) -> None:
    proposal = look(tmp_path, {"events": ORDERS})
    assert proposal.schema.events == EventTable(
        source="events.csv",
        user="CustomerID",
        item="SKU",
        time="OrderDate",
        time_format="%d/%m/%Y %H:%M",
        value="Qty",
        minimum_value=1,
        anonymous="leave_out",
        price="UnitPrice",
        price_meaning="unit",
        basket="OrderNo",
    )
    assert proposal.schema.items == ItemTable(source="events.csv", id="SKU", name="Title", text=("Title",))
    assert proposal.schema.users == UserTable(source="events.csv", id="CustomerID", categories=("City",))
    assert proposal.historical
    assert len(proposal.notes) >= 4
    runs(proposal, tmp_path)


def test_ratings_with_tables_of_films_and_people(tmp_path: Path) -> None:
    proposal = look(tmp_path, {"events": RATINGS, "items": MOVIES, "users": USERS})
    schema = proposal.schema
    assert (schema.events.user, schema.events.item, schema.events.time) == ("userId", "movieId", "timestamp")
    assert (schema.events.value, schema.events.value_meaning) == ("rating", "rating")
    assert schema.items == ItemTable(
        source="items.csv",
        id="movieId",
        name="title",
        categories=("group", "studio"),
        tags=("genres",),
        text=("title", "group", "studio", "genres"),
        price="price",
        stock="in_stock",
        image="image",
    )
    assert schema.users == UserTable(source="users.csv", id="id", categories=("gender", "zip"), numerics=("age",))
    assert schema.personal == ("email",)
    assert not proposal.historical
    runs(proposal, tmp_path)


def test_every_column_is_accounted_for(tmp_path: Path) -> None:
    proposal = look(tmp_path, {"events": RATINGS.replace("rating", "Website"), "items": MOVIES, "users": USERS})
    names = {(guess.table, guess.column) for guess in proposal.guesses}
    assert names == {("events", name) for name in ("userId", "movieId", "Website", "timestamp")} | {
        (table, name)
        for table, content in (("items", MOVIES), ("users", USERS))
        for name in content.splitlines()[0].split(",")
    }
    assert all(guess.reason for guess in proposal.guesses)


def test_columns_nobody_can_guess_are_asked_for(tmp_path: Path) -> None:
    strange = "a,b,c\n" + "".join(f"x{n % 5},y{n % 3},2024-01-{1 + n % 9:02}\n" for n in range(40))
    with pytest.raises(DataError, match=r"which column is the user and the item; .*--user COLUMN --item COLUMN"):
        look(tmp_path, {"events": strange})
    proposal = look(tmp_path, {"events": strange}, {"user": "a", "item": "b"})
    assert (proposal.schema.events.user, proposal.schema.events.time) == ("a", "c")
    with pytest.raises(DataError, match="there is no such column"):
        look(tmp_path, {"events": strange}, {"user": "z"})


def test_the_file_reads_back_as_proposed(tmp_path: Path) -> None:
    proposal = look(tmp_path, {"events": ORDERS})
    text = project_file(proposal, 'my "shop"')
    values = tomllib.loads(text)
    assert values["project"] == {"name": 'my "shop"', "seed": 7}
    assert values["serving"] == {"clock": "data"}
    assert EventTable.model_validate(values["events"]) == proposal.schema.events
    assert ItemTable.model_validate(values["items"]) == proposal.schema.items
    assert UserTable.model_validate(values["users"]) == proposal.schema.users
    assert 'user = "CustomerID"  # ' in text


def test_sources_inside_the_project_are_relative(tmp_path: Path) -> None:
    assert source_from(tmp_path, str(tmp_path / "raw" / "e.csv")) == "raw/e.csv"
    assert source_from(tmp_path / "project", str(tmp_path / "e.csv")) == str(tmp_path / "e.csv")
    assert source_from(tmp_path, "sqlite:///shop.db") == "sqlite:///shop.db"


def test_the_command_writes_once(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(ORDERS)
    app = typer.Typer()
    app.command()(init)
    call = ["-C", str(tmp_path / "shop"), "--events", str(tmp_path / "events.csv")]
    first = CliRunner().invoke(app, call)
    assert first.exit_code == 0, first.output
    written = (tmp_path / "shop" / "savor.toml").read_text()
    again = CliRunner().invoke(app, call)
    assert isinstance(again.exception, ConfigError)
    assert "--force" in str(again.exception)
    assert CliRunner().invoke(app, [*call, "--force"]).exit_code == 0
    assert (tmp_path / "shop" / "savor.toml").read_text() == written
    assert CliRunner().invoke(app, ["-C", str(tmp_path)]).exit_code == 2


def test_searches_and_reviews_are_found(tmp_path: Path) -> None:
    events = "user,item,time,search_query,review_text\n" + "".join(
        f"u{n % 9},{'' if n % 3 == 0 else n % 7},{NOW - 1000 * n},{'red tea' if n % 3 == 0 else ''},"
        f"{'it is quite good really' if n % 5 == 1 else ''}\n"
        for n in range(200)
    )
    proposal = look(tmp_path, {"events": events})
    assert proposal.schema.events.search == "search_query"
    assert proposal.schema.events.review == "review_text"
    runs(proposal, tmp_path)
