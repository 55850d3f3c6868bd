"""Getting a data set's files from its publisher, and knowing that they are the right ones."""

import hashlib
import json
import shutil
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from savor.core.errors import DataError, MissingDependencyError
from savor.core.files import write_json_atomic
from savor.core.hashing import sha256_file

RECORD = "SOURCE.json"
_PIECE = 1 << 20
_TIMEOUT = 60


@dataclass(frozen=True)
class Publication:
    """Where a data set's files are.

    Attributes:
        addresses: the publisher's files, archives or plain.
        md5: the publisher's own checksum of the one archive, where it gives one. Where it gives none, the SHA-256 of
            what came first is kept in `raw/SOURCE.json`, and later fetches must agree with it.
        package: an installed Python package that has the files (extra to install, package name), instead.
    """

    addresses: tuple[str, ...] = ()
    md5: str | None = None
    package: tuple[str, str] | None = None

    def obtain(self, source: Path | None, raw: Path, workspace: Path) -> Path:
        """A folder with the files.

        Args:
            source: an archive or a folder on this machine; None to fetch.
            raw: the project's folder for plain tables; the record of the source is kept there.
            workspace: a folder to unpack in.

        Raises:
            DataError: the files cannot be had, or are not those the publisher names.
            MissingDependencyError: the package with the files is not installed.
        """
        if source is None and self.package is not None:
            return _package_folder(*self.package)
        if source is None:
            return self._fetch(raw, workspace / "fetched")
        if not source.exists():
            raise DataError(f"{source}: there is no such file or folder")
        if source.is_dir():
            return source
        if zipfile.is_zipfile(source):
            if self.md5 is not None and _md5(source) != self.md5:
                raise DataError(f"{source.name}: its MD5 is not {self.md5}, which the publisher gives; fetch it again")
            return _unpacked(source, workspace / "unpacked")
        return source.parent

    def _fetch(self, raw: Path, folder: Path) -> Path:
        folder.mkdir()
        record = raw / RECORD
        known = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
        seen = {}
        for address in self.addresses:
            file = folder / address.rsplit("/", 1)[-1]
            _download(address, file)
            if self.md5 is not None and _md5(file) != self.md5:
                raise DataError(f"{address}: what came has not the MD5 {self.md5} that the publisher gives; try again")
            seen[address] = {"sha256": sha256_file(file), "bytes": file.stat().st_size}
            if address in known and known[address] != seen[address]:
                raise DataError(
                    f"{address}: has changed since it was first fetched (see {record}); remove the record to go on"
                )
            if zipfile.is_zipfile(file):
                _unpacked(file, folder / f"{file.stem}_files")
        write_json_atomic(record, seen)
        return folder


def _package_folder(extra: str, package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise MissingDependencyError(package.replace("_", "-"), extra)
    return Path(spec.origin).parent


def _download(address: str, file: Path) -> None:
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT) as answer, file.open("wb") as target:  # noqa: S310
            shutil.copyfileobj(answer, target, _PIECE)
    except (urllib.error.URLError, TimeoutError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise DataError(
            f"{address}: cannot be fetched ({reason}); fetch it by hand and give it with --from PATH"
        ) from None


def _md5(file: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with file.open("rb") as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _unpacked(archive: Path, folder: Path) -> Path:
    try:
        with zipfile.ZipFile(archive) as zipped:
            zipped.extractall(folder)
    except zipfile.BadZipFile as error:
        raise DataError(f"{archive.name}: is a damaged archive ({error}); fetch it again") from None
    return folder
