import numpy as np
import pytest

from savor.core.errors import BundleError
from savor.features.normaliser import Normaliser

E1 = float(np.e - 1)


def test_by_hand(tmp_path):
    # log(1 + |x|) with the sign gives 0, 1, -1 in the first column, and 2, 2 in the second.
    table = np.array([[0, np.e**2 - 1], [E1, np.nan], [-E1, np.e**2 - 1]], np.float32)
    fitted = Normaliser.fit(table)
    assert fitted.width == 3
    spread = np.sqrt(2 / 3)
    expected = [[0, 0, 0], [1 / spread, 0, 1], [-1 / spread, 0, 0]]
    np.testing.assert_allclose(fitted.transform(table), expected, atol=1e-5)
    fitted.save(tmp_path / "normaliser.json")
    again = Normaliser.load(tmp_path / "normaliser.json")
    np.testing.assert_array_equal(again.transform(table), fitted.transform(table))


def test_what_was_never_missing_has_no_flag_and_outliers_are_cut():
    fitted = Normaliser.fit(np.array([[1], [2]], np.float32))
    assert fitted.width == 1
    np.testing.assert_array_equal(fitted.transform(np.array([[1e9], [np.nan]], np.float32)), [[5], [0]])


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "normaliser.json").write_text("{")
    with pytest.raises(BundleError):
        Normaliser.load(tmp_path / "normaliser.json")
