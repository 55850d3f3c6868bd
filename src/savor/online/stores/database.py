"""The live database: SQLite or PostgreSQL behind one door."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy import exc as failures

from savor.core.errors import ConfigError, MissingDependencyError
from savor.data.sources.address import without_password
from savor.online.stores.errors import StoreAwayError, StoreError
from savor.online.stores.migrate import migrate

_REFUSALS = (failures.IntegrityError, failures.DataError)
_SCHEMES = {"sqlite": "sqlite", "postgresql": "postgresql", "postgres": "postgresql"}
_BUSY_SECONDS = 2.0
_CONNECT_SECONDS = 2
_ANSWER_MILLISECONDS = 5000


class Database:
    """Connections to the live database, whose tables are brought up to date before the first use and after a failure.

    Making one touches nothing: a database that is away is met by the first call, and by each later one until it is
    there. Safe to use from several threads.

    Args:
        engine: of SQLAlchemy, for SQLite or PostgreSQL.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = engine.execution_options(savor_writes=True)
        self._prepared = False
        self._preparing = threading.Lock()

    @classmethod
    def open(cls, url: str, base: Path | None = None) -> "Database":
        """The database at `url`: `sqlite:///file` (relative paths count from `base`) or `postgresql://user@host/name`.

        PostgreSQL's own environment variables (PGPASSWORD, PGSSLMODE, …) are heeded.

        Raises:
            ConfigError: the address is of neither kind.
            MissingDependencyError: PostgreSQL is named and its driver is not installed.
        """
        try:
            address = make_url(url)
        except failures.ArgumentError:
            raise ConfigError([f"store: {without_password(url)!r} is not a database URL"]) from None
        kind = _SCHEMES.get(address.get_backend_name())
        if kind is None:
            raise ConfigError([f"store: {address.drivername} is not supported; give sqlite:/// or postgresql://"])
        return cls(_sqlite(address, base or Path()) if kind == "sqlite" else _postgresql(address))

    @property
    def name(self) -> str:
        """The address as it may be shown."""
        return self._engine.url.render_as_string(hide_password=True)

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection in a transaction that sees one state of the database and changes nothing.

        Raises:
            StoreAwayError: the database cannot be reached.
            StoreError: it refuses the values.
        """
        self._prepare()
        with self._translated(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection in a transaction that is durable when the block ends, or has done nothing if it fails.

        Raises:
            StoreAwayError: the database cannot be reached. Where the connection broke during the commit, it may have
                been done all the same.
            StoreError: it refuses the values.
        """
        self._prepare()
        with self._translated(), self._writer.begin() as connection:
            yield connection

    def ping(self) -> None:
        """Do nothing, in the database.

        Raises:
            StoreAwayError: it cannot be reached.
        """
        with self.reading() as connection:
            connection.execute(text("SELECT 1"))

    def forget_free_space(self) -> None:
        """Let nothing that was deleted linger in SQLite's log (its pages are overwritten on deletion already)."""
        if self.dialect == "sqlite":
            with self._translated(), self._engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    def _prepare(self) -> None:
        if not self._prepared:
            with self._preparing, self._translated(), self._writer.begin() as connection:
                migrate(connection)
            self._prepared = True

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except failures.SQLAlchemyError as error:
            self._prepared = False  # it may come back as another one
            raise self._as_store_error(error) from error
        except OSError as error:
            raise StoreAwayError(f"{self.name}: {error}") from error

    def _as_store_error(self, error: failures.SQLAlchemyError) -> StoreError:
        said = str(error.orig) if isinstance(error, failures.DBAPIError) else str(error)
        reason = without_password(said.strip().splitlines()[0]) if said.strip() else type(error).__name__
        if isinstance(error, _REFUSALS):
            return StoreError(f"the database {self.name} refuses this ({reason})")
        return StoreAwayError(f"the database {self.name} cannot be used now ({reason})")


def _sqlite(address: URL, base: Path) -> Engine:
    if not address.database or address.database == ":memory:":
        raise ConfigError(["store: a database in memory loses what it has acknowledged; give sqlite:///path/to/file"])
    path = base / address.database
    engine = create_engine(
        URL.create("sqlite", database=str(path)), connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False}
    )

    @event.listens_for(engine, "do_connect")
    def _make_private_file(*_: object) -> None:
        # Only a file that is not there is opened: to close one would give up all locks of this process on it, and
        # whoever came next would take SQLite's log for left over.
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))

    @event.listens_for(engine, "connect")
    def _be_durable(connection: Any, _: object) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "fullfsync=ON", "secure_delete=ON", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("savor_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql(address: URL) -> Engine:
    settings = {
        "connect_timeout": _CONNECT_SECONDS,
        "tcp_user_timeout": _ANSWER_MILLISECONDS,
        "keepalives_idle": 5,
        "options": f"-c synchronous_commit=on -c timezone=UTC -c statement_timeout={_ANSWER_MILLISECONDS}",
        "application_name": "savor",
    }
    settings |= {name: value for name, value in address.query.items() if isinstance(value, str)}
    try:
        return create_engine(
            address.set(drivername="postgresql+psycopg", query={}), connect_args=settings, pool_pre_ping=True
        )
    except ModuleNotFoundError:
        raise MissingDependencyError("psycopg", "postgres") from None
