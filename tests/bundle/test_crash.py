"""What kill -9 and a full disk leave behind."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from savor.bundle.registry import Registry
from savor.bundle.writer import write_bundle
from savor.core.errors import BundleError

KILLED_WHILE = {
    "copying": "shutil.copyfile = lambda source, target: (open(target, 'wb').write(b'half'), die())",
    "syncing": "savor.core.files.fsync_tree = lambda directory: die()",
    "pointing": "savor.bundle.channel.write_json_atomic = half_pointer",
}
PROGRAM = """
import os, shutil, signal, sys
from pathlib import Path
import savor.core.files, savor.bundle.channel
from savor.bundle.registry import Registry
def die():
    os.kill(os.getpid(), signal.SIGKILL)
def half_pointer(path, value):
    path.with_name(f".{path.name}.0.partial").write_text('{"history"')
    die()
%s
Registry(Path(sys.argv[1])).publish(Path(sys.argv[2]))
"""


@pytest.mark.parametrize("when", KILLED_WHILE)
def test_killed_publish_leaves_the_live_bundle(bundles, tmp_path, when):
    registry = Registry(tmp_path / "registry")
    live, candidate = bundles.make("a"), bundles.make("b")
    registry.publish(live.directory)
    program = [sys.executable, "-c", PROGRAM % KILLED_WHILE[when], str(registry.directory), str(candidate.directory)]
    assert subprocess.run(program, check=False, timeout=60).returncode == -signal.SIGKILL
    leftovers = list(registry.directory.rglob("*.partial"))
    assert leftovers
    assert registry.current() == live.id
    registry.open()
    registry.publish(candidate.directory)
    assert registry.current() == candidate.id
    registry.open()
    assert not list(registry.directory.rglob("*.partial"))


def test_an_old_bundle_moved_aside_by_a_crash_comes_back(bundles, tmp_path):
    registry = Registry(tmp_path / "registry")
    live, candidate = bundles.make("a"), bundles.make("b")
    registry.publish(live.directory)
    home = registry.directory / "bundles" / live.id
    home.rename(home.with_name(f".{live.id}.0123.old"))
    registry.publish(candidate.directory)
    assert registry.rollback().bundle == live.id
    registry.open()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 KiB, where this process may mount one."""
    place = tmp_path / "small"
    place.mkdir()
    mount = (
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)], check=False, capture_output=True
        )
        if os.name == "posix" and os.geteuid() == 0
        else None
    )
    if mount is None or mount.returncode != 0:
        pytest.skip("needs to mount a small file system, which this process may not")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_full_disk(bundles, small_disk):
    registry = Registry(small_disk / "registry")
    live = bundles.make("a")
    registry.publish(live.directory)
    large = bundles.make("b", size=500_000)
    with pytest.raises(BundleError, match="is full; nothing was changed") as caught:
        registry.publish(large.directory)
    assert caught.value.code == "disk_full"
    assert registry.current() == live.id
    registry.open()
    assert [path.name for path in (registry.directory / "bundles").iterdir()] == [live.id]


def test_full_disk_without_a_mount(bundles, monkeypatch):
    bundle = bundles.make("a")

    def full(source: Path, target: Path) -> None:
        Path(target).write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("shutil.copyfile", full)
    out = bundles.directory / "elsewhere"
    with pytest.raises(BundleError, match="is full"):
        write_bundle(bundle.directory, bundle.manifest, out)
    assert list(out.iterdir()) == []
