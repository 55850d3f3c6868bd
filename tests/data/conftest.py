from collections.abc import Callable
from pathlib import Path

import pytest

from tests.data.workbench import Workbench


@pytest.fixture
def workbench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


@pytest.fixture
def good_rows() -> Callable[[int], str]:
    def rows(count: int) -> str:
        return "".join(f"u{n % 7},i{n % 5},{1_700_000_000 + 1000 * n}\n" for n in range(count))

    return rows
