"""What users wrote: searches and reviews."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from savor.core.errors import DataError
from savor.data.columns import MICROSECONDS
from savor.data.engine import Engine


@dataclass(frozen=True)
class EventTexts:
    """N texts in time order.

    Attributes:
        user: (N,) int32, row of the user table.
        item: (N,) int32, row of the item table; -1 where there is none, as for most searches.
        time: (N,) int64 UTC seconds.
        search: what was searched for; None where nothing was.
        review: what was written about the item; None where nothing was.
    """

    user: NDArray[np.int32]
    item: NDArray[np.int32]
    time: NDArray[np.int64]
    search: Sequence[str | None]
    review: Sequence[str | None]

    def __len__(self) -> int:
        return len(self.user)

    @classmethod
    def read(cls, path: Path) -> "EventTexts | None":
        """What ingest wrote to `path`; None where there is no such file.

        Raises:
            DataError: the file cannot be read.
        """
        if not path.exists():
            return None
        try:
            table = pq.read_table(path)
        except pa.ArrowInvalid as error:
            raise DataError(f"{path} cannot be read ({error}); run `savor ingest` again") from None
        numbers = {name: table.column(name).to_numpy(zero_copy_only=False) for name in ("user", "item", "time")}
        return cls(**numbers, search=table.column("search").to_pylist(), review=table.column("review").to_pylist())


def number_texts(engine: Engine, typed: Any, items: Any, users: Any, roles: Sequence[str]) -> Any:
    """The searches and reviews among typed event rows (`TypedEvents.rows`), with numbers in the place of ids.

    Searches need no item. Texts of users who have neither events nor a profile are left out, as are those of faulty
    rows. Of "search" and "review" only what `roles` name is kept.
    """
    typed = typed.mutate(**{role: ibis.null(str) for role in ("search", "review") if role not in roles})
    written = typed.search.notnull() | (typed.review.notnull() & typed.item.notnull())
    kept = typed.filter(written & typed.user.notnull() & typed.moment.notnull() & typed.reason.isnull())
    user, item = users.select(user="id", user_number="number"), items.select(item="id", item_number="number")
    joined = kept.inner_join(user, "user").left_join(item, "item")
    joined = joined.mutate(time=(joined.moment // MICROSECONDS).cast("int64"), order=joined["row"])
    table = joined.select(
        "time", "search", "review", "order",
        user=joined.user_number, item=joined.item_number.fill_null(-1).cast("int32"),
    )  # fmt: skip
    ordered = table.order_by([ibis.asc("time"), ibis.asc("order")])
    return engine.keep("texts", ordered.select(*(field.name for field in fields(EventTexts)), "order"))
