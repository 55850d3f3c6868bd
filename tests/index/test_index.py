import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from savor.core.errors import BundleError, SavorError
from savor.index.choose import choose_index, open_index
from savor.index.exact import ExactIndex
from savor.index.faiss_index import FaissIndex
from savor.index.index import Index
from savor.index.scann_index import ScannIndex

KINDS = [ExactIndex, ScannIndex, FaissIndex]


def clustered(items: int, dimension: int = 64, clusters: int = 200, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(clusters, dimension))
    vectors = centres[generator.integers(0, clusters, items)] + 0.5 * generator.normal(size=(items, dimension))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32)


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.kind)
def large(request):
    vectors = clustered(20_000)
    return request.param.build(vectors), vectors


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
class TestConformance:
    def test_known_answer(self, kind):
        index = kind.build(np.array([[1, 0], [0, 1], [1, 1], [-1, 0]], np.float32))
        items, scores = index.search(np.array([[2, 1], [-1, 0]], np.float32), 3)
        assert isinstance(index, Index)
        assert items.dtype == np.int32
        assert scores.dtype == np.float32
        assert items[0].tolist() == [2, 0, 1]
        assert scores[0].tolist() == [3, 2, 1]
        assert items[1, 0] == 3

    def test_more_wanted_than_there_are(self, kind):
        items, scores = kind.build(np.eye(3, dtype=np.float32)).search(np.array([[3, 2, 1]], np.float32), 5)
        assert items.tolist() == [[0, 1, 2, -1, -1]]
        assert scores[0, 3:].tolist() == [-np.inf, -np.inf]

    def test_empty(self, kind, tmp_path):
        index = kind.build(np.empty((0, 4), np.float32))
        index.save(tmp_path)
        for one in (index, kind.load(tmp_path)):
            items, scores = one.search(np.ones((2, 4), np.float32), 3)
            assert len(one) == 0
            assert items.tolist() == [[-1] * 3] * 2
            assert np.isneginf(scores).all()

    def test_no_queries(self, kind):
        items, scores = kind.build(clustered(1500)).search(np.empty((0, 64), np.float32), 3)
        assert items.shape == scores.shape == (0, 3)

    def test_wrong_width_is_refused(self, kind):
        with pytest.raises(SavorError, match=r"\(rows, 64\)"):
            kind.build(clustered(10)).search(np.ones((1, 3), np.float32), 2)

    def test_not_finite_is_refused(self, kind):
        with pytest.raises(SavorError, match="finite"):
            kind.build(np.full((3, 2), np.nan, np.float32))

    @pytest.mark.parametrize("items", [50, 2000])
    def test_moved_folder_answers_the_same(self, kind, items, tmp_path):
        index = kind.build(clustered(items))
        index.save(tmp_path / "here" / "index")
        shutil.move(tmp_path / "here", tmp_path / "there")
        again = open_index(tmp_path / "there" / "index")
        queries = clustered(7, seed=1)
        assert type(again) is kind
        assert len(again) == items
        for mine, its in zip(index.search(queries, 20), again.search(queries, 20), strict=True):
            np.testing.assert_array_equal(mine, its)

    def test_folder_holds_no_pickle_and_no_path(self, kind, tmp_path):
        kind.build(clustered(2000)).save(tmp_path / "index")
        for file in (tmp_path / "index").rglob("*"):
            if file.is_file():
                content = file.read_bytes()
                assert file.suffix != ".pkl"
                assert str(tmp_path).encode() not in content

    def test_two_builds_are_the_same(self, kind):
        queries = clustered(20, seed=2)
        first, second = (kind.build(clustered(3000)).search(queries, 50)[0] for _ in range(2))
        np.testing.assert_array_equal(first, second)

    def test_damage_is_a_clear_error(self, kind, tmp_path):
        kind.build(clustered(2000)).save(tmp_path)
        largest = max((file for file in tmp_path.rglob("*") if file.is_file()), key=lambda file: file.stat().st_size)
        largest.write_bytes(largest.read_bytes()[:1000])
        with pytest.raises(BundleError):
            kind.load(tmp_path)


def test_recall_at_200(large):
    index, vectors = large
    queries = clustered(300, seed=1)
    truth, _ = ExactIndex.build(vectors).search(queries, 200)
    for found in (index.search(queries, 200)[0], np.concatenate([index.search(q[None], 200)[0] for q in queries])):
        recall = np.mean([len(np.intersect1d(row, right)) / 200 for row, right in zip(found, truth, strict=True)])
        assert recall >= 0.95


def test_scores_are_inner_products_in_order(large):
    index, vectors = large
    queries = clustered(20, seed=3)
    items, scores = index.search(queries, 100)
    np.testing.assert_allclose(scores, np.einsum("qd,qkd->qk", queries, vectors[items]), atol=1e-5)
    assert (np.diff(scores, axis=1) <= 1e-6).all()


def test_threads_get_the_same_answers(large):
    index, _ = large
    queries = clustered(50, seed=4)
    right = [index.search(query[None], 10)[0].tolist() for query in queries]
    found: list[object] = [None] * len(queries)

    def work(start: int) -> None:
        for number in range(start, len(queries), 4):
            found[number] = index.search(queries[number][None], 10)[0].tolist()

    threads = [threading.Thread(target=work, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == right


@settings(max_examples=60)
@given(st.integers(0, 40), st.integers(1, 50), st.integers(0, 1000))
def test_exact_is_a_stable_full_sort(items, k, seed):
    generator = np.random.default_rng(seed)
    vectors = generator.integers(-2, 3, (items, 3)).astype(np.float32)
    query = generator.integers(-2, 3, (1, 3)).astype(np.float32)
    found, _ = ExactIndex.build(vectors).search(query, k)
    right = np.argsort(-(vectors @ query[0]), kind="stable")[:k]
    assert found[0].tolist() == [*right.tolist(), *[-1] * (k - len(right))]


def test_choice_by_size(monkeypatch):
    assert choose_index(20_000) is ExactIndex
    assert choose_index(20_001) is ScannIndex
    assert choose_index(5, "faiss") is FaissIndex
    monkeypatch.setattr(ScannIndex, "is_installed", staticmethod(lambda: False))
    assert choose_index(20_001) is FaissIndex
    monkeypatch.setattr(FaissIndex, "is_installed", staticmethod(lambda: False))
    assert choose_index(20_001) is ExactIndex
    with pytest.raises(BundleError, match="hnsw"):
        choose_index(5, "hnsw")  # type: ignore[arg-type]


def test_a_folder_without_index_is_a_clear_error(tmp_path):
    with pytest.raises(BundleError, match="no usable index"):
        open_index(tmp_path)
    (tmp_path / "index.json").write_text(json.dumps({"kind": "exact", "items": 3, "dimension": 2}))
    with pytest.raises(BundleError, match="expected 'scann'"):
        ScannIndex.load(tmp_path)


def test_scann_serves_without_tensorflow(tmp_path):
    ScannIndex.build(clustered(2000)).save(tmp_path)
    code = """
import sys
from importlib.abc import MetaPathFinder
class Refuse(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tensorflow", "keras"):
            raise AssertionError("tensorflow was imported")
sys.meta_path.insert(0, Refuse())
import numpy as np
from pathlib import Path
from savor.index.choose import open_index
index = open_index(Path(sys.argv[1]))
items, _ = index.search(np.ones((1, 64), np.float32), 5)
assert (items >= 0).all()
assert "tensorflow" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_planted_pickle_is_not_opened(tmp_path: Path):
    ScannIndex.build(clustered(2000)).save(tmp_path)
    (tmp_path / "scann" / "scann_docids.pkl").write_bytes(b"cbuiltins\nexit\n(I3\ntR.")
    items, _ = ScannIndex.load(tmp_path).search(clustered(1, seed=5), 3)
    assert (items >= 0).all()
