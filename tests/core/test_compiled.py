import sys

import numpy as np
import pytest

from savor.core.compiled import compiled
from savor.core.errors import MissingDependencyError


def test_a_function_that_has_no_file_is_compiled_all_the_same() -> None:
    names: dict = {}
    exec("def total(values, factor):\n    return values.sum() * factor", names)
    total = compiled("float64[1]", "int64")(names["total"])
    values = np.arange(4.0)
    values.flags.writeable = False
    assert total(values, 2) == 12


def test_without_numba_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(MissingDependencyError, match="numba"):
        compiled("float64[1]")
