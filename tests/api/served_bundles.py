"""A registry with several bundles of the small shop, for tests of switching between them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from savor.api.engine import Engine
from savor.api.serve import load_engine
from savor.bundle.bundle import Bundle
from savor.bundle.registry import Registry
from tests.synthetic_bundle import made_shop, seal


def another_bundle(shared: Path, folder: Path, own_items: int, change: Callable[[Path], None] | None = None) -> Bundle:
    """The shop's bundle with another setting, below `folder`; it answers nearly the same."""
    parts = folder / f"parts-{own_items}"
    shutil.copytree(made_shop(shared).directory, parts)
    config = json.loads((parts / "config.json").read_text())
    (parts / "config.json").write_text(json.dumps({**config, "pipeline": {"own_items": own_items}}))
    if change is not None:
        change(parts)
    made = seal(parts, folder / "made")
    shutil.rmtree(parts)
    return made


def loader(registry: Registry) -> Callable[[str], Engine]:
    """Loads bundles of `registry`."""
    return lambda bundle: load_engine(registry.directory, bundle=bundle, quiet=False)
