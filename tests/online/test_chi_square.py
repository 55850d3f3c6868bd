import pytest
from hypothesis import given
from hypothesis import strategies as st

from savor.online.chi_square import chi_square_quantile, chi_square_tail


@pytest.mark.parametrize(
    ("value", "degrees", "tail"),
    [(3.841459, 1, 0.05), (5.991465, 2, 0.05), (16.918978, 9, 0.05), (27.877165, 9, 0.001), (0, 3, 1), (-1, 3, 1)],
)
def test_by_the_table(value, degrees, tail):
    assert chi_square_tail(value, degrees) == pytest.approx(tail, abs=1e-7)


def test_against_scipy():
    special = pytest.importorskip("scipy.special")
    for degrees in (1, 2, 3, 8, 9, 30, 59):
        for value in (0.01, 0.5, degrees, 3.0 * degrees, 200.0):
            ours = chi_square_tail(value, degrees)
            assert ours == pytest.approx(special.chdtrc(degrees, value), rel=1e-9, abs=1e-300)


@given(st.floats(1e-6, 0.999), st.integers(1, 50))
def test_the_quantile_is_the_inverse(tail, degrees):
    assert chi_square_tail(chi_square_quantile(tail, degrees), degrees) == pytest.approx(tail, rel=1e-9)


def test_what_makes_no_sense():
    with pytest.raises(ValueError, match="1 or more"):
        chi_square_tail(1, 0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        chi_square_quantile(1, 3)
