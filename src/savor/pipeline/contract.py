"""Whether a stage returned what it promised."""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from savor.pipeline.candidates import Candidates, Retrieved
from savor.pipeline.failure import ContractError
from savor.pipeline.stage import Hydrator


def check_hydrated(stage: Hydrator, found: dict[str, Any]) -> dict[str, Any]:
    """`found` has the columns that `stage` writes, and no others.

    Raises:
        ContractError: it has not.
    """
    if found.keys() != stage.writes:
        raise ContractError(f"promised {sorted(stage.writes)}, gave {sorted(found)}")
    return found


def check_retrieved(retrieved: Retrieved, number_of_items: int) -> Retrieved:
    """(k,) int32 rows of the catalogue, none twice, and (k,) float32.

    Raises:
        ContractError: they are not.
    """
    item, score = retrieved
    if item.dtype != np.int32 or score.dtype != np.float32 or item.ndim != 1 or item.shape != score.shape:
        raise ContractError(
            f"promised int32 items and float32 scores of one length, "
            f"gave {item.dtype}{list(item.shape)} and {score.dtype}{list(score.shape)}"
        )
    from savor.pipeline.candidates_kernel import OUTSIDE, TWICE, fault_of

    fault = fault_of(np.sort(item), number_of_items)
    if fault == OUTSIDE:
        raise ContractError(f"gave item rows outside the catalogue of {number_of_items}")
    if fault == TWICE:
        raise ContractError("gave an item twice")
    return retrieved


Number = TypeVar("Number", bound=np.generic)


def check_values(values: NDArray[Number], dtype: type[Number], candidates: Candidates) -> NDArray[Number]:
    """(N,) of `dtype`.

    Raises:
        ContractError: it is not.
    """
    if values.dtype != dtype or values.shape != (len(candidates),):
        raise ContractError(f"promised {dtype.__name__}[{len(candidates)}], gave {values.dtype}{list(values.shape)}")
    return values


def check_column(values: NDArray[Number], dtype: type[Number], candidates: Candidates) -> NDArray[Number]:
    """(N,) of `dtype`, without NaN.

    Raises:
        ContractError: it is not.
    """
    check_values(values, dtype, candidates)
    if dtype is not np.bool_ and np.isnan(values).any():
        raise ContractError("gave NaN")
    return values


def check_order(positions: NDArray[np.intp], candidates: Candidates) -> NDArray[np.intp]:
    """Distinct positions among the candidates.

    Raises:
        ContractError: they are not.
    """
    size = len(candidates)
    in_range = len(positions) <= size and (not len(positions) or (positions.min() >= 0 and positions.max() < size))
    if not in_range or np.bincount(positions, minlength=1).max() > 1:
        raise ContractError(f"promised distinct positions below {size}")
    return positions
