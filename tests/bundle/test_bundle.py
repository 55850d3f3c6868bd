import json

import pytest

from savor.bundle.bundle import Bundle
from savor.bundle.manifest import MANIFEST_NAME, Metadata
from savor.bundle.writer import write_bundle
from savor.core.errors import BundleError


def test_round_trip(bundles):
    made = bundles.make()
    opened = Bundle.open(made.directory)
    assert opened.manifest == made.manifest
    assert opened.directory.name == opened.id
    assert opened.manifest.seeds == {"training": 1}
    assert opened.path("vectors/items.npy").read_bytes() == b"a" * 1000
    assert opened.path("vectors").is_dir()
    assert opened.size == 1002


def test_id_follows_content_and_not_the_moment(bundles):
    first = bundles.make(moment=1)
    assert bundles.make(moment=2).id == first.id
    assert bundles.make("b").id != first.id
    assert bundles.make(ndcg=0.5).id != first.id


def test_absent_part_is_named(bundles):
    bundle = bundles.make()
    assert not bundle.has("towers")
    with pytest.raises(BundleError, match=r"'towers/user\.tflite'"):
        bundle.path("towers/user.tflite")


def damage(bundle, how):
    path = bundle.directory / "vectors" / "items.npy"
    content = path.read_bytes()
    match how:
        case "truncated":
            path.write_bytes(content[:-1])
        case "changed":
            path.write_bytes(b"x" + content[1:])
        case "missing":
            path.unlink()
        case "extra":
            (bundle.directory / "vectors" / "more.npy").write_bytes(b"")
        case "linked":
            path.unlink()
            path.symlink_to(bundle.directory / "config.json")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("truncated", r"vectors/items\.npy is truncated: 999 of 1000 bytes"),
        ("changed", r"vectors/items\.npy was changed"),
        ("missing", r"vectors/items\.npy is missing"),
        ("extra", r"vectors/more\.npy does not belong"),
        ("linked", r"vectors/items\.npy is missing"),
    ],
)
def test_damage_names_the_file_and_what_to_do(bundles, how, message):
    bundle = bundles.make()
    damage(bundle, how)
    with pytest.raises(BundleError, match=message) as caught:
        Bundle.open(bundle.directory)
    assert "savor rollback" in str(caught.value)


def test_without_verification_sizes_still_count(bundles):
    bundle = bundles.make()
    damage(bundle, "changed")
    Bundle.open(bundle.directory, verify=False)
    damage(bundle, "truncated")
    with pytest.raises(BundleError, match="truncated"):
        Bundle.open(bundle.directory, verify=False)


def test_damaged_manifest(bundles, tmp_path):
    bundle = bundles.make()
    path = bundle.directory / MANIFEST_NAME
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "data_fingerprint": "other"}))
    with pytest.raises(BundleError, match="was changed after it was written"):
        Bundle.open(bundle.directory)
    path.write_text(json.dumps({**document, "format_version": 99}))
    with pytest.raises(BundleError, match="bundle format 99"):
        Bundle.open(bundle.directory)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(BundleError, match="damaged"):
        Bundle.open(bundle.directory)
    path.write_bytes(b"\xff")
    with pytest.raises(BundleError, match="UTF-8"):
        Bundle.open(bundle.directory)
    with pytest.raises(BundleError, match=r"manifest\.json is missing"):
        Bundle.open(tmp_path / "nowhere")


def test_nothing_to_write(tmp_path):
    metadata = Metadata(schema_hash="", data_fingerprint="", split_hash="")
    with pytest.raises(BundleError, match="savor train"):
        write_bundle(tmp_path / "absent", metadata, tmp_path / "made")
