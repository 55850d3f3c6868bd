"""What every scorer of a ranker must do. A test module subclasses `RankerConformance`."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from savor.core.errors import BundleError

ROWS = 150


class RankerConformance:
    """Attributes:
    opener: an expression that opens the ranker in the folder `directory`.
    asker: an expression that scores `rows`, int positions, with `ranker`.
    """

    opener: str
    asker: str

    @pytest.fixture
    def directory(self) -> Path:
        """A folder with the ranker's files."""
        raise NotImplementedError

    def open(self, directory: Path):
        return eval(self.opener, {**IMPORTS, "directory": directory})

    def ask(self, ranker, rows: np.ndarray):
        return eval(self.asker, {**IMPORTS, "ranker": ranker, "rows": rows})

    def test_one_score_for_each_row(self, directory):
        scores = self.ask(self.open(directory), np.arange(ROWS))
        assert scores.shape == (ROWS,)
        assert scores.dtype == np.float32
        assert np.isfinite(scores).all()
        assert scores.std() > 1e-4

    def test_a_row_does_not_depend_on_the_others(self, directory):
        ranker = self.open(directory)
        whole = self.ask(ranker, np.arange(ROWS))
        for rows in (np.array([3]), np.array([70, 3, 149]), np.arange(64), np.arange(65)):
            np.testing.assert_allclose(self.ask(ranker, rows), whole[rows], rtol=1e-4, atol=1e-6)

    def test_a_new_process_gives_the_same_without_tensorflow(self, directory, tmp_path):
        program = (
            "import sys\nfrom pathlib import Path\nfrom tests.models.ranker_conformance import IMPORTS, ROWS\n"
            "import numpy as np\n"
            f"scope = {{**IMPORTS, 'directory': Path({str(directory)!r}), 'rows': np.arange(ROWS)}}\n"
            f"scope['ranker'] = eval({self.opener!r}, scope)\n"
            f"np.save({str(tmp_path / 'scores.npy')!r}, eval({self.asker!r}, scope))\n"
            "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=False,
            cwd=Path(__file__).parents[2],
        )
        assert done.returncode == 0, done.stderr[-2000:]
        np.testing.assert_array_equal(np.load(tmp_path / "scores.npy"), self.ask(self.open(directory), np.arange(ROWS)))

    def test_a_damaged_file_is_refused(self, directory):
        for path in directory.iterdir():
            if path.suffix in (".tflite", ".ubj"):
                path.write_bytes(b"{this is no model}")
        with pytest.raises(BundleError):
            self.open(directory)


def numbers(rows: np.ndarray):
    """(N, 6) float32 features of rows, a tenth of them missing."""
    rng = np.random.default_rng(3)
    table = rng.standard_normal((1000, 6)).astype(np.float32)
    table[rng.random(table.shape) < 0.1] = np.nan
    return table[rows]


def codes(rows: np.ndarray) -> dict[str, np.ndarray]:
    """Codes of a user and an item for each row."""
    return {"user_id": (rows % 20).astype(np.int32), "item_id": (rows * 7 % 30).astype(np.int32)}


def _imports() -> dict[str, object]:
    from savor.models.dcn_ranker import DcnRanker
    from savor.models.pair_ranker import PairRanker
    from savor.models.xgboost_ranker import XgboostRanker

    return {
        "XgboostRanker": XgboostRanker,
        "DcnRanker": DcnRanker,
        "PairRanker": PairRanker,
        "numbers": numbers,
        "codes": codes,
    }


IMPORTS = _imports()
