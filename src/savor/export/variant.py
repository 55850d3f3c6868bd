"""The ways in which an edge model can store its numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from savor.core.errors import ExportError


@dataclass(frozen=True)
class Variant:
    """One way.

    Attributes:
        name: what it is called.
        description: for people.
        weights: of dense layers: as they are, as 16-bit floats, as 8 bits with products in 8 bits, or the same with
            every number between layers as well.
        tables: of embeddings: as the weights, or 8 bits with a scale for each row.
        items: how scores are found: in one product; by 8 bits, the best of them again by the same 8 bits and a user's
            vector that is not rounded; or again by 16 bits.
    """

    name: str
    description: str
    weights: Literal["float32", "float16", "dynamic_int8", "full_int8"]
    tables: Literal["as_weights", "int8_rows"] = "as_weights"
    items: Literal["plain", "rescored", "rescored_16"] = "plain"


VARIANTS = (
    Variant("float32", "as trained", "float32"),
    Variant("float16", "weights in 16-bit floats", "float16"),
    Variant("dynamic_int8", "weights in 8 bits, floats between layers", "dynamic_int8"),
    Variant("full_int8", "everything in 8 bits, ranges from real questions", "full_int8"),
    Variant(
        "int8_rescored",
        "layers in 16 bits; tables in 8 bits with a scale a row; the best items scored again by 16 bits",
        "float16",
        "int8_rows",
        "rescored_16",
    ),
    Variant("int8_rows", "the same; the best items scored again by 8 bits", "float16", "int8_rows", "rescored"),
    Variant("int8_fast", "the same; layers in 8 bits, floats between them", "dynamic_int8", "int8_rows", "rescored"),
)


def variant(name: str) -> Variant:
    """The variant of this name.

    Raises:
        ExportError: there is none.
    """
    for one in VARIANTS:
        if one.name == name:
            return one
    raise ExportError(f"there is no variant {name!r}, only {', '.join(names(VARIANTS))}")


def names(variants: Sequence[Variant]) -> list[str]:
    """Their names."""
    return [one.name for one in variants]
