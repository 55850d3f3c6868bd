"""Closed forms of RecBole on an exported split; runs in an environment of its own (requirements-recbole.txt).

python recbole_models.py SPLIT LISTS.npz --model EASE
savor bench peer ml-1m-leave-one-out --lists LISTS.npz --model recbole-ease
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from peer import Split, save_lists
from recbole import __version__
from recbole.config import Config
from recbole.data import create_dataset
from recbole.data.interaction import Interaction
from recbole.utils import get_model
from torch import tensor

BLOCK = 512


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("split")
    parser.add_argument("out")
    parser.add_argument("--model", choices=["EASE", "ItemKNN"], default="EASE")
    parser.add_argument("--regularisation", type=float, default=250, help="of EASE")
    parser.add_argument("--neighbours", type=int, default=100, help="of ItemKNN")
    arguments = parser.parse_args()
    split = Split(arguments.split)
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "split" / "split.inter"
        table.parent.mkdir()
        pairs = split.events[["user", "item"]].drop_duplicates()
        pairs.columns = ["user_id:token", "item_id:token"]
        pairs.to_csv(table, sep="\t", index=False)
        settings = {
            "data_path": folder,
            "load_col": {"inter": ["user_id", "item_id"]},
            "eval_args": {"split": {"RS": [1.0, 0.0, 0.0]}, "order": "RO", "group_by": None, "mode": "full"},
            "device": "cpu",
            "use_gpu": False,
            "reg_weight": arguments.regularisation,
            "k": arguments.neighbours,
            "shrink": 0.0,
        }
        config = Config(model=arguments.model, dataset="split", config_dict=settings)
        dataset = create_dataset(config)
        started = time.perf_counter()
        model = get_model(arguments.model)(config, dataset.build()[0])
        fitted = time.perf_counter()
        own_user = dataset.field2token_id["user_id"]
        column = np.array([int(token) if token != "[PAD]" else -1 for token in dataset.field2id_token["item_id"]])
        seen = split.matrix()
        lists = {
            task: answers(model, split, users, own_user, column, seen, split.exclude_seen[task])
            for task, users in split.questions.items()
        }
    save_lists(
        arguments.out,
        lists,
        fit_seconds=round(fitted - started, 1),
        answer_seconds=round(time.perf_counter() - fitted, 1),
        seeds=[1],
        note=f"RecBole {__version__}, {arguments.model}, settings of the script, not tuned",
        version=__version__,
    )


def answers(model, split, users, own_user, column, seen, exclude_seen):
    """(Q, k) items, best first; -1 for users whom the model does not know."""
    found = np.full((len(users), split.length), -1, np.int64)
    known = np.array([str(user) in own_user for user in users])
    for rows in np.array_split(np.flatnonzero(known), max(1, known.sum() // BLOCK)):
        asked = Interaction({"user_id": tensor([own_user[str(user)] for user in users[rows]])})
        raw = model.full_sort_predict(asked).reshape(len(rows), -1)
        scores = np.full((len(rows), split.number_of_items), -np.inf)
        scores[:, column[1:]] = np.asarray(raw)[:, 1:]
        if exclude_seen:
            scores[seen[users[rows]].nonzero()] = -np.inf
        best = np.argsort(-scores, axis=1, kind="stable")[:, : split.length]
        found[rows] = np.where(np.isfinite(np.take_along_axis(scores, best, 1)), best, -1)
    return found


if __name__ == "__main__":
    main()
