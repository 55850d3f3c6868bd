"""examples/food-app with few people and dishes: its own scripts and savor.toml, from raw tables to the phone."""

import csv
import importlib.util
import json
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from savor.cli.main import main

EXAMPLE = Path(__file__).parents[2] / "examples" / "food-app"
SMALL = {"embedding_dimension": "8", "hidden": "[16]", "batch_size": "256", "epochs": "2"}
FEWER = """
[ranking]
trees = 10

[evaluation]
resamples = 100
"""


def script(name):
    spec = importlib.util.spec_from_file_location(f"food_app_{name}", EXAMPLE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("food-tables")
    script("make_tables").write_tables(folder, users=120, foods=80, seed=7)
    return folder


@pytest.fixture(scope="module")
def project(tables):
    """Everything up to a published bundle."""
    text = (EXAMPLE / "savor.toml").read_text(encoding="utf-8")
    for key, value in SMALL.items():
        text, changed = re.subn(rf"^{key} = .*$", f"{key} = {value}", text, flags=re.MULTILINE)
        assert changed == 1, key
    (tables / "savor.toml").write_text(text + FEWER, encoding="utf-8")
    run("run", "-C", tables)
    return tables


def run(*arguments):
    with pytest.raises(SystemExit) as caught:
        main([*map(str, arguments)])
    assert caught.value.code in (0, None), arguments


def test_the_same_seed_makes_the_same_tables(tables, tmp_path):
    script("make_tables").write_tables(tmp_path, users=120, foods=80, seed=7)
    for name in ("users.csv", "foods.csv", "orders.csv"):
        assert (tmp_path / name).read_bytes() == (tables / name).read_bytes()


def test_people_are_as_the_readme_says(tables):
    foods = {row["food_id"]: row for row in table(tables / "foods.csv")}
    users = {row["user_id"]: row for row in table(tables / "users.csv")}
    orders = table(tables / "orders.csv")
    assert len(foods) == len({row["name"] for row in foods.values()}) == 80
    assert {row["diet"] for row in foods.values()} == {"veg", "non-veg"}
    meat = Counter(row["user_id"] for row in orders if foods[row["food_id"]]["diet"] == "non-veg")
    vegetarians = {user for user in users if not meat[user]}
    assert 0.05 < len(vegetarians) / len(users) < 0.6
    again = Counter((row["user_id"], row["food_id"]) for row in orders)
    assert sum(count for count in again.values() if count > 1) > 0.4 * len(orders)
    assert len({row["food_id"] for row in orders}) < len(foods)


def test_from_raw_tables_to_the_phone(project, capsys, tmp_path):
    run("export", "-C", project, "--publish", "live", "--users", "100")
    capsys.readouterr()
    run("device", "list", "-C", project, "--json")
    (released,) = json.loads(capsys.readouterr().out)["releases"]
    assert (released["share"], released["number_of_items"]) == (1.0, 80)

    phone = script("on_device")
    phone.Installation(tmp_path / "phone").install(project / ".savor" / "device" / "bundles" / released["release"])
    recommender = phone.EdgeRecommender.open(tmp_path / "phone")
    assert set(recommender.bundle.features.columns) == {"age", "gender", "location"}
    capsys.readouterr()
    phone.play(recommender)
    recommender.close()
    printed = capsys.readouterr().out
    assert printed.count(" ms)") == 5
    assert "you ordered this" in printed or "you bought this" in printed
    foods = {row["name"]: row for row in table(project / "foods.csv")}
    lists = printed.split("\n\n")[1:]
    for shown in lists[1:]:
        names = [line[8:].split("  ")[1] for line in shown.splitlines()[1:] if not line.startswith("  (")]
        assert len(names) == phone.SHOWN
        assert {foods[name]["diet"] for name in names if name in foods} == {"veg"}
