from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, select

from savor.online.stores import migrate
from savor.online.stores.database import Database
from savor.online.stores.devices import DAY, DeviceCount, Devices, Sighting
from savor.online.stores.kept_lists import KeptLists
from savor.online.stores.tables import devices as table
from savor.online.stores.tables import kept_lists

A, B = "a" * 16, "b" * 16


class Clock:
    def __init__(self):
        self.now = 1_700_000_000

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def devices(database, clock):
    return Devices(database, clock=clock, rising=lambda: float(clock.now))


def device(number):
    return f"device-{number:016d}"


def rows(database):
    with database.reading() as connection:
        return connection.execute(select(table).order_by(table.c.last_seen)).all()


def test_each_device_counts_once_with_what_it_said_last(devices, clock):
    for number in range(5):
        devices.saw(Sighting(device(number), "live"))
    assert devices.counts() == []
    for number in range(3):
        devices.saw(Sighting(device(number), "live", A))
    devices.saw(Sighting(device(0), "live", B))
    devices.saw(Sighting(device(1), "live", A, failed=B))
    devices.saw(Sighting(device(4), "beta", A))
    assert devices.counts() == [
        DeviceCount("beta", A, 1, 0), DeviceCount("live", A, 2, 0), DeviceCount("live", B, 1, 1)
    ]  # fmt: skip
    clock.now += 31 * DAY
    devices.saw(Sighting(device(0), "live", B))
    assert devices.counts() == [DeviceCount("live", B, 1, 0)]
    assert len(devices.counts(days=40)) == 3


def test_the_same_again_is_not_written_for_some_hours(devices, database, clock):
    said = Sighting(device(1), "live", A)
    assert devices.news(said)
    devices.saw(said)
    (first,) = rows(database)
    clock.now += DAY // 4 - 1
    assert not devices.news(said)
    devices.saw(said)
    assert rows(database) == [first]
    clock.now += 1
    devices.saw(said)
    (again,) = rows(database)
    assert (again.first_seen, again.last_seen) == (first.first_seen, clock.now)
    assert devices.news(Sighting(device(1), "live", B))


def test_ids_are_not_kept(devices, database):
    devices.saw(Sighting(device(7), "live", A))
    (row,) = rows(database)
    assert device(7) not in str(row)
    assert len(row.device) == 32


def test_no_more_than_may_be_known(database, clock):
    devices = Devices(database, most=3, clock=clock, rising=lambda: float(clock.now))
    for number in range(6):
        devices.saw(Sighting(device(number), "live", A))
    assert devices.counts() == [DeviceCount("live", A, 3, 0)]
    devices.saw(Sighting(device(2), "live", B))
    assert devices.counts() == [DeviceCount("live", A, 2, 0), DeviceCount("live", B, 1, 0)]


def test_silent_devices_are_forgotten_and_make_room(database, clock):
    devices = Devices(database, most=2, forget_days=10, clock=clock, rising=lambda: float(clock.now))
    for number in range(2):
        devices.saw(Sighting(device(number), "live", A))
    clock.now += 10 * DAY + 1
    devices.saw(Sighting(device(9), "live", A))
    assert len(rows(database)) == 1


def test_a_database_from_before_there_were_devices_is_brought_up_to_date(tmp_path):
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    engine = create_engine(f"sqlite:///{tmp_path}/live.db")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(kept_lists.insert(), {"customer_id": "ann", "document": "[[],[],{}]", "changed": 1})
    engine.dispose()
    with closing(Database.open(f"sqlite:///{tmp_path}/live.db")) as database:
        Devices(database).saw(Sighting(device(1), "live", A))
        assert [row.release_id for row in rows(database)] == [A]
        assert KeptLists(database).get("ann") is not None
