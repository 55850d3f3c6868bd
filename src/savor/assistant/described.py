"""Items as they are spoken of."""

from collections.abc import Sequence
from math import isfinite, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.assistant.known_prices import LEAST
from savor.features.catalogue import Catalogue
from savor.pipeline.result import Reason

Item = dict[str, Any]


def described(
    catalogue: Catalogue, rows: NDArray[np.int32], scores: NDArray[np.float32], reasons: Sequence[Reason]
) -> list[Item]:
    """For each row: `item_id`, `name`, `category` (the narrowest that is known), `price`, `score` and `reason`."""
    made: list[Item] = []
    for row, score, reason in zip(rows.tolist(), scores.tolist(), reasons, strict=True):
        known = [column.values[code] for column in catalogue.categories.values() if (code := int(column.codes[row]))]
        price = float(catalogue.price[row])
        price = price if price >= LEAST else nan
        made.append(
            {
                "item_id": catalogue.ids[row],
                "name": catalogue.names[row],
                "category": known[-1] if known else None,
                "price": round(price, 4) if isfinite(price) else None,
                "score": score if isfinite(score) else None,
                "reason": {"code": reason.code, "text": reason.text},
            }
        )
    return made
