import subprocess
import sys
import threading
from contextlib import closing, suppress
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, text

from savor.core.errors import ConfigError, DataError
from savor.online.stores import migrate
from savor.online.stores.address import store_address
from savor.online.stores.counters import advance
from savor.online.stores.database import Database
from savor.online.stores.errors import StoreAwayError, StoreError
from savor.online.stores.tables import kept_lists, metadata
from tests.online.stores.servers import free_port


def test_migrations_make_the_tables_that_the_code_speaks_of(database):
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_newest_migration_is_the_one_that_is_named():
    scripts = ScriptDirectory(str(Path(migrate.__file__).parent / "migrations"))
    assert scripts.get_current_head() == migrate.HEAD


def test_a_database_of_a_newer_version_is_left_alone(address):
    with closing(Database.open(address)) as database, database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with closing(Database.open(address)) as database, pytest.raises(StoreAwayError, match="newer version") as caught:
        database.ping()
    assert caught.value.code == "store_too_new"


def test_several_may_open_a_new_one_at_once(tmp_path):
    databases = [Database.open("sqlite:///folder/new.db", tmp_path) for _ in range(4)]
    failures = []

    def use(database):
        try:
            database.ping()
        except StoreError as error:
            failures.append(error)

    users = [threading.Thread(target=use, args=(database,)) for database in databases]
    for user in users:
        user.start()
    for user in users:
        user.join()
    for database in databases:
        database.close()
    assert not failures
    assert (tmp_path / "folder" / "new.db").stat().st_mode & 0o077 == 0


def test_a_failed_block_changes_nothing(database):
    row = {"customer_id": "ann", "document": "[]", "changed": 1}
    with suppress(ZeroDivisionError), database.writing() as connection:
        connection.execute(insert(kept_lists), row)
        connection.execute(insert(kept_lists), {**row, "customer_id": 1 // 0})
    with pytest.raises(StoreError) as caught, database.writing() as connection:
        connection.execute(insert(kept_lists), [row, row])
    assert not isinstance(caught.value, StoreAwayError)
    with database.reading() as connection:
        assert connection.execute(kept_lists.select()).all() == []


def test_counters_rise(database):
    with database.writing() as connection:
        assert advance(connection, "events", 3) == 1
    with database.writing() as connection:
        assert advance(connection, "events") == 4


def test_one_that_is_away_is_met_by_each_call(tmp_path):
    port = free_port()
    with closing(Database.open(f"postgresql://savor:secret@127.0.0.1:{port}/live")) as database:
        for _ in range(2):
            with pytest.raises(StoreAwayError) as caught:
                database.ping()
            assert "secret" not in str(caught.value)
        assert "secret" not in database.name
    (tmp_path / "taken").write_text("")
    with closing(Database.open("sqlite:///taken/live.db", tmp_path)) as database, pytest.raises(StoreAwayError):
        database.ping()


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/name", "sqlite://", "sqlite:///:memory:"])
def test_addresses_that_will_not_do(url):
    with pytest.raises(ConfigError, match="store"):
        Database.open(url)


def test_secrets_stay_in_the_environment(monkeypatch):
    monkeypatch.setenv("SECRET", "p4ss")
    assert store_address("postgresql://me:${SECRET}@host/name", "stores.database") == "postgresql://me:p4ss@host/name"
    assert store_address("sqlite:///live.db", "stores.database") == "sqlite:///live.db"
    with pytest.raises(ConfigError, match="password") as caught:
        store_address("postgresql://me:p4ss@host/name", "stores.database")
    assert "p4ss" not in str(caught.value)
    with pytest.raises(DataError, match="ABSENT"):
        store_address("postgresql://me:${ABSENT}@host/name", "stores.database")


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        ("savor.online.stores, savor.online.event_batch, savor.online.stores.hot_states", ["sqlalchemy"]),
        ("savor.online.stores.stores", []),
    ],
)
def test_what_serving_need_not_load_is_not_loaded(modules, heavy):
    heavy = [*heavy, "alembic", "redis", "psycopg", "pandas", "pyarrow", "duckdb", "ibis", "fastapi"]
    code = f"import sys, {modules}; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_another_process_that_comes_and_goes_takes_nothing_away(tmp_path):
    """SQLite removes its log with the last connection, so the server's must be seen however many it opened."""
    path = tmp_path / "live.db"
    look = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT name FROM counters').fetchall())"

    def seen_by_another():
        program = [sys.executable, "-c", look, str(path)]
        return subprocess.run(program, capture_output=True, text=True, check=True).stdout

    def add(connection, name):
        connection.execute(text("INSERT INTO counters (name, value) VALUES (:name, 0)"), {"name": name})

    with closing(Database.open(f"sqlite:///{path}")) as database:
        with database.reading(), database.writing() as connection:
            add(connection, "first")
        assert "'first'" in seen_by_another()
        with database.writing() as connection:
            add(connection, "second")
        assert "'second'" in seen_by_another()
