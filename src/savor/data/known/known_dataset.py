"""What a known data set is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from savor.core.errors import DataError
from savor.data.engine import Engine, open_engine
from savor.data.known.publisher import Publication
from savor.data.options import IngestOptions
from savor.data.proposal import Proposal

RAW = "raw"


@dataclass(frozen=True)
class KnownDataset:
    """A published data set and how its files become plain tables.

    Attributes:
        name: as given to `savor init --dataset`.
        title: what it is, in a line.
        terms: under which terms its publisher gives it away.
        publication: where its files are.
        convert: writes plain tables from the publisher's files (second argument) to a folder (third) and says what
            they mean, with sources relative to the project.
    """

    name: str
    title: str
    terms: str
    publication: Publication
    convert: Callable[[Engine, Path, Path], Proposal]

    def prepare(self, directory: Path, source: Path | None = None) -> Proposal:
        """Put the tables in `directory`/raw and propose the configuration that goes with them.

        Args:
            directory: the project folder.
            source: the publisher's archive, its folder, or None to fetch it from the publisher.

        Raises:
            DataError: files are missing or damaged, or cannot be fetched.
        """
        raw = directory / RAW
        raw.mkdir(parents=True, exist_ok=True)
        with open_engine(IngestOptions(), near=directory / ".savor") as engine:
            files = self.publication.obtain(source, raw, engine.workspace)
            return self.convert(engine, files, raw)


def find_file(folder: Path, *names: str) -> Path | None:
    """The first of `names` that is anywhere below `folder`."""
    for name in names:
        found = sorted(path for path in folder.rglob(name) if path.is_file())
        if found:
            return found[0]
    return None


def need_file(folder: Path, *names: str) -> Path:
    """`find_file`, but it must be there.

    Raises:
        DataError: none of them is.
    """
    found = find_file(folder, *names)
    if found is None:
        raise DataError(f"{folder}: none of these files is there: {', '.join(names)}")
    return found
