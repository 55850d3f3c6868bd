"""A device and a real server, over real sockets."""

import json
import shutil
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import pytest
import uvicorn

from savor.api.app import create_app
from savor.api.device_options import DeviceOptions
from savor.api.device_releases import DeviceReleases
from savor.api.live import Live
from savor.api.security import Access
from savor.api.security_options import SecurityOptions
from savor.bundle.edge_manifest import EDGE_MANIFEST, EdgeManifest
from savor.bundle.releases import Releases
from savor.online.stores.options import StoreOptions
from savor_edge import EdgeRecommender, EventUpload, Updates
from savor_edge.installation import Installation
from savor_edge.manifest import content_id
from tests.api.live_shop import made_database, prepared
from tests.edge.made_bundle import seal

DEVICE = "e" * 32


@contextmanager
def serving(project, releases, *, keys=False):
    """Address and state of a server in a thread."""
    options = DeviceOptions(follow_seconds=1e-9)
    live = Live.open(StoreOptions(), project)
    app = create_app(
        live=live,
        access=Access(SecurityOptions(), keys, options),
        device=DeviceReleases.open(releases.directory, options, live.stores),
    )
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", ws="none", lifespan="off"))
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    try:
        until = monotonic() + 60
        while not server.started:
            assert monotonic() < until, "the server does not start"
            sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", live
    finally:
        server.should_exit = True
        thread.join()
        live.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return made_database(tmp_path_factory.mktemp("made"))


@pytest.fixture
def releases(tmp_path):
    return Releases(tmp_path / "project" / ".savor" / "device")


@pytest.fixture
def server(made, tmp_path, releases):
    with serving(prepared(made, tmp_path / "project"), releases) as (url, live):
        yield url, live


def newer(edge_shop, folder):
    copy = Path(shutil.copytree(edge_shop.folder, folder))
    golden = copy / "golden.json"
    golden.write_bytes(golden.read_bytes() + b" ")
    seal(copy, edge_shop.server.id, 60)
    return copy


def test_from_release_to_events(server, releases, edge_shop, tmp_path):
    url, live = server
    app = tmp_path / "app"
    assert Updates(app, url, DEVICE).update().status == "waiting"
    first = releases.release(edge_shop.folder).release
    installed = Updates(app, url, DEVICE).update()
    assert (installed.status, installed.release) == ("installed", first)
    assert Updates(app, url, DEVICE).update().status == "current"
    second = releases.release(newer(edge_shop, tmp_path / "newer")).release
    update = Updates(app, url, DEVICE).update()
    assert (update.status, update.release) == ("installed", second)
    assert 0 < update.fetched < update.reused
    recommender = EdgeRecommender.open(app)
    recommender.store.set_consent(True)
    shown = recommender.recommend()
    for place, item in enumerate(shown["recommendations"][:3]):
        recommender.record(
            {
                "kind": "view",
                "item_id": item["item_id"],
                "recommendation_id": shown["recommendation_id"],
                "position": place,
                "variant": shown["variant"],
            }
        )
    upload = EventUpload(recommender.store, url)
    assert upload.send() == (3, 0, 0, None)
    assert upload.send() == (0, 0, 0, None)
    recent = live.feed.recent(recommender.store.visitor).events
    assert recent.item_id == [item["item_id"] for item in shown["recommendations"][:3]]
    assert set(recent.recommendation_id) == {shown["recommendation_id"]}


def test_a_withdrawn_release_takes_the_device_back(server, releases, edge_shop, tmp_path):
    url, _ = server
    first = releases.release(edge_shop.folder).release
    Updates(tmp_path / "app", url, DEVICE).update()
    second = releases.release(newer(edge_shop, tmp_path / "newer")).release
    assert Updates(tmp_path / "app", url, DEVICE).update().release == second
    releases.withdraw(second)
    back = Updates(tmp_path / "app", url, DEVICE).update()
    assert (back.status, back.release, back.fetched) == ("installed", first, 0)
    assert Installation(tmp_path / "app").previous == second


def test_keys_open_what_they_should(made, releases, edge_shop, tmp_path):
    releases.release(edge_shop.folder)
    with serving(prepared(made, tmp_path / "project"), releases, keys=True) as (url, live):
        _, key = live.stores.api_keys.create("app", ("device",))
        live.stores.key_ring._read = float("-inf")
        with pytest.raises(Exception, match="401") as caught:
            Updates(tmp_path / "app", url, DEVICE).update()
        assert "server refuses" in str(caught.value)
        assert Updates(tmp_path / "app", url, DEVICE, key=key).update().status == "installed"
        recommender = EdgeRecommender.open(tmp_path / "app")
        recommender.store.set_consent(True)
        recommender.record({"kind": "view", "item_id": "1001"})
        assert EventUpload(recommender.store, url, key=key).send() == (1, 0, 0, None)
        recommender.record({"kind": "view", "item_id": "1001", "user_id": "somebody with an account"})
        named = EventUpload(recommender.store, url, key=key).send()
        assert named[:3] == (0, 0, 1)


def test_ids_agree_with_the_server(edge_shop):
    content = (edge_shop.folder / EDGE_MANIFEST).read_bytes()
    document = json.loads(content)
    assert EdgeManifest.parse(content, source="made").id == document["id"] == content_id(document)
