from pathlib import Path

import pytest

from savor.export.export_bundle import BundleExport
from savor.export.options import ExportOptions
from tests.export.served_shop import ServedShop, made_served_shop


@pytest.fixture(scope="session")
def served_shop(tmp_path_factory: pytest.TempPathFactory) -> ServedShop:
    return made_served_shop(tmp_path_factory.getbasetemp())


@pytest.fixture
def export(served_shop: ServedShop, tmp_path: Path) -> BundleExport:
    """An export whose tables are written."""
    made = BundleExport(served_shop.bundle, ExportOptions(name="made", k=20, pipeline_users=10), tmp_path)
    made.write_tables()
    return made
