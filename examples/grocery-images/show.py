"""Measure and draw what pictures do, from the live bundle of the project that prepare.py wrote."""

import argparse
import csv
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

from savor.api.serve import load_engine
from savor.core.folders import ProjectFolder
from savor.data.histories import History
from savor.features.feature_space import FeatureSpace
from savor.features.profiles import UserProfile
from savor.models.litert_tower import LiteRtTower
from savor.pipeline.picture_search import PictureSearch

TILE, GAP, LABEL, LEFT = 112, 6, 16, 190
SAME, NEAR, OTHER = (60, 150, 80), (225, 170, 60), (200, 200, 200)
NEIGHBOURS, LIST = 6, 8
Row = tuple[str, list[tuple[int, tuple[int, int, int]]]]
"""Words, and item rows with the colour of their frames."""


class Shop:
    """The live bundle, and what the photographs really show, which no model was told.

    Args:
        project: folder with savor.toml.
        data: folder with labels.csv, classes.csv and the photos.
    """

    def __init__(self, project: Path, data: Path) -> None:
        self.serving = load_engine(ProjectFolder(project).registry).serving
        bundle = self.serving.bundle
        self.space = FeatureSpace.load(bundle.path("features"))
        self.tower = LiteRtTower.load(bundle.path("towers/user.tflite"))
        self.vectors = np.load(bundle.path("vectors/items.npy"))
        with (data / "labels.csv").open() as file:
            rows = {Path(row["file"]).stem: row for row in csv.DictReader(file)}
        with (data / "classes.csv").open() as file:
            classes = list(csv.DictReader(file))
        listed = [rows[identifier] for identifier in self.serving.catalogue.ids]
        self.files = [data / row["file"] for row in listed]
        self.fine = np.asarray([int(row["class"]) for row in listed])
        self.coarse = np.asarray([int(row["coarse_class"]) for row in listed])
        self.unseen = np.asarray([row["split"] != "train" for row in listed])
        self.fine_names = {int(row["Class ID (int)"]): row["Class Name (str)"].replace("-", " ") for row in classes}
        self.coarse_names = {
            int(row["Coarse Class ID (int)"]): row["Coarse Class Name (str)"].replace("-", " ") for row in classes
        }

    def alike(self, item: int, k: int, among: NDArray[np.bool_]) -> NDArray[np.int32]:
        """The k items among those that look most like `item`."""
        assert self.space.images is not None
        eligible = among.copy()
        eligible[item] = False
        return PictureSearch(self.space.images).nearest(item, k, eligible).item

    def list_for(self, liked: NDArray[np.intp], k: int, among: NDArray[np.bool_]) -> NDArray[np.intp]:
        """The user tower's best k for somebody unknown who just liked the items at `liked`, which are left out."""
        now = self.serving.clock()
        number = len(liked)
        history = History(
            liked.astype(np.int32),
            now - np.arange(number)[::-1] - 1,
            np.zeros(number, np.uint8),
            np.ones(number, np.float32),
            np.full(number, np.nan, np.float32),
            np.full(number, -1, np.int64),
        )
        vector = self.tower(self.space.user_input(history, UserProfile("somebody new"), now))[0]
        scores = np.where(among, self.vectors @ vector, -np.inf)
        scores[liked] = -np.inf
        return np.argsort(-scores, kind="stable")[:k]


def main() -> None:
    """Print the figures as JSON, and draw both sheets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, default=Path("grocery-project"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path())
    arguments = parser.parse_args()
    shop = Shop(arguments.project, arguments.data)
    found = {"nearest_picture": nearest(shop), "visual_preference": preference(shop)}
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    arguments.out.mkdir(parents=True, exist_ok=True)
    save(shop, similar_sheet(shop), arguments.out / "similar-by-picture.png")
    save(shop, preference_sheet(shop), arguments.out / "visual-preference.png")


def nearest(shop: Shop) -> dict[str, float]:
    """How often the picture nearest to one shows the same class: of 81, and of the coarser ones."""
    everything = np.ones(len(shop.fine), np.bool_)
    found: dict[str, float] = {}
    for name, asked, among in (
        ("test_among_train", np.flatnonzero(shop.unseen), ~shop.unseen),
        ("each_among_all_others", np.arange(len(shop.fine)), everything),
    ):
        first = np.asarray([shop.alike(int(item), 1, among)[0] for item in asked])
        found[f"{name}_class"] = round(float((shop.fine[first] == shop.fine[asked]).mean()), 4)
        found[f"{name}_coarse_class"] = round(float((shop.coarse[first] == shop.coarse[asked]).mean()), 4)
    return found


def preference(shop: Shop) -> dict[str, float]:
    """Share of the top 10 of the coarse class a stranger likes, before and after, over all coarse classes.

    Only pictures without any event are liked and, in `unseen`, listed, so that nothing but the picture can help.
    """
    everything = np.ones(len(shop.fine), np.bool_)
    found: dict[str, list[float]] = {}
    for kind in np.unique(shop.coarse):
        own = np.flatnonzero((shop.coarse == kind) & shop.unseen)
        for name, among in (("all", everything), ("unseen", shop.unseen)):
            liked = own[: max(1, len(own) // 2)]
            left = ((shop.coarse == kind) & among).sum() - among[liked].sum()
            if not left:
                continue
            for moment, given in (("before", liked[:0]), ("after", liked)):
                listed = shop.list_for(given, 10 + len(liked), among)
                listed = listed[~np.isin(listed, liked)][:10]
                share = (shop.coarse[listed] == kind).sum() / min(10, left)
                found.setdefault(f"{name}_{moment}", []).append(float(share))
    return {name: round(float(np.mean(shares)), 4) for name, shares in found.items()} | {
        "coarse_classes": float(len(found["all_after"]))
    }


def similar_sheet(shop: Shop) -> list[Row]:
    """Pictures of the test split, each with the pictures most like it."""
    rng = np.random.default_rng(4)
    asked = np.sort(rng.choice(np.flatnonzero(shop.unseen), 8, replace=False))
    rows = []
    for item in asked.tolist():
        found = shop.alike(item, NEIGHBOURS, np.ones(len(shop.fine), np.bool_)).tolist()
        tiles = [(item, OTHER), *((one, frame(shop, item, one)) for one in found)]
        rows.append((shop.fine_names[int(shop.fine[item])], tiles))
    return rows


def preference_sheet(shop: Shop) -> list[Row]:
    """The list of somebody new: before, and after liking two pictures of one kind, then of another."""
    everything = np.ones(len(shop.fine), np.bool_)
    listed = shop.list_for(np.empty(0, np.intp), LIST, everything).tolist()
    rows = [("before any like: the list", [(item, OTHER) for item in listed])]
    for name in ("Melon", "Pepper", "Juice"):
        kind = next(number for number, called in shop.coarse_names.items() if called == name)
        liked = np.flatnonzero((shop.coarse == kind) & shop.unseen)[:3]
        rows.append((f"likes {name.lower()}", [(item, OTHER) for item in liked.tolist()]))
        listed = shop.list_for(liked, LIST, everything).tolist()
        rows.append(("then the list", [(item, SAME if shop.coarse[item] == kind else OTHER) for item in listed]))
    return rows


def frame(shop: Shop, one: int, other: int) -> tuple[int, int, int]:
    """Green for the same class, amber for the same coarse class, else grey."""
    if shop.fine[one] == shop.fine[other]:
        return SAME
    return NEAR if shop.coarse[one] == shop.coarse[other] else OTHER


def save(shop: Shop, rows: list[Row], path: Path) -> None:
    """Draw rows of pictures, with words beside each row and the class below each picture."""
    columns = max(len(tiles) for _, tiles in rows)
    step = TILE + GAP + LABEL
    sheet = Image.new("RGB", (LEFT + columns * (TILE + GAP) + GAP, len(rows) * step + GAP), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for line, (words, tiles) in enumerate(rows):
        top = GAP + line * step
        draw.text((GAP, top + TILE // 2 - 8), words, fill="black", font=font)
        for place, (item, colour) in enumerate(tiles):
            left = LEFT + place * (TILE + GAP)
            with Image.open(shop.files[item]) as photo:
                tile = ImageOps.fit(photo.convert("RGB"), (TILE - 8, TILE - 8))
            draw.rectangle((left, top, left + TILE - 1, top + TILE - 1), fill=colour)
            sheet.paste(tile, (left + 4, top + 4))
            name = shop.fine_names[int(shop.fine[item])]
            while draw.textlength(name, font=font) > TILE:
                name = name[:-1]
            draw.text((left, top + TILE), name, fill="black", font=font)
    sheet.quantize(192, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)


if __name__ == "__main__":
    main()
