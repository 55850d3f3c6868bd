"""What is asked of a pipeline."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.pipeline.item_filter import ItemFilter

_NOBODY = np.empty(0, np.int32)


@dataclass(frozen=True)
class Query:
    """One request.

    Attributes:
        user_id: as it stands in the data; may be unknown.
        now: UTC seconds that the answer is for.
        n: how many items are wanted.
        scenario: name of the place the list is shown at.
        exclude_seen: leave out every item in the user's history.
        exclude: (E,) int32 item rows to leave out.
        filter: what items must be like; None accepts all.
        diverse: apply the diversity rules of the pipeline.
        context: what else the caller knows of the moment.
        variant: name of the experiment variant.
        seed: decides what is random.
        deadline: `time.perf_counter_ns()` after which optional stages are left out; None waits for all.
    """

    user_id: str
    now: int
    n: int = 10
    scenario: str = "home"
    exclude_seen: bool = False
    exclude: NDArray[np.int32] = field(default_factory=lambda: _NOBODY)
    filter: ItemFilter | None = None
    diverse: bool = True
    context: Mapping[str, Any] = field(default_factory=dict)
    variant: str = "control"
    seed: int = 0
    deadline: int | None = None
