import shutil
from contextlib import closing

import pytest

from savor.online.stores.database import Database
from savor.online.stores.database_event_store import DatabaseEventStore
from savor.online.stores.experiment_store import ExperimentStore
from savor.online.stores.tombstones import Tombstones
from savor.online.stores.visitors import Visitors


@pytest.fixture(scope="session")
def made_database(tmp_path_factory):
    """A SQLite file with all tables, to be copied: migrating takes longer than a test."""
    folder = tmp_path_factory.mktemp("experiments")
    with closing(Database.open("sqlite:///made.db", folder)) as database:
        database.ping()
    return folder / "made.db"


class Shop:
    """The stores that experiments need."""

    def __init__(self, database):
        tombstones = Tombstones(database, b"a key for the hashes of tests")
        self.database = database
        self.visitors = Visitors(database)
        self.events = DatabaseEventStore(database, tombstones)
        self.experiments = ExperimentStore(database, tombstones)

    def close(self):
        self.events.close()
        self.experiments.close()
        self.database.close()


@pytest.fixture
def shop(made_database, tmp_path):
    shutil.copy(made_database, tmp_path / "live.db")
    with closing(Shop(Database.open(f"sqlite:///{tmp_path}/live.db"))) as opened:
        yield opened
