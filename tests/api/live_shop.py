"""The small shop with live state, as a server of its own."""

import shutil
from contextlib import contextmanager

from fastapi.testclient import TestClient

from savor.api.app import create_app
from savor.api.live import Live
from savor.api.security import Access
from savor.api.security_options import SecurityOptions
from savor.api.serve import load_engine
from savor.online.stores.database import Database
from savor.online.stores.options import StoreOptions


def made_database(folder):
    """A SQLite file with all tables, to be copied: migrating takes longer than a test."""
    database = Database.open("sqlite:///made.db", folder)
    database.ping()
    database.close()
    return folder / "made.db"


def prepared(made, project):
    (project / ".savor").mkdir(parents=True, exist_ok=True)
    if not (project / ".savor" / "live.db").exists():
        shutil.copy(made, project / ".savor" / "live.db")
    return project


@contextmanager
def server(registry_directory, project, *, options=None, access=None, **open_options):
    """A client of a server over the stores in `project`."""
    live = Live.open(options or StoreOptions(), project)
    try:
        engine = load_engine(registry_directory, over_states=live.over)
        app = create_app(engine, live=live, access=access or Access(SecurityOptions(), keys=False))
        yield TestClient(
            app, base_url="http://localhost", client=("127.0.0.1", 5000), raise_server_exceptions=False, **open_options
        )
    finally:
        live.close()
