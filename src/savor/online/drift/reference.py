"""The distributions a bundle was trained on, small enough to lie in the bundle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from savor.core.errors import BundleError
from savor.core.files import write_json_atomic
from savor.online.drift.category_reference import CategoryReference
from savor.online.drift.numeric_reference import NumericReference

FORMAT_VERSION = 1


@dataclass(frozen=True)
class DriftReference:
    """All of a bundle's reference distributions.

    Attributes:
        numbers: by name: ranker features, and `score`.
        categories: by column of the catalogue, counted over items.
    """

    numbers: dict[str, NumericReference]
    categories: dict[str, CategoryReference]

    @classmethod
    def fit(
        cls,
        names: Sequence[str],
        values: NDArray[np.float32],
        requests: int,
        categories: Mapping[str, Sequence[str]],
    ) -> "DriftReference":
        """The distributions of what was trained on.

        Args:
            names: F names.
            values: (N, F) float32, the candidates of some requests as the ranker saw them; NaN where unknown.
            requests: how many requests they are of.
            categories: one string for each item, by column.
        """
        return cls(
            {name: NumericReference.fit(column, float(requests)) for name, column in zip(names, values.T, strict=True)},
            {name: CategoryReference.fit(strings) for name, strings in categories.items()},
        )

    def save(self, path: Path) -> None:
        """Write one small JSON file."""
        write_json_atomic(
            path,
            {
                "format_version": FORMAT_VERSION,
                "numbers": {name: one.as_json() for name, one in self.numbers.items()},
                "categories": {name: one.as_json() for name, one in self.categories.items()},
            },
        )

    @classmethod
    def load(cls, path: Path) -> "DriftReference":
        """Read what `save` wrote.

        Raises:
            BundleError: the file is absent, damaged, or of another format version.
        """
        try:
            document = orjson.loads(path.read_bytes())
            if document["format_version"] != FORMAT_VERSION:
                raise ValueError(f"format version {document['format_version']}, not {FORMAT_VERSION}")
            return cls(
                {name: NumericReference.from_json(one) for name, one in document["numbers"].items()},
                {name: CategoryReference.from_json(one) for name, one in document["categories"].items()},
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BundleError(f"{path.name} cannot be read ({error}); train and publish again") from None
