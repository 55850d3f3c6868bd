"""The distribution `savor-edge`: small, and whole without Savor and TensorFlow."""

import ast
import json
import os
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest

import savor_edge

PROJECT = Path(__file__).parents[2]
PACKAGE = Path(savor_edge.__file__).parent
MOST_INSTALLED = 150_000_000
MOST_OWN = 500_000


def test_nothing_but_numpy_litert_and_the_standard_library_is_imported():
    allowed = {"savor_edge", "numpy", "ai_edge_litert", *sys.stdlib_module_names}
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.partition(".")[0] for name in names} <= allowed, path.name


def test_an_answer_loads_nothing_else(edge_shop):
    program = (
        "import sys; from savor_edge import EdgeRecommender\n"
        f"EdgeRecommender.open({str(edge_shop.folder)!r}).recommend()\n"
        "print([name for name in sys.modules if name.partition('.')[0] in "
        "('savor', 'tensorflow', 'keras', 'pandas', 'pydantic', 'orjson', 'requests')])"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_dependencies_are_those_two():
    project = tomllib.loads((PROJECT / "edge" / "pyproject.toml").read_text())["project"]
    assert sorted(name.partition(">")[0] for name in project["dependencies"]) == ["ai-edge-litert", "numpy"]


@pytest.mark.slow
def test_it_installs_and_answers_in_a_clean_environment(edge_shop, tmp_path):
    clean = tmp_path / "clean"
    venv.create(clean)
    python = str(clean / ("Scripts" if os.name == "nt" else "bin") / "python")
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    done = subprocess.run(
        [*pip, "install", "--quiet", "--no-compile", str(PROJECT / "edge")], check=False, capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"nothing can be installed here: {done.stderr[-300:]}")
    listed = subprocess.run([*pip, "list", "--format", "json"], check=True, capture_output=True)
    names = {one["name"].lower() for one in json.loads(listed.stdout)}
    assert "savor-edge" in names
    assert not {"savor", "tensorflow", "tensorflow-cpu", "keras"} & names
    program = [python, "-I", "-m", "savor_edge"]
    checked = subprocess.run([*program, "check", str(edge_shop.folder)], check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    answered = subprocess.run(
        [*program, "recommend", str(edge_shop.folder)], check=True, capture_output=True, text=True
    )
    assert json.loads(answered.stdout)["num_recommendations"] == 10
    packages = next(clean.rglob("site-packages"))
    assert size(packages / "savor_edge") < MOST_OWN
    assert size(packages) < MOST_INSTALLED


def size(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
