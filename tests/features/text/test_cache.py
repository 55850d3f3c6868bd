import numpy as np
import pytest

from savor.features.text.cache import TextCache
from savor.features.text.vectors import TextVectors


class CountingEncoder:
    dimension = 3

    def __init__(self, name="counting", fail_after=None):
        self.name = name
        self.encoded: list[str] = []
        self.fail_after = fail_after

    def encode(self, texts):
        if self.fail_after is not None and len(self.encoded) >= self.fail_after:
            raise KeyboardInterrupt
        self.encoded.extend(texts)
        return np.asarray([[len(text), ord(text[0]), 1] for text in texts], np.float32)


def test_each_distinct_string_is_encoded_once_ever(tmp_path):
    encoder = CountingEncoder()
    cache = TextCache(tmp_path, encoder)
    first = cache.encode(["pear", "fig", "pear"])
    assert sorted(encoder.encoded) == ["fig", "pear"]
    assert first.tolist() == [[4, ord("p"), 1], [3, ord("f"), 1], [4, ord("p"), 1]]
    later = CountingEncoder()
    again = TextCache(tmp_path, later).encode(["fig", "plum", "pear"])
    assert later.encoded == ["plum"]
    assert np.array_equal(again[2], first[0])


def test_vectors_of_another_encoder_are_not_taken(tmp_path):
    TextCache(tmp_path, CountingEncoder("one")).encode(["pear"])
    other = CountingEncoder("two")
    TextCache(tmp_path, other).encode(["pear"])
    assert other.encoded == ["pear"]


def test_interrupted_work_goes_on_where_it_stopped(tmp_path):
    texts = [f"text {number}" for number in range(2500)]
    with pytest.raises(KeyboardInterrupt):
        TextCache(tmp_path, CountingEncoder(fail_after=2000)).encode(texts)
    encoder = CountingEncoder()
    cache = TextCache(tmp_path, encoder)
    assert len(cache) == 2048
    cache.encode(texts)
    assert encoder.encoded == texts[2048:]


def test_vectors_are_stored_once_per_text_and_none_is_zero():
    vectors = TextVectors.encode(["b", "", "a", "b"], CountingEncoder().encode)
    assert len(vectors.vectors) == 3
    assert vectors.of(np.asarray([0, 1, 2, 3, 4, -1], np.int32)).tolist() == [
        [1, 98, 1], [0, 0, 0], [1, 97, 1], [1, 98, 1], [0, 0, 0], [0, 0, 0]
    ]  # fmt: skip
