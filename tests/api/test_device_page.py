import gzip

import pytest
from fastapi.testclient import TestClient

from savor.api.app import create_app
from savor.api.routes import device_page

WASM = b"\0asm" + bytes(1000)


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A folder as the build leaves it."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<title>Savor</title>")
    (tmp_path / "sw.js").write_text("self")
    (tmp_path / "manifest.webmanifest").write_text("{}")
    (tmp_path / "assets" / "app-0123456789.js").write_text("app")
    (tmp_path / "assets" / "icon.svg").write_text("<svg/>")
    (tmp_path / "assets" / "litert-0123456789.wasm.gz").write_bytes(gzip.compress(WASM))
    (tmp_path.parent / "secret.js").write_text("secret")
    monkeypatch.setattr(device_page, "BUILT", tmp_path)
    return tmp_path


@pytest.fixture
def visitor():
    """Somebody who asks a server without a bundle: the app needs none to be loaded."""
    with TestClient(create_app()) as client:
        yield client


def test_without_the_slash_it_goes_on_to_the_app(visitor, built):
    answer = visitor.get("/device?channel=beta", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "device/?channel=beta")
    assert visitor.get("/device?channel=beta").text == "<title>Savor</title>"


@pytest.mark.parametrize(
    ("path", "kind", "caching"),
    [
        ("", "text/html; charset=utf-8", "no-cache"),
        ("sw.js", "text/javascript; charset=utf-8", "no-cache"),
        ("manifest.webmanifest", "application/manifest+json", "no-cache"),
        ("assets/app-0123456789.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        ("assets/icon.svg", "image/svg+xml", "public, max-age=3600"),
        ("assets/litert-0123456789.wasm", "application/wasm", "public, max-age=31536000, immutable"),
    ],
)
def test_every_file_comes_with_its_kind_and_a_strict_policy(path, kind, caching, visitor, built):
    answer = visitor.get(f"/device/{path}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == kind
    assert answer.headers["cache-control"] == caching
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "'unsafe-eval'" not in policy


def test_the_runtime_is_sent_packed_to_whom_can_unpack_it(visitor, built):
    path = "/device/assets/litert-0123456789.wasm"
    packed = visitor.get(path)
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "accept-encoding"
    assert packed.content == WASM
    plain = visitor.get(path, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == WASM


@pytest.mark.parametrize(
    "path", ["assets/absent.js", "other.js", "assets/%2e%2e/sw.js", "assets/..%2f..%2fsecret.js", "assets/.hidden"]
)
def test_nothing_else_is_given_out(path, visitor, built):
    assert visitor.get(f"/device/{path}").status_code in (404, 422)


def test_a_clone_without_the_app_says_how_to_build_it(visitor, tmp_path, monkeypatch):
    monkeypatch.setattr(device_page, "BUILT", tmp_path / "<device>")
    answer = visitor.get("/device")
    assert answer.status_code == 503
    assert "make device" in answer.text
    assert "&lt;device&gt;" in answer.text
    assert visitor.get("/device/sw.js").status_code == 404
