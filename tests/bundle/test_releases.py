import errno
import gzip
import hashlib
import json
import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from savor.bundle.release_index import ReleaseIndex
from savor.bundle.releases import Releases, is_inside
from savor.bundle.rollout import ReleaseChannel, position
from savor.core.errors import BundleError
from savor.core.hashing import sha256_file
from tests.bundle.edge_bundles import MODEL, WORDS, edge_bundle, identifier_of, write_manifest

A, B, C = "a" * 16, "b" * 16, "c" * 16


@pytest.fixture
def releases(tmp_path):
    moments = iter(range(1_700_000_000, 1_800_000_000))
    return Releases(tmp_path / "device", clock=lambda: next(moments))


@pytest.fixture
def index(releases):
    return ReleaseIndex(releases, seconds=0.0)


def test_release_keeps_manifest_and_files_byte_for_byte(releases, tmp_path, index):
    bundle = edge_bundle(tmp_path / "edge")
    released = releases.release(bundle, share=0.25)
    assert (released.channel, released.share, released.files, released.new_files) == ("live", 0.25, 2, 2)
    assert released.size == released.new_bytes == len(MODEL) + len(WORDS)
    shelf = index.shelf()
    manifest, content = shelf.manifests[released.release]
    assert content == (bundle / "edge.json").read_bytes()
    assert manifest.number_of_items == 400
    for name, entry in manifest.files.items():
        kept = shelf.files[entry.sha256]
        assert kept.path.read_bytes() == (bundle / name).read_bytes()
        assert kept.packed is not None
        assert gzip.decompress(kept.packed.read_bytes()) == (bundle / name).read_bytes()
        assert kept.packed_size == kept.packed.stat().st_size < 0.9 * kept.size


def test_only_new_files_are_kept_again(releases, tmp_path):
    releases.release(edge_bundle(tmp_path / "one"))
    changed = releases.release(edge_bundle(tmp_path / "two", {"model.tflite": MODEL, "catalogue.json": b"{}"}))
    assert (changed.files, changed.new_files, changed.new_bytes) == (2, 1, 2)


def test_the_same_content_exported_again_is_the_same_release(releases, tmp_path):
    first = releases.release(edge_bundle(tmp_path / "one", created=1)).release
    given_out = releases.manifest(first)[1]
    assert releases.release(edge_bundle(tmp_path / "two", created=2), share=0.5).release == first
    assert releases.manifest(first)[1] == given_out
    (releases.directory / "releases" / f"{first}.json").write_bytes(given_out[:-9])
    releases.release(tmp_path / "two")
    assert releases.manifest(first)[0].created == 2


def test_what_does_not_shrink_is_not_packed(releases, tmp_path, index):
    noise = os.urandom(5000)
    releases.release(edge_bundle(tmp_path / "edge", {"model.tflite": noise}))
    (kept,) = index.shelf().files.values()
    assert (kept.packed, kept.packed_size) == (None, 0)


def test_a_damaged_kept_file_is_mended_by_releasing_again(releases, tmp_path):
    bundle = edge_bundle(tmp_path / "edge")
    releases.release(bundle)
    kept = releases.file(hashlib.sha256(MODEL).hexdigest())
    kept.write_bytes(MODEL[:-1] + b"x")
    assert releases.release(bundle).new_files == 1
    assert kept.read_bytes() == MODEL


def test_staged_rollout_and_withdrawal(releases, tmp_path, index):
    old = releases.release(edge_bundle(tmp_path / "old")).release
    new = releases.release(edge_bundle(tmp_path / "new", {"model.tflite": b"new"}), share=0.2).release
    devices = [f"device-{number:016d}" for number in range(2000)]

    def having(release):
        channel = index.shelf().channels["live"]
        return {device for device in devices if channel.release_for(device) == release}

    early = having(new)
    assert 0.15 < len(early) / len(devices) < 0.25
    assert having(old) == set(devices) - early
    assert index.shelf().channels["live"].release_for(None) == old
    rollout = releases.rollout(new, 0.6)
    assert (rollout.release, rollout.share) == (new, 0.6)
    assert rollout.changed > rollout.since
    assert early < having(new)
    releases.rollout(new, 1.0)
    assert having(new) == set(devices)
    releases.withdraw(new)
    assert having(old) == set(devices)
    releases.withdraw(old)
    assert having(None) == set(devices)
    assert index.shelf().files == {}


def test_a_file_of_a_withdrawn_release_stays_while_another_has_it(releases, tmp_path, index):
    releases.release(edge_bundle(tmp_path / "one"))
    second = releases.release(edge_bundle(tmp_path / "two", {"model.tflite": MODEL, "secret.json": b"{}"})).release
    releases.withdraw(second)
    assert hashlib.sha256(MODEL).hexdigest() in index.shelf().files
    assert hashlib.sha256(b"{}").hexdigest() not in index.shelf().files


def test_every_release_has_another_queue():
    devices = [f"device-{number:016d}" for number in range(1000)]
    first, second = ({device for device in devices if position(release, device) < 0.1} for release in (A, B))
    assert len(first & second) < 0.4 * len(first)
    assert (
        position(A, devices[0])
        == int.from_bytes(hashlib.sha256(f"{A}:{devices[0]}".encode()).digest()[:8], "big") / 2**64
    )


@given(
    st.lists(
        st.tuples(
            st.sampled_from([A, B, C]), st.sampled_from(["release", "rollout", "withdraw"]), st.floats(0.01, 1.0)
        ),
        max_size=12,
    )
)
def test_a_channel_lists_each_release_once_with_its_last_share(moves):
    channel, expected = ReleaseChannel(), {}
    for at, (release, action, share) in enumerate(moves):
        if action != "release" and release not in expected:
            continue  # the store refuses it
        channel = channel.moved(release, action, share, at)
        if action == "rollout":
            expected[release] = share
        else:
            expected.pop(release, None)
            if action == "release":
                expected[release] = share
    assert [(one.release, one.share) for one in reversed(channel.rollouts)] == list(expected.items())


def refused(releases, bundle, match, code="edge_bundle_invalid", **options):
    with pytest.raises(BundleError, match=match) as caught:
        releases.release(bundle, **options)
    assert caught.value.code == code
    assert releases.channels() == {}


def test_a_changed_file_is_refused(releases, tmp_path):
    bundle = edge_bundle(tmp_path / "edge")
    (bundle / "catalogue.json").write_bytes(WORDS[:-1] + b"!")
    refused(releases, bundle, "catalogue.json is not the file that the manifest names")
    (bundle / "catalogue.json").unlink()
    refused(releases, bundle, "cannot be read")
    assert not list(releases.directory.glob("**/*.partial"))


def test_a_changed_manifest_is_refused(releases, tmp_path):
    bundle = edge_bundle(tmp_path / "edge")
    document = json.loads((bundle / "edge.json").read_text())
    (bundle / "edge.json").write_text(json.dumps({**document, "k": 11}))
    refused(releases, bundle, "adds up to")
    (bundle / "edge.json").write_text(json.dumps({**document, "created": 5}))
    assert releases.release(bundle).release == document["id"]


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "is damaged"),
        (b"[1]", "is damaged"),
        (b'{"format_version": 2, "id": "x"}', "edge format 2"),
        (b'{"format_version": 1, "id": "x", "files": {}}', "is damaged"),
        (b"[" * 200_000, "is damaged"),
        (b" " * (1 << 20) + b"{}", "at most"),
    ],
)
def test_no_manifest(releases, tmp_path, content, match):
    (tmp_path / "edge.json").write_bytes(content)
    refused(releases, tmp_path, match)


def test_no_folder(releases, tmp_path):
    refused(releases, tmp_path / "nothing", "savor export")


HOSTILE = [
    "../model.tflite",
    "/etc/passwd",
    "a//b",
    "a/./b",
    "a\\..\\b",
    "C:x",
    "",
    "a/",
    "edge.json",
    "a\nb",
    "x" * 201,
]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_outside_the_folder_are_refused(releases, tmp_path, name):
    (tmp_path / "edge").mkdir()
    entry = {"size": 1, "sha256": hashlib.sha256(b"x").hexdigest()}
    write_manifest(tmp_path / "edge", {"files": {name: entry}})
    refused(releases, tmp_path / "edge", "which is not a file inside")


@given(st.text(alphabet="a./\\", max_size=8))
def test_inside_means_below_the_folder(name):
    if is_inside(name):
        assert os.path.normpath(f"/f/{name}").startswith("/f/")


@pytest.mark.parametrize("share", [0.0, -0.1, 1.01, float("nan"), float("inf")])
def test_shares_that_are_none(releases, tmp_path, share):
    refused(releases, edge_bundle(tmp_path / "edge"), "share", "share_invalid", share=share)


@pytest.mark.parametrize("channel", ["", "../live", "a b", "a" * 65, "1st", "live\n", "é"])
def test_channels_that_are_none(releases, tmp_path, channel):
    refused(releases, edge_bundle(tmp_path / "edge"), "channel", "channel_invalid", channel=channel)


@pytest.mark.parametrize("release", [A, "../../etc/passwd", ""])
def test_a_release_that_is_not_on_the_channel(releases, tmp_path, release):
    releases.release(edge_bundle(tmp_path / "edge"))
    for change in (lambda: releases.rollout(release, 0.5), lambda: releases.withdraw(release)):
        with pytest.raises(BundleError, match="savor device list") as caught:
            change()
        assert caught.value.code == "release_unknown"


def test_a_full_disk_changes_nothing(releases, tmp_path, index, monkeypatch):
    first = releases.release(edge_bundle(tmp_path / "one")).release
    before = sorted(releases.directory.rglob("*"))

    def full(descriptor):
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(BundleError, match="is full") as caught:
            releases.release(edge_bundle(tmp_path / "two", {"model.tflite": b"two"}))
    assert caught.value.code == "disk_full"
    assert sorted(releases.directory.rglob("*")) == before
    assert index.shelf().channels["live"].release_for(None) == first


def test_what_a_crash_left_is_swept(releases, tmp_path):
    releases.release(edge_bundle(tmp_path / "one"))
    left = releases.directory / "files" / f".{'0' * 64}.abc.partial"
    left.write_bytes(b"half")
    releases.release(edge_bundle(tmp_path / "one"))
    assert not left.exists()


def test_releases_at_once_are_all_there(releases, tmp_path):
    bundles = [edge_bundle(tmp_path / str(number), {"model.tflite": bytes([number])}) for number in range(6)]
    threads = [threading.Thread(target=releases.release, args=(bundle,)) for bundle in bundles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    listed = {rollout.release for rollout in releases.channels()["live"].rollouts}
    assert listed == {identifier_of(bundle) for bundle in bundles}


def test_a_damaged_channel_leaves_what_was_good(releases, tmp_path, index, caplog):
    first = releases.release(edge_bundle(tmp_path / "one")).release
    assert first in index.shelf().manifests
    pointer = releases.directory / "channels" / "live.json"
    good = pointer.read_text()
    pointer.write_text('{"history": 3}')
    for _ in range(3):
        shelf = index.shelf()
        assert first in shelf.manifests
        assert "damaged" in shelf.problem
    assert len(caplog.records) == 1
    pointer.write_text(good)
    assert index.shelf().problem == ""


def test_the_index_answers_from_memory_while_it_is_fresh(releases, tmp_path):
    now = [0.0]
    index = ReleaseIndex(releases, seconds=5.0, clock=lambda: now[0])
    assert index.shelf().channels == {}
    releases.release(edge_bundle(tmp_path / "one"))
    before = index.fresh
    assert index.shelf().channels == {}
    now[0] = 5.0
    assert (before, index.fresh) == (True, False)
    assert set(index.shelf().channels) == {"live"}


def test_tidy_removes_what_nobody_can_get(releases, tmp_path, index):
    made = [releases.release(edge_bundle(tmp_path / str(n), {"m": bytes([n]), "c": b"same"})).release for n in range(5)]
    staged = releases.release(edge_bundle(tmp_path / "s", {"m": b"staged"}), share=0.5).release
    gone = releases.release(edge_bundle(tmp_path / "g", {"m": b"gone"})).release
    releases.withdraw(gone)
    assert releases.tidy(keep=1) == (4, 3 + 4)
    listed = [rollout.release for rollout in index.shelf().channels["live"].rollouts]
    assert listed == [staged, made[4], made[3]]
    assert releases.tidy(keep=1) == (0, 0)
    for sha256, kept in index.shelf().files.items():
        assert sha256_file(kept.path) == sha256
