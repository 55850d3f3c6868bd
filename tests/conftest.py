from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

SHARED_DATA = Path(__file__).parents[1].parent / "shared" / "data"
COSTLY = {
    "shop": "shop",
    "registry_directory": "shop",
    "served_shop": "export",
    "trained": "trained",
    "exported": "exported",
    "large": "large",
    "edge_shop": "edge",
    "shortlist": "edge",
}
"""Fixtures that take seconds to make, and the group of tests that shares each."""

# The clock judges no property: a busy machine is slow.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("suite")


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests that share a costly fixture to one worker, which makes it once."""
    for item in items:
        if isinstance(item, pytest.Function):
            for name in COSTLY.keys() & set(item.fixturenames):
                item.add_marker(pytest.mark.xdist_group(COSTLY[name]))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not SHARED_DATA.is_dir():
        pytest.skip("the benchmark data sets are not beside this checkout (../shared/data)")
    return SHARED_DATA
