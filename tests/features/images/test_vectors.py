import http.server
import threading

import numpy as np
import pytest
from PIL import Image

from savor.features.embedding_store import EmbeddingStore
from savor.features.images import vectors as module
from savor.features.images.source import ImageSource
from savor.features.images.vectors import ImageVectors


class MeanColour:
    name, dimension, size = "mean-colour", 3, 8

    def __init__(self):
        self.encoded = 0

    def encode(self, images):
        assert images.dtype == np.uint8
        self.encoded += len(images)
        return images.astype(np.float32).mean(axis=(1, 2)) + 1


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "photos"
    made.mkdir()
    for number, colour in enumerate([(250, 0, 0), (0, 250, 0), (0, 0, 250)]):
        Image.new("RGB", (30, 20), colour).save(made / f"{number}.png")
    (made / "copy.png").write_bytes((made / "0.png").read_bytes())
    (made / "bad.png").write_bytes(b"no picture")
    (made / "bad-copy.png").write_bytes(b"no picture")
    (made / "big.png").write_bytes(b"0" * 3000)
    return made


def encode(locations, folder, encoder=None, **more):
    encoder = encoder or MeanColour()
    store = EmbeddingStore(folder.parent / "store", encoder.name, encoder.dimension)
    source = ImageSource(folder, folder.parent / "downloads", maximum_bytes=2000, **more)
    return ImageVectors.encode(locations, source, encoder, store)


def test_faults_are_zero_vectors_with_a_count_and_a_reason(folder):
    locations = ["0.png", None, "bad.png", "1.png", "none.png", "copy.png", "bad-copy.png", "big.png", "", "x\0y",
                 "http://127.0.0.1/a.png", "ftp://127.0.0.1/a.png", ".", "2.png/more"]  # fmt: skip
    encoder = MeanColour()
    vectors, report = encode(locations, folder, encoder)
    items = np.arange(-1, len(locations) + 1, dtype=np.int32)
    known = vectors.known(items)[:, 0]
    assert known.tolist() == [0, 1, 0, 0, 1, 0, 1, *[0] * 9]
    of = vectors.of(items)
    assert np.linalg.norm(of[known > 0], axis=1) == pytest.approx(1, abs=1e-3)
    assert not of[known == 0].any()
    assert np.array_equal(of[1], of[6])
    assert encoder.encoded == 2
    assert (report.items, report.without, report.pictures, report.encoded) == (14, 2, 2, 2)
    assert report.faults == {
        "it is not a picture": 2,
        "there is no such file": 2,
        "the file is larger than images.maximum_megabytes": 1,
        "the file cannot be read": 2,
        "it is an address, and images.allow_urls is false": 1,
        "only paths and http or https addresses are read": 1,
    }
    assert any("2 pictures left out: it is not a picture (bad-copy.png, bad.png)" in line for line in report.lines)


def test_only_changed_pictures_are_encoded_again(folder):
    locations = ["0.png", "1.png", "2.png"]
    before, _ = encode(locations, folder)
    again = MeanColour()
    encode(locations, folder, again)
    assert again.encoded == 0
    Image.new("RGB", (30, 20), (9, 9, 9)).save(folder / "1.png")
    (folder / "2.png").touch()
    changed = MeanColour()
    after, report = encode(locations, folder, changed)
    assert changed.encoded == report.encoded == 1
    rows = np.arange(3, dtype=np.int32)
    same = (before.of(rows) == after.of(rows)).all(axis=1)
    assert same.tolist() == [True, False, True]


def test_interrupted_work_goes_on_where_it_stopped(folder, monkeypatch):
    monkeypatch.setattr(module, "SEGMENT", 1)

    class Stopped(MeanColour):
        def encode(self, images):
            if self.encoded == 2:
                raise KeyboardInterrupt
            return super().encode(images)

    with pytest.raises(KeyboardInterrupt):
        encode(["0.png", "1.png", "2.png"], folder, Stopped())
    rest = MeanColour()
    encode(["0.png", "1.png", "2.png"], folder, rest)
    assert rest.encoded == 1


def test_addresses_are_fetched_once_and_only_if_allowed(folder):
    asked = []

    class Server(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *_):
            pass

        def do_GET(self):
            asked.append(self.path)
            super().do_GET()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        locations = [f"{address}/0.png", f"{address}/none.png", f"{address}/big.png"]
        _, refused = encode(locations, folder)
        assert asked == []
        assert sum(refused.faults.values()) == 3
        for _ in range(2):
            vectors, report = encode(locations, folder, allow_urls=True)
        server.shutdown()
    assert vectors.known(np.arange(3, dtype=np.int32))[:, 0].tolist() == [1, 0, 0]
    assert asked.count("/0.png") == 1
    assert report.faults == {
        "the address does not answer": 1,
        "the file is larger than images.maximum_megabytes": 1,
    }
    local, _ = encode(["0.png"], folder)
    assert np.array_equal(local.of(np.zeros(1, np.int32)), vectors.of(np.zeros(1, np.int32)))


def test_save_and_load(folder, tmp_path):
    vectors, _ = encode(["0.png", "bad.png", "1.png"], folder)
    vectors.save(tmp_path, "image")
    again = ImageVectors.load(tmp_path, "image")
    rows = np.arange(4, dtype=np.int32)
    assert np.array_equal(again.of(rows), vectors.of(rows))
    assert again.vectors.dtype == np.float16
