"""What the serving process loads."""

import json
import subprocess
import sys

PROGRAM = """
import json, sys
from pathlib import Path
from fastapi.testclient import TestClient
from savor.api.app import create_app
from savor.api.serve import load_engine, serve
client = TestClient(create_app(load_engine(Path(sys.argv[1]))))
status = [
    client.post("/recommendations", json={"user_id": "household-3", "explain": True}).status_code,
    client.post("/similar_items", json={"item_id": "1003"}).status_code,
    client.get("/").status_code,
]
print(json.dumps({"status": status, "modules": sorted(sys.modules)}))
"""
HEAVY = {
    "tensorflow",
    "keras",
    "keras_rs",
    "torch",
    "jax",
    "ibis",
    "duckdb",
    "pyarrow",
    "pandas",
    "matplotlib",
    "sklearn",
}


def test_nothing_heavy_is_imported(registry_directory):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(registry_directory)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["status"] == [200, 200, 200]
    modules = {name for name in seen["modules"] if "." not in name}
    assert "savor" in modules
    assert modules & HEAVY == set()
    assert not [name for name in seen["modules"] if name.startswith("savor.training")]
