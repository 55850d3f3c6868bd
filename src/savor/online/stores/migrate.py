"""Bringing the tables of a database up to date."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from savor.online.stores.errors import StoreAwayError

HEAD = "0004"
"""The newest migration; a test holds it to the scripts, so that a server need not read them to start."""

_TURN = 7_283_641
"""Number of the lock by which PostgreSQL lets one process migrate at a time."""


def migrate(connection: Connection) -> None:
    """Apply the migrations that are missing, in the transaction that `connection` is in.

    Raises:
        StoreAwayError: the database was made by a newer version.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": _TURN})
    found = _version(connection)
    if found == HEAD:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise StoreAwayError(
            f"the database has the tables of a newer version of Savor ({found}; this one knows up to {HEAD}); "
            "install that version",
            code="store_too_new",
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return str(found) if found is not None else None
