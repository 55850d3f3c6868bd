"""Events as bytes, for journals and caches."""

from collections.abc import Sequence

import orjson

from savor.online.event_batch import EventBatch
from savor.online.stores.errors import StoreError

_NAMES = EventBatch.names()


def encode(batch: EventBatch) -> bytes:
    """All of `batch` as JSON: the names of the columns, and the rows."""
    return orjson.dumps([_NAMES, batch.rows()])


def decode(record: bytes) -> EventBatch:
    """What `encode` was given; columns that this version does not know are left out, and absent ones are empty.

    Raises:
        StoreError: it is not such a record.
    """
    try:
        names, rows = orjson.loads(record)
        places = [names.index(name) if name in names else None for name in _NAMES]
        return EventBatch.from_rows([_arranged(row, places) for row in rows])
    except (ValueError, TypeError, IndexError) as error:
        raise StoreError(f"this is no record of events ({error})") from None


def _arranged(row: Sequence[object], places: Sequence[int | None]) -> list[object]:
    return [None if place is None else row[place] for place in places]
