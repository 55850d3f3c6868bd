import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from savor.data.histories import Histories
from savor.features.history_window import last_positions
from savor.training.retrieval_examples import RetrievalExamples
from savor.training.streaming.examples_on_disk import ExamplesOnDisk
from savor.training.streaming.write_examples import BlockSizes, write_examples
from tests.features.synthetic import make_events, shop

ROOT = Path(__file__).parents[3]
USERS, ITEMS = 30, 40


@pytest.fixture(scope="module")
def events():
    return shop()[0]


@pytest.fixture
def on_disk(events, tmp_path):
    write_examples(events, tmp_path / "examples", USERS, ITEMS, sizes=BlockSizes(events=150, examples=200))
    return tmp_path / "examples"


def described(examples, histories):
    """One line per example with all that is known then, in a fixed order."""
    window = last_positions(histories, examples.user, examples.end, 5)
    past = np.where(window >= 0, histories.item[window], -1)
    row, item = examples.basket_mates(histories)
    mates = [sorted(item[row == number].tolist()) for number in range(len(examples))]
    columns = (examples.user, examples.item, examples.now, examples.basket, examples.weight)
    lines = zip(*(column.tolist() for column in columns), past.tolist(), mates, strict=True)
    return sorted(map(str, lines))


def whole_pass(source, epoch, size):
    parts = [source.batch(epoch, step, size) for step in range(-(-len(source) // size))]
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])}
    return RetrievalExamples(**{**columns, "probability": parts[0].probability})


def test_the_same_examples_as_in_memory(events, on_disk):
    assert len(list(on_disk.glob("examples-*.parquet"))) == 5
    histories = Histories.from_events(events, USERS)
    expected = RetrievalExamples.from_events(events, histories, ITEMS)
    source = ExamplesOnDisk(on_disk, 0)
    assert len(source) == len(expected)
    for name in ("indptr", "item", "time", "kind", "value", "basket"):
        assert np.array_equal(getattr(source.histories, name), getattr(histories, name)), name
    given = whole_pass(source, 0, 64)
    assert described(given, source.histories) == described(expected, histories)
    assert np.allclose(given.probability, expected.probability)


def test_the_order_follows_from_seed_and_pass_alone(on_disk):
    def order(seed, epoch):
        examples = whole_pass(ExamplesOnDisk(on_disk, seed), epoch, 100)
        return list(zip(examples.user.tolist(), examples.item.tolist(), examples.now.tolist(), strict=True))

    first = order(1, 0)
    assert first == order(1, 0)
    assert first != order(1, 1)
    assert first != order(2, 0)
    assert sorted(first) == sorted(order(1, 1))


def test_any_step_can_be_asked_for(on_disk):
    inorder = ExamplesOnDisk(on_disk, 1)
    batches = {(epoch, step): inorder.batch(epoch, step, 70) for epoch in range(2) for step in range(9)}
    other = ExamplesOnDisk(on_disk, 1)
    for epoch, step in [(1, 8), (0, 3), (1, 0), (0, 8), (1, 4)]:
        again = other.batch(epoch, step, 70)
        assert np.array_equal(again.user, batches[epoch, step].user)
        assert np.array_equal(again.end, batches[epoch, step].end)


def test_files_are_mixed(on_disk):
    """Examples of one file come from all over, not from one block of users."""
    source = ExamplesOnDisk(on_disk, 0)
    users = source.batch(0, 0, 100).user
    assert len(set((users // 6).tolist())) == 5


def test_options_reach_the_examples(events, tmp_path):
    write_examples(events, tmp_path, USERS, ITEMS, positives="first", sizes=BlockSizes(100, 100))
    pairs = {(int(user), int(item)) for user, item in zip(events.user, events.item, strict=True)}
    assert len(ExamplesOnDisk(tmp_path, 0)) == len(pairs)


PASS = """
import sys
from pathlib import Path
from savor.training.streaming.examples_on_disk import ExamplesOnDisk
from savor.features.history_window import last_positions
source, peak = ExamplesOnDisk(Path(sys.argv[1]), 0), 0
for step in range(len(source) // 4096):
    examples = source.batch(0, step, 4096)
    window = last_positions(source.histories, examples.user, examples.end, 20)
    source.histories.item[window], source.histories.time[window]
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = max(peak, *(int(line.split()[1]) for line in lines if line.startswith("RssAnon")))
print(peak)
"""
"""A pass over all examples; prints the most memory held, without mapped files, which the system takes back."""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from Linux's /proc")
def test_memory_does_not_grow_with_the_number_of_examples(tmp_path):
    rng = np.random.default_rng(0)
    peaks = {}
    for number in (500_000, 2_000_000):
        events = make_events(rng.integers(0, 20_000, number), rng.integers(0, 5000, number), np.arange(number))
        folder = tmp_path / str(number)
        write_examples(events, folder, 20_000, 5000, sizes=BlockSizes(125_000, 125_000))
        command = [sys.executable, "-c", PASS, str(folder)]
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        peaks[number] = int(answer.stdout) * 1024
    # The million and a half more examples are 66 MB, and their events 43 MB.
    assert peaks[2_000_000] - peaks[500_000] < 15e6, peaks
