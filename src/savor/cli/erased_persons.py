"""Who must be left out of the next data set."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from savor.core.folders import ProjectFolder

if TYPE_CHECKING:
    from savor.online.stores.options import StoreOptions


@contextmanager
def erased_persons(
    options: "StoreOptions", folder: ProjectFolder
) -> Iterator[Callable[[Sequence[str]], NDArray[np.int64]] | None]:
    """What says of users when they were erased (see `Tombstones.moments`); None where nobody ever was.

    Raises:
        ConfigError: the address of the live database cannot be used.
        StoreAwayError: it cannot be reached, so that nobody can tell who must be left out.
    """
    from savor.online.stores.database import Database
    from savor.online.stores.stores import DATABASE_VARIABLE, database_address
    from savor.online.stores.tombstone_key import tombstone_key
    from savor.online.stores.tombstones import Tombstones

    default = type(options).model_fields["database"].default
    never_served = not (folder.root / ".savor" / "live.db").exists()
    if never_served and options.database == default and DATABASE_VARIABLE not in os.environ:
        yield None
        return
    with closing(Database.open(database_address(options), folder.root)) as database:
        tombstones = Tombstones(database, tombstone_key(folder.root / ".savor" / "erasure.key"))
        yield tombstones.moments if tombstones.read_after(0, 1) else None
