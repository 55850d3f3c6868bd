"""Whether the items of a catalogue are still of the kinds that the bundle was trained on."""

from collections.abc import Mapping, Sequence

from savor.online.drift.options import DriftOptions
from savor.online.drift.reference import DriftReference
from savor.online.drift.stability import Stability, stability


def catalogue_drift(
    reference: DriftReference, columns: Mapping[str, Sequence[str]], options: DriftOptions
) -> dict[str, Stability]:
    """By column, how the items of a catalogue compare with the bundle's; columns the reference lacks are left out."""
    return {
        name: stability(
            reference.categories[name].counts,
            reference.categories[name].count(strings),
            reference_n=reference.categories[name].n,
            live_n=float(len(strings)),
            threshold=options.threshold,
            tail=options.tail,
        )
        for name, strings in columns.items()
        if name in reference.categories
    }
