"""What one input of a tower looks like."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

Role = Literal[
    "id",
    "category",
    "tags",
    "numeric",
    "text",
    "image",
    "history_item",
    "history_category",
    "history_age",
    "history_seconds",
    "session_item",
    "session_category",
    "moment",
]


@dataclass(frozen=True)
class InputSpec:
    """One named input.

    Attributes:
        dtype: "int32" or "float32".
        shape: without the batch dimension.
        role: what it means to a network.
        cardinality: for whole numbers, values are in `range(cardinality)` and 0 is unknown or padding; None for floats.
        column: the column of the schema it comes from; "" where it comes from several or none.
    """

    dtype: str
    shape: tuple[int, ...]
    role: Role
    cardinality: int | None = None
    column: str = ""

    def to_json(self) -> dict[str, Any]:
        """As a JSON value."""
        return {**asdict(self), "shape": list(self.shape)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """What `to_json` gave."""
        return cls(**{**value, "shape": tuple(value["shape"])})
