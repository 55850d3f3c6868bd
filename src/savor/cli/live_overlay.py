"""What happened since the bundle was made, for commands that answer without a server."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from savor.core.folders import ProjectFolder

if TYPE_CHECKING:
    from savor.pipeline.build import StatesOver


@contextmanager
def live_overlay(folder: ProjectFolder) -> Iterator["StatesOver | None"]:
    """What lays live state over the users of a bundle; None where the project never had any.

    Raises:
        ConfigError: the stores of the project cannot be used as they are written.
    """
    from savor.cli.serving_section import read_stores
    from savor.online.stores.options import StoreOptions
    from savor.online.stores.stores import DATABASE_VARIABLE

    options = read_stores(folder)
    never_served = not (folder.root / ".savor" / "live.db").exists()
    if never_served and options.database == StoreOptions().database and DATABASE_VARIABLE not in os.environ:
        yield None
        return
    from savor.api.live import Live

    live = Live.open(options, folder.root)
    try:
        yield live.over
    finally:
        live.close()
