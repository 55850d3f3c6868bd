"""Makes the three raw tables of a food app: users.csv, foods.csv and orders.csv.

Nobody in them exists. What people order follows from who they are made to be, so that there is something to learn:
where they live decides which cuisines they lean to, each has flavours they like and finds those in the descriptions,
a vegetarian never orders meat, the young mind the price more, and everybody comes back to what they had before. Gender
decides nothing. The same seed always makes the same tables.

    python make_tables.py --out food-project
"""

import argparse
import csv
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FIRST_DAY = np.datetime64("2026-01-05T00:00:00")
DAYS = 180
NEW_SHARE = 0.04
"""Share of the foods that nobody had a chance to order yet."""

CUISINES: dict[str, tuple[str, ...]] = {
    "north indian": ("tikka masala", "korma", "biryani", "jalfrezi", "kathi roll", "tandoori platter", "saag"),
    "south indian": ("dosa", "uttapam", "coconut curry", "chettinad curry", "pepper fry", "lemon rice", "thali"),
    "italian": ("lasagne", "pizza", "risotto", "ravioli", "penne", "gnocchi", "focaccia sandwich"),
    "chinese": ("chow mein", "fried rice", "dumplings", "hot pot", "spring rolls", "mapo bowl", "congee"),
    "thai": ("green curry", "red curry", "pad thai", "basil stir-fry", "noodle soup", "larb salad", "satay"),
    "japanese": ("ramen", "donburi", "katsu curry", "sushi rolls", "udon", "bento", "okonomiyaki"),
    "mexican": ("tacos", "burrito", "enchiladas", "quesadilla", "fajita plate", "tostadas", "pozole"),
    "middle eastern": ("shawarma", "kofta", "mezze plate", "tagine", "pilaf", "kebab wrap", "shakshuka"),
    "american": ("burger", "club sandwich", "mac and cheese", "chilli bowl", "barbecue plate", "cobb salad", "wings"),
    "korean": ("bibimbap", "bulgogi bowl", "jjigae stew", "japchae", "kimbap", "tteokbokki", "pancake"),
}
VEG = ("paneer", "tofu", "chickpea", "mushroom", "spinach", "aubergine")
NON_VEG = ("chicken", "lamb", "prawn", "fish", "beef", "egg")
FLAVOURS: dict[str, tuple[str, ...]] = {
    "hot": ("fiery with bird's eye chillies", "hot with black pepper", "with a slow chilli burn"),
    "creamy": ("in a silky cream sauce", "rich with butter and cashew", "smooth with coconut milk"),
    "smoky": ("charred over open coals", "smoked over oak", "grilled until blistered"),
    "tangy": ("sharp with lime and tamarind", "bright with pickled onions", "sour with fermented cabbage"),
    "fresh": ("with crisp herbs and cucumber", "light, with mint and young greens", "with raw vegetables and sesame"),
    "sweet": ("glazed with honey and soy", "sweet with caramelised onion", "with roasted squash and dates"),
}
SIDES = ("served with steamed rice", "with warm flatbread", "with a small salad", "in a generous bowl", "made to share")
CITIES: dict[str, tuple[str, ...]] = {
    "Mumbai": ("north indian", "south indian", "chinese"),
    "Chennai": ("south indian", "north indian", "thai"),
    "London": ("north indian", "italian", "middle eastern"),
    "New York": ("american", "italian", "chinese"),
    "Mexico City": ("mexican", "american", "korean"),
    "Istanbul": ("middle eastern", "italian", "american"),
    "Osaka": ("japanese", "korean", "chinese"),
    "Bangkok": ("thai", "chinese", "japanese"),
}
VEGETARIANS = {"Mumbai": 0.4, "Chennai": 0.4, "London": 0.2}
GENDERS = ("female", "male", "other")


@dataclass(frozen=True)
class Foods:
    """The catalogue: one place for each food in every column."""

    names: list[str]
    cuisines: list[str]
    veg: NDArray[np.bool_]
    descriptions: list[str]
    prices: NDArray[np.float64]
    flavours: NDArray[np.float64]  # (I, flavours): 1 where the description speaks of it
    appeal: NDArray[np.float64]  # how well it sells, as a logarithm
    new: NDArray[np.bool_]


@dataclass(frozen=True)
class Person:
    """Who orders: columns of the table, and the taste behind them."""

    age: int
    gender: str
    city: str
    vegetarian: bool
    cuisines: NDArray[np.float64]
    flavours: NDArray[np.float64]


def made_foods(count: int, rng: np.random.Generator) -> Foods:
    """Draw `count` different foods."""
    every = [
        (cuisine, dish, main, main in VEG)
        for cuisine, dishes in CUISINES.items()
        for dish, main in product(dishes, VEG + NON_VEG)
    ]
    if count > len(every):
        raise SystemExit(f"there are {len(every)} different foods; --foods {count} is more")
    chosen = [every[place] for place in sorted(rng.choice(len(every), count, replace=False))]
    flavours = np.zeros((count, len(FLAVOURS)))
    descriptions = []
    for number, (cuisine, dish, main, _) in enumerate(chosen):
        first, second = rng.choice(len(FLAVOURS), 2, replace=False)
        flavours[number, [first, second]] = 1.0
        words = [str(rng.choice(list(FLAVOURS.values())[flavour])) for flavour in (first, second)]
        descriptions.append(f"{cuisine.title()} {dish} of {main}, {words[0]} and {words[1]}, {rng.choice(SIDES)}.")
    return Foods(
        names=[f"{main} {dish}".capitalize() for _, dish, main, _ in chosen],
        cuisines=[cuisine for cuisine, *_ in chosen],
        veg=np.array([veg for *_, veg in chosen]),
        descriptions=descriptions,
        prices=np.round(rng.gamma(9.0, 1.1, count) + 3.0, 1),
        flavours=flavours,
        appeal=rng.normal(0.0, 0.6, count),
        new=rng.random(count) < NEW_SHARE,
    )


def made_person(rng: np.random.Generator) -> Person:
    """Draw one."""
    city = str(rng.choice(list(CITIES)))
    cuisines = rng.normal(0.0, 0.8, len(CUISINES))
    for rank, cuisine in enumerate(CITIES[city]):
        cuisines[list(CUISINES).index(cuisine)] += 1.8 - 0.4 * rank
    return Person(
        age=int(np.clip(rng.normal(36, 13), 16, 80)),
        gender=str(rng.choice(GENDERS, p=[0.48, 0.48, 0.04])),
        city=city,
        vegetarian=bool(rng.random() < VEGETARIANS.get(city, 0.1)),
        cuisines=cuisines,
        flavours=rng.normal(0.0, 1.0, len(FLAVOURS)),
    )


def wishes(person: Person, foods: Foods) -> NDArray[np.float64]:
    """(I,) probabilities that a person who tries something orders each food."""
    places = {cuisine: place for place, cuisine in enumerate(CUISINES)}
    logits = person.cuisines[[places[cuisine] for cuisine in foods.cuisines]]
    logits = logits + foods.flavours @ person.flavours + foods.appeal
    logits -= (foods.prices - foods.prices.mean()) * (0.16 if person.age < 30 else 0.06)
    logits[foods.new | (person.vegetarian & ~foods.veg)] = -np.inf
    weights = np.exp(logits - logits.max())
    probabilities: NDArray[np.float64] = weights / weights.sum()
    return probabilities


def orders_of(user: str, person: Person, foods: Foods, rng: np.random.Generator) -> Iterable[tuple[object, ...]]:
    """Rows (order, user, food, moment, quantity) of one person, oldest first."""
    probabilities = wishes(person, foods)
    times_had = np.zeros(len(foods.names))
    day, gap, number = float(rng.uniform(0, 20)), float(rng.gamma(4.0, 1.6)), 0
    while day < DAYS:
        hour = rng.choice([12, 13, 19, 20]) + rng.uniform(0, 1)
        moment = FIRST_DAY + np.timedelta64(int(int(day) * 86_400 + hour * 3_600), "s")
        basket: dict[int, int] = {}
        for _ in range(1 + rng.binomial(2, 0.3)):
            again = times_had.any() and rng.random() < 0.5
            food = int(rng.choice(len(probabilities), p=times_had / times_had.sum() if again else probabilities))
            basket[food] = basket.get(food, 0) + 1
        for food, quantity in basket.items():
            times_had[food] += 1
            yield f"{user}-{number}", user, f"f{food}", moment, quantity
        number += 1
        day += float(rng.exponential(gap)) + 0.4


def write_tables(out: Path, *, users: int = 1500, foods: int = 480, seed: int = 7) -> int:
    """Write the tables into the folder `out`; gives the number of orders' lines."""
    rng = np.random.default_rng(seed)
    catalogue = made_foods(foods, rng)
    people = [made_person(rng) for _ in range(users)]
    lines = [row for number, one in enumerate(people) for row in orders_of(f"u{number}", one, catalogue, rng)]
    lines.sort(key=lambda row: (row[3], row[0]))
    out.mkdir(parents=True, exist_ok=True)
    _write(
        out / "users.csv",
        ("user_id", "age", "gender", "location"),
        ((f"u{number}", one.age, one.gender, one.city) for number, one in enumerate(people)),
    )
    columns = (catalogue.names, catalogue.cuisines, catalogue.veg, catalogue.descriptions, catalogue.prices)
    _write(
        out / "foods.csv",
        ("food_id", "name", "cuisine", "diet", "description", "price"),
        (
            (f"f{number}", name, cuisine, "veg" if veg else "non-veg", description, f"{price:.2f}")
            for number, (name, cuisine, veg, description, price) in enumerate(zip(*columns, strict=True))
        ),
    )
    _write(out / "orders.csv", ("order_id", "user_id", "food_id", "ordered_at", "quantity"), lines)
    return len(lines)


def _write(path: Path, header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def main() -> None:
    """Write the tables, and say how much."""
    parser = argparse.ArgumentParser(description="Make users.csv, foods.csv and orders.csv of a food app.")
    parser.add_argument("--out", type=Path, default=Path("food-project"), help="folder to write to")
    parser.add_argument("--users", type=int, default=1500)
    parser.add_argument("--foods", type=int, default=480)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    lines = write_tables(asked.out, users=asked.users, foods=asked.foods, seed=asked.seed)
    sys.stdout.write(f"{asked.out}: {asked.users} users, {asked.foods} foods, {lines} lines of orders\n")


if __name__ == "__main__":
    main()
