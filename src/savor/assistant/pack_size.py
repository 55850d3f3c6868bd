"""How large a pack is, as far as its name says."""

import re

import numpy as np
from numpy.typing import NDArray

_SIZE = re.compile(
    r"(\d+(?:\.\d+)?)\s*(fl\s*oz|oz|lbs?|kg|g|ml|lt?r?|gal|qt|pt|ct|pk|pc|count|pack|dz)\b", re.IGNORECASE
)
_UNITS = {
    "oz": ("weight", 28.35), "lb": ("weight", 453.6), "kg": ("weight", 1000.0), "g": ("weight", 1.0),
    "fl oz": ("volume", 29.57), "ml": ("volume", 1.0), "l": ("volume", 1000.0), "gal": ("volume", 3785.0),
    "qt": ("volume", 946.0), "pt": ("volume", 473.0), "ct": ("count", 1.0), "dz": ("count", 12.0),
}  # fmt: skip
_SAME = {"lbs": "lb", "lt": "l", "ltr": "l", "lr": "l", "pk": "ct", "pc": "ct", "count": "ct", "pack": "ct"}


def pack_size(name: str) -> tuple[str, float] | None:
    """`weight` in grams, `volume` in millilitres or `count`, from the last size in a name; None where there is none."""
    found = _SIZE.findall(name)
    if not found:
        return None
    number, unit = found[-1]
    unit = re.sub(r"\s+", " ", unit.lower())
    kind, factor = _UNITS[_SAME.get(unit, unit if unit in _UNITS else "fl oz")]
    return kind, float(number) * factor


def relative_sizes(names: list[str]) -> NDArray[np.float64]:
    """(N,) 0 to 1: where the pack of each name stands among those measured alike; 0.5 where its size is not said."""
    places = np.full(len(names), 0.5)
    sizes = [pack_size(name) for name in names]
    for kind in {size[0] for size in sizes if size is not None}:
        rows = [row for row, size in enumerate(sizes) if size is not None and size[0] == kind]
        values = np.asarray([size[1] for size in sizes if size is not None and size[0] == kind])
        if len(rows) > 1:
            places[rows] = (values[:, None] > values[None, :]).mean(axis=1) + (values[:, None] == values[None, :]).mean(
                axis=1
            ) / 2
    return places
