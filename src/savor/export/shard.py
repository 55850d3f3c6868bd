"""Which items of a large catalogue a device gets."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from savor.bundle.bundle import Bundle
from savor.core.errors import SavorError
from savor.features.catalogue import Catalogue
from savor.pipeline.item_filter import ANY_LEVEL, FilterError, ItemFilter


class Shard(NamedTuple):
    """Items of the server's catalogue.

    Attributes:
        rows: (I,) int32 rows of the server, rising.
        described: `shard` of `edge.json`; None for the whole catalogue.
    """

    rows: NDArray[np.int32]
    described: dict[str, Any] | None


def choose_rows(
    bundle: Bundle,
    catalogue: Catalogue,
    *,
    items: int | None = None,
    where: Mapping[str, str] | None = None,
    listed: Sequence[str] | None = None,
) -> Shard:
    """The items that fit everything that is asked for.

    Args:
        bundle: says how much each item sold.
        catalogue: of the bundle.
        items: at most so many: those that sold most of late, those in stock before others.
        where: a column of the catalogue, `owner` or `category` (any level), and the value it must have.
        listed: ids to choose from.

    Raises:
        SavorError: nothing fits, or what is asked for is not in the catalogue (code `shard_invalid`).
    """
    chosen = np.ones(len(catalogue), np.bool_)
    if listed is not None:
        unknown = [name for name in listed if name not in catalogue.index]
        if unknown:
            raise _invalid(f"{len(unknown)} of the {len(listed)} listed items are not in the catalogue: {unknown[:5]}")
        chosen[:] = False
        chosen[[catalogue.index[name] for name in listed]] = True
    for column, value in (where or {}).items():
        chosen &= _having(column, value, catalogue)
    if not chosen.any():
        raise _invalid(f"no item of the catalogue has {dict(where or {})}")
    rows = np.flatnonzero(chosen).astype(np.int32)
    if items is not None:
        if items < 1:
            raise _invalid(f"a shortlist has at least one item, not {items}")
        rows = np.sort(rows[by_sales(bundle, catalogue, rows)[:items]])
    if len(rows) == len(catalogue):
        return Shard(rows, None)
    described = {"items": items, "where": dict(where) if where else None, "list": listed is not None}
    return Shard(rows, {**described, "of": len(catalogue)})


def by_sales(bundle: Bundle, catalogue: Catalogue, rows: NDArray[np.int32]) -> NDArray[np.intp]:
    """Positions in `rows`: in stock first, then by recent sales, then by all, falling; ties by lower row."""
    recent, total = sales(bundle)
    return np.lexsort((rows, -total[rows], -recent[rows], ~catalogue.in_stock[rows]))


def sales(bundle: Bundle) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Recent and all sales of the items of a bundle: two times (I,) float32."""
    names = ("sources/trending.npy", "sources/popularity.npy")
    if all(bundle.has(name) for name in names):
        recent, total = (np.load(bundle.path(name), allow_pickle=False) for name in names)
    else:
        total, recent = np.load(bundle.path("features/sales.npy"), allow_pickle=False).T
    return np.asarray(recent, np.float32), np.asarray(total, np.float32)


def _having(column: str, value: str, catalogue: Catalogue) -> NDArray[np.bool_]:
    wanted: Any = value
    text = column in catalogue.categories or column in catalogue.tags or column in ("owner", ANY_LEVEL)
    if column == "in_stock":
        wanted = {"true": True, "false": False}.get(value.casefold(), value)
    elif not text:
        try:
            wanted = float(value)
        except ValueError:
            wanted = value
    try:
        condition = ItemFilter.parse({column: {"eq": wanted}}, catalogue)
    except FilterError as error:
        raise _invalid("; ".join(error.problems)) from None
    assert condition is not None
    found = condition.matches(slice(None))
    if not found.any():
        raise _invalid(f"no item of the catalogue has {column} = {value!r}")
    return found


def _invalid(problem: str) -> SavorError:
    return SavorError(f"the items for the device cannot be chosen: {problem}", code="shard_invalid")
