import gzip
import hashlib
import json
from base64 import b64encode
from contextlib import contextmanager

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from savor.api.app import create_app
from savor.api.conditional import asked_range, names_etag, takes_gzip
from savor.api.device_options import DeviceOptions
from savor.api.device_releases import DeviceReleases
from savor.api.live import Live
from savor.api.security import Access
from savor.api.security_options import SecurityOptions
from savor.bundle.releases import Releases
from savor.online.stores.errors import StoreAwayError
from savor.online.stores.options import StoreOptions
from tests.api.live_shop import made_database, prepared
from tests.bundle.edge_bundles import MODEL, WORDS, edge_bundle, identifier_of

DEVICE = "d" * 32
MANIFEST = "/device/channels/live/manifest"
VISITOR = {"user_id": "visitor-0123456789abcdef", "kind": "view", "item_id": "1001"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return made_database(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def edge(tmp_path_factory):
    return edge_bundle(tmp_path_factory.mktemp("edge"))


@pytest.fixture
def releases(tmp_path):
    return Releases(tmp_path / ".savor" / "device")


@pytest.fixture
def project(made, tmp_path):
    return prepared(made, tmp_path)


@contextmanager
def served(project, releases, *, keys=False, options=None):
    """A client of a server that gives out `releases`, without a bundle of its own."""
    options = options or DeviceOptions(follow_seconds=1e-9)
    live = Live.open(StoreOptions(), project)
    try:
        device = DeviceReleases.open(releases.directory, options, live.stores)
        app = create_app(live=live, access=Access(SecurityOptions(), keys, options), device=device)
        yield TestClient(app, base_url="http://localhost", client=("127.0.0.1", 1), raise_server_exceptions=False)
    finally:
        live.close()


@pytest.fixture
def client(project, releases):
    with served(project, releases) as client:
        yield client


def problem_of(answer):
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def key(client, *scopes):
    _, text = client.app.state.live.stores.api_keys.create("app", scopes)
    client.app.state.live.stores.key_ring._read = float("-inf")
    return {"authorization": f"Bearer {text}"}


def test_manifest_comes_as_it_was_exported(client, releases, edge):
    release = releases.release(edge).release
    answer = client.get(MANIFEST, params={"device": DEVICE})
    assert answer.status_code == 200
    assert answer.content == (edge / "edge.json").read_bytes()
    assert answer.headers["etag"] == f'"{release}"'
    assert answer.headers["cache-control"] == "private, no-cache"
    digest = b64encode(hashlib.sha256(answer.content).digest()).decode()
    assert answer.headers["repr-digest"] == f"sha-256=:{digest}:"
    assert "access-control-allow-origin" not in answer.headers
    for header in (f'"{release}"', f'W/"{release}"', f'"x", "{release}"', "*"):
        same = client.get(MANIFEST, params={"device": DEVICE}, headers={"if-none-match": header})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", f'"{release}"')


def test_nothing_is_released_yet(client, releases, edge):
    assert problem_of(client.get(MANIFEST)) == (404, "channel_unknown")
    assert client.get("/device/releases").json()["channels"] == []
    release = releases.release(edge, share=0.5).release
    assert problem_of(client.get(MANIFEST)) == (404, "nothing_released")
    answers = [client.get(MANIFEST, params={"device": f"{number:032d}"}).status_code for number in range(40)]
    assert set(answers) == {200, 404}
    releases.withdraw(release)
    assert problem_of(client.get(MANIFEST, params={"device": DEVICE})) == (404, "nothing_released")


def test_a_staged_rollout_reaches_more_and_more_devices(client, releases, edge, tmp_path):
    old = releases.release(edge).release
    new = releases.release(edge_bundle(tmp_path / "new", {"model.tflite": b"new"}), share=0.3).release

    def having():
        devices = [f"{number:032d}" for number in range(60)]
        given = {device: client.get(MANIFEST, params={"device": device}).json()["id"] for device in devices}
        assert set(given.values()) <= {old, new}
        return {device for device, release in given.items() if release == new}

    first = having()
    assert 0 < len(first) < 40
    assert client.get(MANIFEST).json()["id"] == old
    releases.rollout(new, 0.7)
    assert first < having()
    releases.rollout(new, 1.0)
    assert len(having()) == 60
    releases.withdraw(new)
    assert having() == set()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("device", "short"), ("device", "x" * 65), ("device", "../../../etc/passwd"), ("device", "é" * 20),
        ("current", "A" * 16), ("failed", "0" * 15), ("device", "d" * 16 + "\n"), ("current", ""),
    ],
)  # fmt: skip
def test_what_a_device_may_not_say(client, releases, edge, name, value):
    releases.release(edge)
    assert problem_of(client.get(MANIFEST, params={name: value})) == (422, "validation_failed")


@pytest.mark.parametrize("channel", ["no%20name", "..%2Flive", "1st", "a" * 65, "live.json"])
def test_channels_that_are_none(client, releases, edge, channel):
    releases.release(edge)
    assert client.get(f"/device/channels/{channel}/manifest").status_code in (404, 422)


def test_files_by_their_hash(client, releases, edge):
    releases.release(edge)
    for content in (MODEL, WORDS):
        digest = hashlib.sha256(content).hexdigest()
        plain = client.get(f"/device/files/{digest}", headers={"accept-encoding": "identity"})
        assert (plain.status_code, plain.content) == (200, content)
        assert plain.headers["etag"] == f'"{digest}"'
        assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert plain.headers["content-length"] == str(len(content))
        assert plain.headers["x-content-type-options"] == "nosniff"
        assert plain.headers["vary"] == "accept-encoding"
        with client.stream("GET", f"/device/files/{digest}", headers={"accept-encoding": "gzip"}) as packed:
            sent = b"".join(packed.iter_raw())
        assert packed.headers["content-encoding"] == "gzip"
        assert int(packed.headers["content-length"]) == len(sent) < 0.9 * len(content)
        assert gzip.decompress(sent) == content
        assert packed.headers["etag"] == f'"{digest}-gzip"'
        for etag in (plain.headers["etag"], packed.headers["etag"]):
            same = client.get(f"/device/files/{digest}", headers={"if-none-match": etag})
            assert (same.status_code, same.content) == (304, b"")


def test_a_part_of_a_file(client, releases, edge):
    releases.release(edge)
    digest, size = hashlib.sha256(MODEL).hexdigest(), len(MODEL)
    url = f"/device/files/{digest}"
    for asked, part in (
        ("bytes=0-9", MODEL[:10]), ("bytes=100-", MODEL[100:]), ("bytes=-7", MODEL[-7:]),
        (f"bytes={size - 1}-{size * 9}", MODEL[-1:]), (f"bytes=-{size * 9}", MODEL),
    ):  # fmt: skip
        answer = client.get(url, headers={"range": asked})
        assert (answer.status_code, answer.content) == (206, part), asked
        start = size - len(part) if asked != "bytes=0-9" else 0
        assert answer.headers["content-range"] == f"bytes {start}-{start + len(part) - 1}/{size}"
        assert "content-encoding" not in answer.headers
    for asked in ("bytes=5-2", "bytes=0-1,5-6", "items=0-5", "bytes=-", "bytes=x-", "bytes=" + "9" * 50 + "-"):
        answer = client.get(url, headers={"range": asked})
        assert (answer.status_code, answer.content) == (200, MODEL), asked
    for asked in (f"bytes={size}-", "bytes=-0"):
        answer = client.get(url, headers={"range": asked})
        assert problem_of(answer) == (416, "range_invalid")
        assert answer.headers["content-range"] == f"bytes */{size}"
    assert client.get(url, headers={"range": "bytes=0-9", "if-range": f'"{digest}"'}).status_code == 206
    assert client.get(url, headers={"range": "bytes=0-9", "if-range": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "0" * 64, "0" * 63, "A" * 64, "..%2Fchannels%2Flive.json", "../channels/live.json", "%2e%2e/channels/live.json",
        "..%5Cchannels", "live.json", "%00" * 64, "é" * 32, "a" * 5000, "",
    ],
)  # fmt: skip
def test_no_path_leads_elsewhere(client, releases, edge, path):
    releases.release(edge)
    answer = client.get(f"/device/files/{path}")
    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_files_that_no_release_names_are_not_given(client, releases, edge):
    release = releases.release(edge).release
    stray = releases.file("1" * 64)
    stray.write_bytes(b"stray")
    assert problem_of(client.get(f"/device/files/{'1' * 64}")) == (404, "file_unknown")
    digest = hashlib.sha256(MODEL).hexdigest()
    assert client.get(f"/device/files/{digest}").status_code == 200
    releases.withdraw(release)
    assert problem_of(client.get(f"/device/files/{digest}")) == (404, "file_unknown")


def test_a_file_that_is_gone_from_the_disk(client, releases, edge):
    releases.release(edge)
    digest = hashlib.sha256(MODEL).hexdigest()
    assert client.get(f"/device/files/{digest}").status_code == 200
    for path in releases.directory.glob(f"files/{digest}*"):
        path.unlink()
    assert problem_of(client.get(f"/device/files/{digest}")) == (404, "file_unknown")


def test_devices_are_counted_by_what_runs_on_them(client, releases, edge, tmp_path):
    old = releases.release(edge).release
    new = releases.release(edge_bundle(tmp_path / "new", {"model.tflite": b"new"})).release
    for number in range(5):
        client.get(MANIFEST, params={"device": f"{number:032d}", "current": old if number < 3 else new})
    client.get(MANIFEST, params={"device": f"{0:032d}", "current": old, "failed": new})
    client.get(MANIFEST, params={"device": f"{9:032d}", "current": "9" * 16})
    client.get(MANIFEST, params={"device": f"{10:032d}"})
    client.get(MANIFEST, params={"current": new})
    answer = client.get("/device/releases").json()
    (channel,) = answer["channels"]
    assert (answer["problem"], answer["days"]) == (None, 30.0)
    assert [(one["release"], one["share"], one["running"], one["failed"]) for one in channel["releases"]] == [
        (new, 1.0, 2, 1),
        (old, 1.0, 3, 0),
    ]
    assert channel["elsewhere"] == 1
    assert channel["releases"][0]["size"] == 3
    with client.app.state.live.stores.database.reading() as connection:
        assert "0" * 32 not in str(connection.exec_driver_sql("select * from devices").all())


def test_with_the_database_away_devices_get_their_release(client, releases, edge, monkeypatch):
    release = releases.release(edge).release

    def away():
        raise StoreAwayError("away")

    monkeypatch.setattr(client.app.state.live.stores.database, "writing", away)
    monkeypatch.setattr(client.app.state.live.stores.database, "reading", away)
    assert client.get(MANIFEST, params={"device": DEVICE, "current": release}).status_code == 200
    answer = client.get("/device/releases").json()
    assert answer["channels"][0]["releases"][0]["running"] is None
    assert "away" in answer["problem"]


def test_without_stores_releases_are_given_all_the_same(releases, edge):
    releases.release(edge)
    app = create_app(device=DeviceReleases.open(releases.directory, DeviceOptions(), None))
    client = TestClient(app)
    assert client.get(MANIFEST, params={"device": DEVICE}).status_code == 200
    assert client.get("/device/releases").json()["channels"][0]["elsewhere"] is None
    assert problem_of(TestClient(create_app()).get(MANIFEST)) == (404, "channel_unknown")


def test_who_may_ask_a_server_with_keys(project, releases, edge):
    releases.release(edge)
    file = f"/device/files/{hashlib.sha256(MODEL).hexdigest()}"
    with served(project, releases, keys=True) as client:
        for path in (MANIFEST, file, "/device/releases"):
            assert problem_of(client.get(path)) == (401, "key_missing")
        for scope in ("device", "read", "admin"):
            headers = key(client, scope)
            answers = [client.get(path, headers=headers) for path in (MANIFEST, file)]
            assert [answer.status_code for answer in answers] == [200, 200]
            assert answers[1].headers["cache-control"].startswith("private, ")
            assert (client.get("/device/releases", headers=headers).status_code == 200) == (scope != "device")
        assert problem_of(client.get(MANIFEST, headers=key(client, "write"))) == (403, "scope_missing")
        for path in ("/device", "/device/", "/device/app.js"):
            assert client.get(path).status_code != 401


def test_a_device_key_opens_nothing_else(project, releases, edge):
    releases.release(edge)
    with served(project, releases, keys=True) as client:
        headers = key(client, "device")
        assert client.post("/events", json=VISITOR, headers=headers).status_code == 200
        again = client.post("/events", json=[VISITOR, {**VISITOR, "event_id": "e1"}], headers=headers)
        assert again.status_code == 200
        for user_id in (
            "ann",
            7,
            "visitor-",
            "visitor-short",
            "visitor-0123456789abcdef/x",
            "Visitor-0123456789abcdef",
        ):
            sent = client.post("/events", json=[VISITOR, {**VISITOR, "user_id": user_id}], headers=headers)
            assert problem_of(sent) == (403, "visitors_only"), user_id
        assert (
            client.post("/events", json={**VISITOR, "user_id": "ann"}, headers=key(client, "write")).status_code == 200
        )
        document = client.get("/openapi.json").json()
        opened = {"/device/channels/{channel}/manifest", "/device/files/{sha256}", "/events", "/health", "/ready"}
        for path, calls in document["paths"].items():
            for method in calls:
                if path not in opened:
                    url = path.replace("{", "").replace("}", "").replace(":path", "")
                    answer = client.request(method, url, headers=headers)
                    assert problem_of(answer) == (403, "scope_missing"), (method, path)
        assert client.delete("/events", headers=headers).status_code == 403


def test_public_releases_need_no_key_and_may_be_read_by_pages(project, releases, edge):
    releases.release(edge)
    options = DeviceOptions(public=True, follow_seconds=1e-9, requests_per_second=1e-6, burst=6)
    file = f"/device/files/{hashlib.sha256(MODEL).hexdigest()}"
    with served(project, releases, keys=True, options=options) as client:
        for path in (MANIFEST, file, "/device/channels/other/manifest", "/device/files/" + "0" * 64):
            answer = client.get(path)
            assert answer.status_code in (200, 404)
            assert answer.headers["access-control-allow-origin"] == "*"
        assert client.get(file).headers["cache-control"].startswith("public, ")
        assert client.get("/device/releases").status_code == 401
        assert client.post("/events", json=VISITOR).status_code == 401
        statuses = [client.get(MANIFEST).status_code for _ in range(3)]
        assert statuses == [200, 429, 429]
        limited = client.get(MANIFEST)
        assert problem_of(limited) == (429, "rate_limited")
        assert int(limited.headers["retry-after"]) >= 1
        elsewhere = TestClient(client.app, base_url="http://shop.example", client=("203.0.113.9", 1))
        assert elsewhere.get(MANIFEST).status_code == 200
        network = [
            TestClient(client.app, client=(f"2001:db8::{number}", 1)).get(MANIFEST).status_code for number in range(8)
        ]
        assert network == [200] * 6 + [429] * 2
        calls = client.get("/openapi.json").json()["paths"]
        assert calls["/device/files/{sha256}"]["get"]["security"] == [{}, {"key": []}, {"header": []}]
        assert calls["/device/releases"]["get"]["security"] == [{"key": []}, {"header": []}]


def test_what_is_released_while_it_runs_is_given_out(client, releases, edge):
    assert client.get(MANIFEST).status_code == 404
    releases.release(edge)
    assert client.get(MANIFEST).json()["id"] == identifier_of(edge)


def test_a_device_that_updates(client, releases, edge, tmp_path):
    """The whole way: manifest, changed files, hashes, the next time 304."""
    kept: dict[str, bytes] = {}

    def update(current):
        asked = {"device": DEVICE} | ({"current": current} if current else {})
        answer = client.get(MANIFEST, params=asked, headers={"if-none-match": f'"{current}"'} if current else {})
        if answer.status_code == 304:
            return current, 0
        manifest, fetched = json.loads(answer.content), 0
        for entry in manifest["files"].values():
            if entry["sha256"] not in kept:
                content = client.get(f"/device/files/{entry['sha256']}").content
                assert (len(content), hashlib.sha256(content).hexdigest()) == (entry["size"], entry["sha256"])
                kept[entry["sha256"]] = content
                fetched += 1
        return manifest["id"], fetched

    first = releases.release(edge).release
    assert update(None) == (first, 2)
    assert update(first) == (first, 0)
    second = releases.release(
        edge_bundle(tmp_path / "b", {"model.tflite": MODEL + b"1", "catalogue.json": WORDS})
    ).release
    assert update(first) == (second, 1)
    releases.withdraw(second)
    assert update(second) == (first, 0)


@given(st.integers(0, 50), st.integers(0, 60), st.integers(0, 60))
def test_ranges_are_those_of_the_standard(size, first, last):
    content = bytes(range(size))
    if first >= size:
        with pytest.raises(ValueError, match=f"{size} bytes"):
            asked_range(f"bytes={first}-", size)
    else:
        rest = asked_range(f"bytes={first}-", size)
        assert rest is not None
        assert content[slice(*rest)] == content[first:]
        part = asked_range(f"bytes={first}-{last}", size)
        assert (part is None) == (last < first)
        if part is not None:
            assert content[slice(*part)] == content[first : last + 1]
    if size and last:
        end = asked_range(f"bytes=-{last}", size)
        assert end is not None
        assert content[slice(*end)] == content[-last:]


def test_conditions():
    assert takes_gzip("br, gzip;q=0.5")
    assert takes_gzip("GZIP")
    assert not any(map(takes_gzip, [None, "", "br", "gzip;q=0", "gzip; q=0.0", "identity"]))
    assert names_etag('"a", "b"', "b")
    assert not any(names_etag(header, "b") for header in (None, "", '"a"', '"bb"'))
