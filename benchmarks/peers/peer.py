"""What all scripts for peers share: reading an exported split, and writing lists. Needs NumPy and a Parquet reader."""

import json
import resource
from pathlib import Path

import numpy as np
import pandas as pd


class Split:
    """What `savor bench export-split` wrote."""

    def __init__(self, folder):
        folder = Path(folder)
        self.events = pd.read_parquet(folder / "events.parquet")
        protocol = json.loads((folder / "protocol.json").read_text())
        self.number_of_users, self.number_of_items = protocol["number_of_users"], protocol["number_of_items"]
        self.length, self.exclude_seen = protocol["length"], protocol["exclude_seen"]
        self.questions = {task: np.load(folder / f"questions-{task}.npz")["users"] for task in self.exclude_seen}

    def matrix(self):
        """(U, I) binary, of everything known."""
        from scipy.sparse import csr_matrix

        pairs = self.events[["user", "item"]].drop_duplicates()
        shape = (self.number_of_users, self.number_of_items)
        return csr_matrix((np.ones(len(pairs), np.float32), (pairs["user"], pairs["item"])), shape=shape)


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def save_lists(path, lists, **about):
    """`lists`: by task, (Q, k) items, best first, -1 where there is none."""
    about["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    arrays = {f"items/{task}": np.asarray(items) for task, items in lists.items()}
    np.savez(path, about=json.dumps(about), **arrays)
