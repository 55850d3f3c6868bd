import shutil
from contextlib import closing

import pytest
from sqlalchemy import text

from savor.online.stores.database import Database
from savor.online.stores.migrate import HEAD
from savor.online.stores.redis_link import RedisLink
from savor.online.stores.tables import counters, metadata
from savor.online.stores.tombstones import Tombstones
from tests.online.stores.servers import PostgresServer, RedisServer

KEY = b"a key for the hashes of tests"
POSTGRES = pytest.param("postgresql", marks=pytest.mark.xdist_group("servers"))
REDIS = pytest.param("redis", marks=pytest.mark.xdist_group("servers"))


@pytest.fixture(scope="session")
def postgres_server():
    with closing(PostgresServer(durable=False)) as server:
        server.start()
        with closing(Database.open(server.url())) as database:
            database.ping()
        yield server


@pytest.fixture(scope="session")
def redis_server():
    with closing(RedisServer()) as server:
        server.start()
        yield server


@pytest.fixture(scope="session")
def sqlite_made(tmp_path_factory):
    """A SQLite file with all tables, to be copied: migrating takes longer than a test."""
    folder = tmp_path_factory.mktemp("sqlite")
    with closing(Database.open("sqlite:///made.db", folder)) as database:
        database.ping()
    return folder / "made.db"


@pytest.fixture(params=["sqlite", POSTGRES])
def address(request, tmp_path):
    """The URL of a database with nothing in it."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_made"), tmp_path / "live.db")
        yield f"sqlite:///{tmp_path}/live.db"
        return
    server = request.getfixturevalue("postgres_server")
    with server.connected() as connection:
        connection.execute(text("SET session_replication_role = replica"))  # the audit can be emptied, for once
        connection.execute(text(f"TRUNCATE {', '.join(set(metadata.tables) - {'counters'})}"))
        connection.execute(counters.update().values(value=0))
        connection.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": HEAD})
    yield server.url()


@pytest.fixture
def database(address):
    with closing(Database.open(address)) as database:
        yield database


@pytest.fixture
def tombstones(database):
    return Tombstones(database, KEY)


@pytest.fixture
def redis_link(redis_server):
    with closing(RedisLink.open(redis_server.url, timeout=2.0, pause=0.0)) as link:
        link._client.flushall()
        yield link
