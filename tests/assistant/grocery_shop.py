"""The small shop with groceries in it: 60 items whose names and categories say what they are."""

import shutil
from functools import cache
from pathlib import Path

import numpy as np

from savor.bundle.bundle import Bundle
from savor.features.catalogue import Catalogue
from savor.features.columns import CategoryColumn
from savor.features.item_statistics import ItemStatistics
from savor.pipeline.build import Serving, build_serving
from tests.synthetic_bundle import NOW, Sizes, made_shop, make_events, seal

KINDS = (
    ("FROZEN PIZZA", "PIZZA/TRADITIONAL", 4.0),
    ("FROZEN PIZZA", "SNACKS/APPETIZERS", 3.0),
    ("FRZN MEAT/MEAT DINNERS", "FRZN ENTREES", 3.5),
    ("DRY NOODLES/PASTA", "SPAGHETTI DRY", 1.2),
    ("SOUP", "CONDENSED SOUP", 1.5),
    ("SOUP", "RAMEN NOODLES/RAMEN CUPS", 0.4),
    ("SNACK NUTS", "DRY ROAST NUTS", 5.0),
    ("PNT BTR/JELLY/JAMS", "PEANUT BUTTER", 2.5),
    ("PNT BTR/JELLY/JAMS", "PRESERVES JAM MARMALADE", 2.2),
    ("BAG SNACKS", "POTATO CHIPS", 2.0),
    ("CHEESE", "SHREDDED CHEESE", 2.9),
    ("CRACKERS/MISC BKD FD", "CHEESE CRACKERS", 2.4),
    ("COFFEE", "GROUND COFFEE", 6.0),
    ("COFFEE", "GROUND DECAFFINATED", 6.5),
    ("COFFEE FILTERS", "COFFEE FILTERS", 1.0),
    ("BEEF", "CHOICE BEEF", 9.0),
    ("CHICKEN", "CHICKEN WINGS", 7.0),
    ("APPLES", "APPLES GALA (BULK&BAG)", 1.1),
    ("SALAD MIX", "BLENDS", 2.6),
    ("CAKES", "CAKES: LAYERS", 12.0),
)
COFFEE = {"GROUND COFFEE", "GROUND DECAFFINATED"}
SIZES = ("8 OZ", "16 OZ", "32 OZ")


def _grocery(parts: Path) -> None:
    catalogue = Catalogue.load(parts / "catalogue")
    rows = range(len(catalogue))
    kinds = [KINDS[row % len(KINDS)] for row in rows]
    sizes = [SIZES[row // len(KINDS)] for row in rows]
    changed = Catalogue(
        catalogue.ids,
        [f"{kind[1]}, {size}" for kind, size in zip(kinds, sizes, strict=True)],
        {
            "department": CategoryColumn.from_strings([kind[0] for kind in kinds]),
            "aisle": CategoryColumn.from_strings([kind[1] for kind in kinds]),
        },
        catalogue.tags,
        catalogue.numerics,
        np.asarray([kind[2] + 0.5 * (row // len(KINDS)) for row, kind in zip(rows, kinds, strict=True)], np.float32),
        np.ones(len(catalogue), np.bool_),
        None,
    )
    shutil.rmtree(parts / "catalogue")
    changed.save(parts / "catalogue")
    events = make_events(Sizes(), np.random.default_rng(5))
    ItemStatistics.from_events(events, changed, NOW, 28).save(parts / "state" / "statistics")


@cache
def grocery_bundle(base: Path) -> Bundle:
    """The bundle of the shop, below `base`."""
    parts = base / "grocery-parts"
    shutil.copytree(made_shop(base).directory, parts)
    _grocery(parts)
    made = seal(parts, base / "grocery")
    shutil.rmtree(parts)
    return made


def grocery_serving(base: Path) -> Serving:
    """What answers from it."""
    return build_serving(grocery_bundle(base))


def names(items: list[dict]) -> set[str]:
    """The kinds of some items, without their sizes."""
    return {item["name"].rsplit(",", 1)[0] for item in items}
