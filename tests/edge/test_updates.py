import json
import shutil
from pathlib import Path

import pytest

from savor_edge import EdgeError, EdgeRecommender, Updates
from savor_edge.installation import Installation
from savor_edge.manifest import content_id
from tests.edge.device_server import running
from tests.edge.made_bundle import seal
from tests.synthetic_bundle import NOW

DEVICE = "d" * 32


@pytest.fixture
def server():
    with running() as server:
        yield server


@pytest.fixture
def newer(edge_shop, tmp_path):
    """Another release, which differs in one file."""
    folder = Path(shutil.copytree(edge_shop.folder, tmp_path / "newer"))
    document = json.loads((folder / "catalogue.json").read_bytes())
    document["names"] = [f"new {name}" for name in document["names"]]
    (folder / "catalogue.json").write_text(json.dumps(document))
    seal(folder, edge_shop.server.id, 60)
    return folder


def updates(folder, server, **options):
    return Updates(folder, server.url, DEVICE, **{"clock": lambda: NOW, **options})


def identifier(folder):
    return json.loads((folder / "edge.json").read_bytes())["id"]


def files(folder):
    return json.loads((folder / "edge.json").read_bytes())["files"]


def test_the_first_release_is_installed(server, edge_shop, tmp_path):
    server.release = edge_shop.folder
    made = updates(tmp_path / "app", server)
    found = made.update()
    assert found.status == "installed"
    assert found.release == identifier(edge_shop.folder) == made.installation.current
    assert found.fetched == sum(entry["size"] for entry in files(edge_shop.folder).values())
    assert server.queries == [{"device": DEVICE}, {"device": DEVICE, "current": found.release}]
    recommender = EdgeRecommender.open(tmp_path / "app")
    assert len(recommender.recommend()["recommendations"]) == 10
    assert (tmp_path / "app" / "events.sqlite").is_file()
    assert not (tmp_path / "app" / "downloads").exists()


def test_only_what_changed_is_fetched_and_the_old_one_is_kept(server, edge_shop, newer, tmp_path):
    server.release = edge_shop.folder
    updates(tmp_path, server).update()
    server.asked.clear()
    server.release = newer
    found = updates(tmp_path, server).update()
    changed = files(newer)["catalogue.json"]
    assert (found.status, found.fetched) == ("installed", changed["size"])
    assert found.reused == sum(entry["size"] for entry in files(newer).values()) - changed["size"]
    assert server.fetched == [changed["sha256"]]
    installation = Installation(tmp_path)
    assert (installation.current, installation.previous) == (identifier(newer), identifier(edge_shop.folder))
    assert installation.rollback() == identifier(edge_shop.folder)
    assert (installation.current, installation.previous) == (identifier(edge_shop.folder), identifier(newer))


def test_a_device_draws_its_own_name(server, edge_shop, tmp_path):
    server.release = edge_shop.folder
    Updates(tmp_path, server.url).update()
    Updates(tmp_path, server.url).update()
    names = {query["device"] for query in server.queries}
    assert names == {EdgeRecommender.open(tmp_path).store.device}


def test_nothing_newer(server, edge_shop, tmp_path):
    server.release = edge_shop.folder
    updates(tmp_path, server).update()
    server.asked.clear()
    assert updates(tmp_path, server).update() == ("current", identifier(edge_shop.folder), 0, 0, None)
    assert server.fetched == []


def test_a_running_recommender_goes_over_without_a_restart(server, edge_shop, newer, tmp_path):
    server.release = edge_shop.folder
    updates(tmp_path, server).update()
    recommender = EdgeRecommender.open(tmp_path, clock=lambda: NOW * 1000)
    recommender.record({"kind": "purchase", "item_id": "1010"})
    before = recommender.recommend()
    assert recommender.refresh() is False
    server.release = newer
    updates(tmp_path, server).update()
    assert recommender.recommend()["edge_bundle"] == before["edge_bundle"]
    assert recommender.refresh() is True
    after = recommender.recommend()
    assert after["edge_bundle"] == identifier(newer)
    assert after["recommendations"][0]["name"] == f"new {before['recommendations'][0]['name']}"
    assert after["recommendations"][0]["item_id"] == before["recommendations"][0]["item_id"]


def refuses(server, folder, match):
    found = updates(folder, server).update()
    assert found.status == "refused"
    assert match in found.problem
    return found


def test_a_damaged_file_is_refused_and_the_old_bundle_goes_on(server, edge_shop, newer, tmp_path):
    server.release = edge_shop.folder
    updates(tmp_path, server).update()
    recommender = EdgeRecommender.open(tmp_path)
    server.release = newer
    sha256 = files(newer)["catalogue.json"]["sha256"]
    server.damaged = {sha256}
    found = refuses(server, tmp_path, "catalogue.json of the release is not the file that its manifest names")
    assert server.fetched.count(sha256) == 2
    assert recommender.refresh() is False
    assert recommender.recommend()["edge_bundle"] == identifier(edge_shop.folder)
    assert server.queries[-1]["failed"] == found.release == identifier(newer)
    # It is not fetched again for a day, and then it is.
    server.asked.clear()
    refuses(server, tmp_path, "catalogue.json")
    assert server.fetched == []
    server.damaged = set()
    later = updates(tmp_path, server, clock=lambda: NOW + 86_400).update()
    assert later.status == "installed"
    assert Installation(tmp_path).refused == {}


def test_a_release_that_answers_differently_here_is_refused(server, edge_shop, newer, tmp_path):
    server.release = edge_shop.folder
    updates(tmp_path, server).update()
    document = json.loads((newer / "golden.json").read_bytes())
    for query in document["queries"]:
        query["scores"] = [score + 0.1 for score in query["scores"]]
    (newer / "golden.json").write_text(json.dumps(document))
    seal(newer, edge_shop.server.id, 60)
    server.release = newer
    refuses(server, tmp_path, "answers differently on this device")
    assert Installation(tmp_path).current == identifier(edge_shop.folder)
    assert [path.name for path in (tmp_path / "bundles").iterdir()] == [identifier(edge_shop.folder)]


def test_a_release_that_needs_a_newer_runtime_is_refused(server, edge_shop, newer, tmp_path):
    server.release = edge_shop.folder
    updates(tmp_path, server).update()
    document = json.loads((newer / "edge.json").read_bytes())
    document["runtime"] = {"litert": "99.0"}
    document["id"] = content_id(document)
    (newer / "edge.json").write_text(json.dumps(document))
    server.release = newer
    refuses(server, tmp_path, "needs LiteRT 99.0 or newer")


def test_a_manifest_that_was_changed_on_the_way_is_an_error(server, edge_shop, newer, tmp_path):
    path = newer / "edge.json"
    path.write_bytes(path.read_bytes().replace(b'"number_of_items":60', b'"number_of_items":59'))
    server.release = newer
    with pytest.raises(EdgeError, match="its content has"):
        updates(tmp_path, server).update()
    assert Installation(tmp_path).current is None


def test_a_download_goes_on_where_the_network_went(server, edge_shop, tmp_path):
    server.release = edge_shop.folder
    sha256 = files(edge_shop.folder)["model.tflite"]["sha256"]
    server.cut = {sha256: 2}
    for _ in range(2):
        with pytest.raises(EdgeError) as caught:
            updates(tmp_path, server).update()
        assert caught.value.code == "server_unreachable"
    assert updates(tmp_path, server).update().status == "installed"
    asked = [headers for path, headers in server.asked if path.endswith(sha256)]
    assert "range" not in asked[0]
    assert int(asked[1]["range"][6:-1]) < int(asked[2]["range"][6:-1])
    others = [name for name in server.fetched if name != sha256]
    assert len(others) == len(set(others))


def test_a_damaged_file_of_the_old_bundle_is_fetched_again(server, edge_shop, newer, tmp_path):
    server.release = edge_shop.folder
    updates(tmp_path, server).update()
    damaged = tmp_path / "bundles" / identifier(edge_shop.folder) / "catalogue.bin"
    content = damaged.read_bytes()
    damaged.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    server.asked.clear()
    server.release = newer
    assert updates(tmp_path, server).update().status == "installed"
    assert files(newer)["catalogue.bin"]["sha256"] in server.fetched


def test_a_bundle_that_was_damaged_on_the_disk_is_mended(server, edge_shop, newer, tmp_path):
    server.release = edge_shop.folder
    updates(tmp_path, server).update()
    path = tmp_path / "bundles" / identifier(edge_shop.folder) / "features.json"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(EdgeError, match=r"features\.json is truncated"):
        EdgeRecommender.open(tmp_path)
    found = updates(tmp_path, server).update()
    assert (found.status, found.fetched) == ("installed", files(edge_shop.folder)["features.json"]["size"])
    server.release = newer
    updates(tmp_path, server).update()
    path = tmp_path / "bundles" / identifier(newer) / "features.json"
    path.unlink()
    answer = EdgeRecommender.open(tmp_path).recommend()
    assert answer["edge_bundle"] == identifier(edge_shop.folder)
    assert answer["fallback"].startswith("bundle_damaged: ")
    assert updates(tmp_path, server).update().status == "installed"
    again = EdgeRecommender.open(tmp_path).recommend()
    assert again["edge_bundle"] == identifier(newer)
    assert "bundle_damaged" not in again["fallback"]


def test_a_device_that_went_back_stays_there_for_a_day(server, edge_shop, newer, tmp_path):
    installation = Installation(tmp_path)
    installation.install(edge_shop.folder)
    installation.install(newer)
    server.release = newer
    assert installation.rollback(at=NOW) == identifier(edge_shop.folder)
    found = updates(tmp_path, server).update()
    assert (found.status, found.problem) == ("refused", "this device went back from it")
    assert updates(tmp_path, server, clock=lambda: NOW + 86_400).update().status == "installed"


def test_a_disk_that_refuses_leaves_the_old_bundle(server, edge_shop, newer, tmp_path, monkeypatch):
    server.release = edge_shop.folder
    updates(tmp_path, server).update()
    server.release = newer

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("savor_edge.installation.os.replace", full)
    with pytest.raises(EdgeError, match="free some space") as caught:
        updates(tmp_path, server).update()
    assert caught.value.code == "disk_refuses"
    monkeypatch.undo()
    assert Installation(tmp_path).current == identifier(edge_shop.folder)
    assert updates(tmp_path, server).update().status == "installed"


def test_nothing_released_and_nobody_there(server, tmp_path, edge_shop):
    found = updates(tmp_path, server).update()
    assert (found.status, found.release) == ("waiting", None)
    assert "because" in found.problem
    with pytest.raises(EdgeError, match="nothing is installed"):
        Installation(tmp_path).current_folder()
    away = Updates(tmp_path, "http://127.0.0.1:9", DEVICE)
    with pytest.raises(EdgeError, match="try again when the network is back") as caught:
        away.update()
    assert caught.value.code == "server_unreachable"
    with pytest.raises(EdgeError, match="no address of a server"):
        Updates(tmp_path, "file:///etc", DEVICE)


def test_a_bundle_that_came_with_the_app(edge_shop, newer, edge_copy, tmp_path):
    installation = Installation(tmp_path / "app")
    assert installation.install(edge_shop.folder) == identifier(edge_shop.folder)
    assert installation.install(newer) == identifier(newer)
    assert EdgeRecommender.open(tmp_path / "app").bundle.id == identifier(newer)
    (edge_copy / "model.tflite").write_bytes(b"x")
    with pytest.raises(EdgeError, match="truncated"):
        installation.install(edge_copy)
    assert installation.current == identifier(newer)
    with pytest.raises(EdgeError, match="no earlier bundle"):
        Installation(tmp_path / "none").rollback()


def test_a_damaged_pointer_is_an_error(tmp_path):
    (tmp_path / "installed.json").write_text("{")
    with pytest.raises(EdgeError, match="is damaged"):
        EdgeRecommender.open(tmp_path)


def test_keys_are_sent_along(server, edge_shop, tmp_path):
    server.release = edge_shop.folder
    updates(tmp_path, server, key="secret").update()
    assert {headers["authorization"] for _, headers in server.asked} == {"Bearer secret"}
