import subprocess
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from savor.features.vocabulary import Vocabulary


def test_codes_are_unknown_then_buckets_then_sorted_values():
    vocabulary = Vocabulary.fit(["pear", "apple", "", "pear"], buckets=3)
    assert vocabulary.values == ("apple", "pear")
    assert vocabulary.encode(["apple", "pear", "", None]).tolist() == [4, 5, 0, 0]
    assert vocabulary.cardinality == 6


@given(st.lists(st.text()), st.text(), st.integers(1, 50))
def test_every_code_is_within_the_cardinality(known, string, buckets):
    vocabulary = Vocabulary.fit(known, buckets)
    code = vocabulary.code(string)
    assert 0 <= code < vocabulary.cardinality
    if not string:
        assert code == 0
    elif string in known:
        assert vocabulary.values[code - 1 - buckets] == string
    else:
        assert 1 <= code <= buckets


def test_buckets_do_not_depend_on_the_process():
    script = "from savor.features.vocabulary import Vocabulary; print(Vocabulary((), 1000).code('kiwi'))"
    codes = set()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", script], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True
        )
        codes.add(int(done.stdout))
    assert codes == {Vocabulary((), 1000).code("kiwi")}


def test_json_round_trip():
    vocabulary = Vocabulary.fit(["a", "ü"], 2)
    again = Vocabulary.from_json(vocabulary.to_json())
    assert again == vocabulary
    assert np.array_equal(again.encode(["a", "z"]), vocabulary.encode(["a", "z"]))
