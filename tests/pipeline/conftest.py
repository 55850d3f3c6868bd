import pytest

from savor.bundle.bundle import Bundle
from savor.pipeline.build import Serving, build_serving
from tests.synthetic_bundle import made_shop


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return made_shop(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def serving(shop: Bundle) -> Serving:
    return build_serving(shop)
