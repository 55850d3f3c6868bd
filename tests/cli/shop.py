"""A made-up shop: households that buy their favourites again and again, written as the tables a person would have."""

from pathlib import Path

import numpy as np

USERS, ITEMS, DAYS = 90, 60, 200
SMALL = """
[features]
text = false

[retrieval]
hidden = [16]
embedding_dimension = 8
history_width = 4
category_width = 4
id_width = 4
batch_size = 256
epochs = 2

[ranking]
trees = 20
minimum_child_weight = 1.0

[evaluation]
resamples = 100
cutoffs = [5, 10]
"""
"""Sections that make training small."""


def write_tables(folder: Path, seed: int = 0) -> None:
    """Write `sales.csv`, `products.csv` and `households.csv`."""
    rng = np.random.default_rng(seed)
    rows, basket = [], 0
    for user in range(USERS):
        favourites = rng.choice(ITEMS, 6, replace=False)
        day = float(rng.uniform(0, 6))
        while day < DAYS:
            basket += 1
            bought = set(favourites[rng.random(6) < 0.6]) | set(rng.integers(0, ITEMS, rng.integers(0, 3)))
            moment = np.datetime64("2024-01-01T08:00:00") + np.timedelta64(int(day * 86_400), "s")
            rows += [
                f"h{user},p{item},{moment},{basket},{rng.integers(1, 4)},{1 + item % 7}.50" for item in sorted(bought)
            ]
            day += float(rng.uniform(3, 9))
    (folder / "sales.csv").write_text(
        "household_id,product_id,sold_at,basket_id,quantity,amount\n" + "\n".join(rows) + "\n"
    )
    products = [
        f"p{item},Product {item},{['dairy', 'bakery', 'fruit', 'drinks'][item % 4]},{1 + item % 7}.50"
        for item in range(ITEMS)
    ]
    (folder / "products.csv").write_text("product_id,title,category,price\n" + "\n".join(products) + "\n")
    households = [f"h{user},{['young', 'middle', 'old'][user % 3]}" for user in range(USERS)]
    (folder / "households.csv").write_text("household_id,age_group\n" + "\n".join(households) + "\n")
