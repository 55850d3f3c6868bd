from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from savor.api.app import create_app
from savor.api.serve import load_engine
from savor.bundle.registry import Registry
from tests.synthetic_bundle import made_shop


@pytest.fixture(scope="session")
def registry_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.getbasetemp() / "api-registry"
    Registry(directory).publish(made_shop(tmp_path_factory.getbasetemp()).directory)
    return directory


@pytest.fixture(scope="session")
def client(registry_directory: Path) -> TestClient:
    return TestClient(create_app(load_engine(registry_directory)), raise_server_exceptions=False)
