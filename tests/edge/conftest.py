import shutil
from pathlib import Path

import pytest

from savor.export.own_items import OwnItemsBonus
from savor_edge import EdgeRecommender
from tests.edge.made_bundle import Made, made_edge
from tests.synthetic_bundle import NOW


@pytest.fixture(scope="session")
def edge_shop(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made_edge(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def shortlist(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made_edge(tmp_path_factory.getbasetemp(), 24)


@pytest.fixture(scope="session")
def ranked_shop(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Half of the shop, with a ranker, and with a bonus for own items."""
    return made_edge(tmp_path_factory.getbasetemp(), 24, OwnItemsBonus(0.3, 60.0, ("purchase",)), ranker=True)


@pytest.fixture
def edge_copy(edge_shop: Made, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(edge_shop.folder, tmp_path / "copy"))


@pytest.fixture
def recommender(edge_shop: Made) -> EdgeRecommender:
    return EdgeRecommender.open(edge_shop.folder, clock=lambda: NOW * 1000)
