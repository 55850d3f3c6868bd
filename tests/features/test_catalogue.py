import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from savor.core.errors import BundleError
from savor.data.schema import Schema
from savor.features.catalogue import Catalogue
from tests.features.synthetic import make_events, shop


def dataset_of(items: pa.Table, schema: dict, events=None):
    sections = {"events": {"source": "e.csv", "user": "u", "item": "i", "time": "t"}, "items": schema}
    return SimpleNamespace(items=items, schema=Schema.model_validate(sections), events=events)


def test_save_and_load(tmp_path):
    _, catalogue, _, _ = shop()
    catalogue.save(tmp_path / "catalogue")
    again = Catalogue.load(tmp_path / "catalogue")
    assert again.ids == catalogue.ids
    assert again.names == catalogue.names
    assert again.index["item-7"] == 7
    for name, column in catalogue.categories.items():
        assert again.categories[name].values == column.values
        assert np.array_equal(again.categories[name].codes, column.codes)
    assert again.tags["diet"].of(2) == catalogue.tags["diet"].of(2)
    assert np.array_equal(again.numerics["weight"], catalogue.numerics["weight"], equal_nan=True)
    assert np.array_equal(again.price, catalogue.price)
    assert again.owner is None


def test_saving_twice_gives_the_same_bytes(tmp_path):
    _, catalogue, _, _ = shop()
    for name in ("one", "two"):
        catalogue.save(tmp_path / name)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_a_damaged_catalogue_is_a_bundle_error(tmp_path):
    _, catalogue, _, _ = shop()
    catalogue.save(tmp_path)
    (tmp_path / "price.npy").write_bytes((tmp_path / "price.npy").read_bytes()[:40])
    with pytest.raises(BundleError, match="cannot be read"):
        Catalogue.load(tmp_path)
    with pytest.raises(BundleError):
        Catalogue.load(tmp_path / "absent")


def test_from_a_dataset_with_every_role():
    table = pa.table(
        {
            "id": ["a", "b", "c"],
            "title": ["Apple", None, "Corn"],
            "kind": ["fruit", None, "grain"],
            "diet": [["vegan"], None, []],
            "weight": [1.0, None, 3.0],
            "cost": [2.5, None, 1.0],
            "stock": [0.0, None, 4.0],
            "shop": ["x", "y", None],
        }
    )
    schema = {
        "source": "i.csv", "id": "id", "name": "title", "categories": ["kind"], "tags": ["diet"],
        "numerics": ["weight"], "price": "cost", "stock": "stock", "owner": "shop",
    }  # fmt: skip
    catalogue = Catalogue.from_dataset(dataset_of(table, schema))
    assert catalogue.names == ["Apple", "b", "Corn"]
    assert catalogue.categories["kind"].values == ["", "fruit", "grain"]
    assert catalogue.categories["kind"].codes.tolist() == [1, 0, 2]
    assert catalogue.in_stock.tolist() == [False, True, True]
    assert np.isnan(catalogue.price[1])
    assert catalogue.owner is not None
    assert catalogue.owner.codes.tolist() == [1, 2, 0]


def test_a_price_that_is_not_given_is_the_median_of_what_was_paid_before():
    table = pa.table({"id": ["a", "b"]})
    events = make_events([0] * 6, [0] * 6, [1, 2, 3, 4, 5, 6], price=[1, 9, 2, 3, 100, 100], split=[0, 0, 0, 0, 1, 2])
    dataset = dataset_of(table, {"source": "i.csv", "id": "id"}, events)
    assert Catalogue.from_dataset(dataset).price[0] == 2.5
    assert Catalogue.from_dataset(dataset, until=4).price[0] == 2.0
    assert np.isnan(Catalogue.from_dataset(dataset).price[1])


def test_what_serving_imports_brings_no_data_engine():
    script = (
        "import sys; import savor.features.feature_space, savor.features.catalogue, savor.models.litert_tower; "
        "heavy = {'tensorflow', 'keras', 'pyarrow', 'ibis', 'duckdb', 'pandas', 'onnxruntime', 'tokenizers'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
