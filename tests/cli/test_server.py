import shutil

import pytest
from fastapi.testclient import TestClient

from savor.bundle.registry import Registry
from savor.cli.server import ServerSettings, application, hand_over, open_application
from savor.core.errors import BundleError
from savor.core.folders import ProjectFolder
from tests.synthetic_bundle import made_shop


@pytest.fixture
def folder(tmp_path, tmp_path_factory):
    shop = made_shop(tmp_path_factory.getbasetemp())
    Registry(ProjectFolder(tmp_path).registry).publish(shop.directory)
    return tmp_path


def asked(app):
    with TestClient(app, base_url="http://localhost", client=("127.0.0.1", 5000)) as client:
        said = client.put("/items/new", json={"name": "Jam", "department": "tools"})
        assert said.status_code == 200, said.text
        body = {"user_id": "household-3", "filter": {"department": {"eq": "tools"}}}
        items = client.post("/recommendations", json=body).json()["recommendations"]
        assert [item["item_id"] for item in items] == ["new"]
        return client.get("/bundles").json()["channel"]


def test_a_server_of_a_project_follows_its_channel(folder):
    settings = ServerSettings(directory=folder, host="127.0.0.1", channel="live")
    assert asked(open_application(settings)) == "live"
    assert (folder / ".savor" / "live.db").exists()


def test_a_worker_makes_the_same_of_what_was_left_for_it(folder, monkeypatch):
    monkeypatch.delenv("SAVOR_SERVER", raising=False)
    bundle = Registry(ProjectFolder(folder).registry).current()
    settings = ServerSettings(directory=folder, host="127.0.0.1", channel="live", bundle=bundle)
    assert hand_over(settings) == "savor.cli.server:application"
    assert asked(application()) is None


def test_without_a_bundle_nothing_is_left_open(folder):
    shutil.rmtree(ProjectFolder(folder).registry)
    with pytest.raises(BundleError, match="no bundle is published"):
        open_application(ServerSettings(directory=folder, host="127.0.0.1", channel="live"))
