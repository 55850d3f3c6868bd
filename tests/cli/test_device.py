import json
import re
from contextlib import closing

import pytest

from savor.cli.main import main
from savor.online.stores.database import Database
from savor.online.stores.devices import Devices, Sighting
from tests.bundle.edge_bundles import edge_bundle, identifier_of


@pytest.fixture
def project(tmp_path):
    (tmp_path / "savor.toml").write_text("[stores]\n")
    return tmp_path


@pytest.fixture
def edge(tmp_path):
    return edge_bundle(tmp_path / "edge")


@pytest.fixture
def savor(project, capsys):
    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main(["device", *map(str, arguments), "-C", str(project)])
        said = capsys.readouterr()
        return caught.value.code or 0, said.out, re.sub(r"\s+", " ", said.err)

    return run


def told(savor, *arguments):
    code, out, err = savor(*arguments, "--json")
    assert code == 0, err
    return json.loads(out)


def test_release_rollout_withdraw(savor, edge, project):
    assert told(savor, "list")["releases"] == []
    identifier = identifier_of(edge)
    released = told(savor, "release", edge, "--share", 0.1)
    assert (released["release"], released["share"], released["new_files"]) == (identifier, 0.1, 2)
    with closing(Database.open("sqlite:///.savor/live.db", project)) as database:
        Devices(database).saw(Sighting("d" * 32, "live", identifier))
        Devices(database).saw(Sighting("e" * 32, "live", None, failed=identifier))
    (row,) = told(savor, "list")["releases"]
    assert (row["share"], row["running"], row["failed"], row["number_of_items"]) == (0.1, 1, 1, 400)
    assert told(savor, "rollout", identifier, "--share", 1)["share"] == 1.0
    other = told(savor, "release", edge_bundle(project / "b", {"m": b"2"}), "--channel", "live")["release"]
    assert [row["release"] for row in told(savor, "list")["releases"]] == [other, identifier]
    assert told(savor, "withdraw", other) == {"release": other, "channel": "live", "for_all": identifier}
    assert told(savor, "tidy") == {"releases": 1, "bytes": 1}
    assert told(savor, "withdraw", identifier)["for_all"] is None


def test_a_release_that_devices_refuse_goes_no_further(savor, edge, project):
    identifier = identifier_of(edge)
    told(savor, "release", edge, "--share", 0.1)
    with closing(Database.open("sqlite:///.savor/live.db", project)) as database:
        devices = Devices(database)
        for number in range(99):
            devices.saw(Sighting(f"{number:032d}", "live", identifier))
        for number in range(100, 102):
            devices.saw(Sighting(f"{number:032d}", "live", None, failed=identifier))
        assert told(savor, "rollout", identifier, "--share", 0.2)["share"] == 0.2
        for number in range(102, 104):
            devices.saw(Sighting(f"{number:032d}", "live", None, failed=identifier))
    code, out, err = savor("rollout", identifier, "--share", 1)
    assert (code, out) == (1, "")
    assert f"4 of 103 devices that tried release {identifier} refused it, so its share stays at 20%" in err
    assert told(savor, "rollout", identifier, "--share", 0.15)["share"] == 0.15
    assert told(savor, "rollout", identifier, "--share", 1, "--force")["share"] == 1.0


def test_what_people_read(savor, edge):
    identifier = identifier_of(edge)
    code, out, err = savor("release", edge, "--share", "0.005")
    assert (code, out) == (0, "")
    assert f"0.5% of the devices of live get {identifier}" in err
    assert f"Next: savor device rollout {identifier} --share 1" in err
    assert identifier in savor("list")[2]
    assert "give" in savor("withdraw", identifier)[2]
    assert "Next: savor export" in savor("list")[2]


def test_what_cannot_be(savor, edge, tmp_path):
    for arguments, match in (
        (("release", tmp_path / "nothing"), "savor export"),
        (("release", edge, "--share", "2"), "a share is a number above 0"),
        (("release", edge, "--channel", "a/b"), "letters, digits and _"),
        (("withdraw", "0" * 16), "is not on channel live"),
        (("rollout", "../x", "--share", "1"), "is not on channel live"),
    ):
        code, out, err = savor(*arguments)
        assert (code, out) == (1, "")
        assert match in err, arguments
    assert savor("rollout", "0" * 16)[0] == 2


def test_no_project(tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["device", "list", "-C", str(tmp_path / "none")])
    assert caught.value.code == 1
    assert "there is no project" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
