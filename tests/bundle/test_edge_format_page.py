"""`docs/edge-format.md` against the code that reads and writes the format."""

import re
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest

from savor.bundle.edge_manifest import BESIDE_CONTENT, EDGE_FORMAT_VERSION, EdgeManifest
from savor_edge import features
from savor_edge.edge_model import BARRED, LEAST

PAGE = (Path(__file__).parents[2] / "docs" / "edge-format.md").read_text(encoding="utf-8")


def section(title):
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def first_column(title):
    cells = re.findall(r"^\| (`[^|]+) \|", section(title), re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def test_every_key_of_the_manifest():
    assert set(first_column("`edge.json`")) == {"id", *EdgeManifest.model_fields}
    assert f"This is format version {EDGE_FORMAT_VERSION}." in PAGE
    for key in BESIDE_CONTENT:
        assert f"`{key}`" in section("`edge.json`")


def test_every_kind_of_input():
    source = Path(features.__file__).read_text(encoding="utf-8")
    kinds = set(re.findall(r'kind == "(\w+)"', source))
    what = re.search(r"what in \(([^)]*)\) and part in \(([^)]*)\)", source)
    assert what is not None
    made = {f"{one}_{part}" for one in re.findall(r"\w+", what[1]) for part in re.findall(r"\w+", what[2])}
    written = set(first_column("`features.json`"))
    assert len(kinds) >= 5
    assert kinds <= written <= kinds | made


@pytest.mark.parametrize(("seconds", "bucket"), [(0, 1), (3600, 2), (10_800, 3)])
def test_age_buckets(seconds, bucket):
    assert features.age_bucket(np.asarray([seconds]), 23).tolist() == [bucket]
    assert f"{seconds} s → {bucket}" in PAGE


def test_numbers():
    assert f'crc32("123456789") = {crc32(b"123456789")}' in PAGE
    assert (float(BARRED), float(LEAST)) == (-1e9, -1e8)
    assert "−1e9" in section("`model.tflite`")
    assert "below −1e8" in section("`model.tflite`")
