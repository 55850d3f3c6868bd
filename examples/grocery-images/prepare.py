"""Write a project from the Grocery Store pictures: every picture is an item, and people and their likes are made up."""

import argparse
import csv
import sys
from pathlib import Path

import numpy as np

PEOPLE, LIKES, DAYS = 400, 30, 90
CONFIG = """# Written by prepare.py. Towers that see pictures and nothing else.

[project]
name = "grocery-images"

[events]
source = "likes.csv"
user = "person"
item = "picture"
time = "time"
kind = "kind"
value_meaning = "none"

[items]
source = "pictures.csv"
id = "picture"
name = "name"
image = "file"

[images]
folder = '{folder}'
encoder = '{encoder}'
mean = [127.0, 127.0, 127.0]
deviation = [128.0, 128.0, 128.0]

[features]
user_id = false
item_id = false
history = false
session = false
moment = false
price = false
popularity = false
images = true
visual_preference = true

[retrieval]
hidden = [256]
embedding_dimension = 64
batch_size = 512
epochs = 12
learning_rate = 0.002

[ranking]
trees = 100

[pipeline]
sources = ["ann"]

[evaluation]
resamples = 200

[serving]
clock = "data"
"""


def main() -> None:
    """Write `pictures.csv`, `likes.csv`, `savor.toml`, and `tastes.csv`, which no model is told."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with labels.csv, classes.csv and the photos")
    parser.add_argument("--encoder", default="efficientnet_b0", help="path of an ONNX image model")
    parser.add_argument("--out", type=Path, default=Path("grocery-project"))
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    with (arguments.data / "classes.csv").open() as file:
        names = {row["Class ID (int)"]: row["Class Name (str)"] for row in csv.DictReader(file)}
    with (arguments.data / "labels.csv").open() as file:
        labels = list(csv.DictReader(file))
    arguments.out.mkdir(parents=True, exist_ok=True)
    with (arguments.out / "pictures.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["picture", "name", "file", "kind"])
        for row in labels:
            name = names[row["class"]].replace("-", " ")
            writer.writerow([Path(row["file"]).stem, name, row["file"], row["coarse_class"]])
    rng = np.random.default_rng(arguments.seed)
    # Nobody made up likes a picture of the test split: what is known of those is their picture alone.
    known = [row for row in labels if row["split"] == "train"]
    kinds = np.asarray([int(row["coarse_class"]) for row in known])
    likes, tastes = [], []
    for person in range(PEOPLE):
        favourites = rng.choice(np.unique(kinds), 2, replace=False)
        tastes.append([f"person-{person}", *favourites.tolist()])
        pool = np.flatnonzero(np.isin(kinds, favourites))
        chosen = np.where(rng.random(LIKES) < 0.9, rng.choice(pool, LIKES), rng.integers(0, len(known), LIKES))
        moments = 1_700_000_000 + np.sort(rng.integers(0, DAYS * 86_400, LIKES))
        likes += [
            (int(moment), f"person-{person}", Path(known[picture]["file"]).stem)
            for moment, picture in zip(moments, chosen, strict=True)
        ]
    with (arguments.out / "likes.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["time", "person", "picture", "kind"])
        writer.writerows((moment, person, picture, "like") for moment, person, picture in sorted(likes))
    with (arguments.out / "tastes.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["person", "first", "second"], *tastes])
    encoder = arguments.encoder
    if encoder.endswith(".onnx"):
        encoder = str(Path(encoder).resolve())
    configuration = CONFIG.format(folder=arguments.data.resolve(), encoder=encoder)
    (arguments.out / "savor.toml").write_text(configuration)
    written = f"{len(labels)} pictures, {len(likes)} made-up likes of {PEOPLE} made-up people"
    sys.stdout.write(f"{written} in {arguments.out}\n")


if __name__ == "__main__":
    main()
