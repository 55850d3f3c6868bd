"""SASRec of RecTools on an exported split; runs in an environment of its own (requirements-rectools.txt).

python rectools_sasrec.py SPLIT LISTS.npz --epochs 3
savor bench peer ml-1m-leave-one-out --lists LISTS.npz --model rectools-sasrec
"""

import argparse
import time

import numpy as np
import pandas as pd
import torch
from peer import Split, cpu_seconds, save_lists
from pytorch_lightning import Callback, Trainer, seed_everything
from rectools import Columns, __version__
from rectools.dataset import Dataset
from rectools.models import SASRecModel


class Clock(Callback):
    """Seconds of every pass, on the wall and of the processor."""

    def __init__(self):
        self.passes = []

    def on_train_epoch_start(self, *_):
        self.started = (time.perf_counter(), cpu_seconds())

    def on_train_epoch_end(self, *_):
        taken = time.perf_counter() - self.started[0], cpu_seconds() - self.started[1]
        self.passes.append({"seconds": round(taken[0], 1), "cpu_seconds": round(taken[1], 1)})
        print(self.passes[-1], flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("split")
    parser.add_argument("out")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--factors", type=int, default=64)
    parser.add_argument("--blocks", type=int, default=2)
    parser.add_argument("--heads", type=int, default=2)
    parser.add_argument("--length", type=int, default=200)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--negatives", type=int, default=0, help="0: softmax over all items")
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    seed_everything(arguments.seed, workers=True)
    split, clock = Split(arguments.split), Clock()
    events = split.events
    moments = pd.Timestamp(0) + pd.to_timedelta(events["time"] * 1000 + events["place"] % 1000, unit="ms")
    table = pd.DataFrame(
        {
            Columns.User: events["user"],
            Columns.Item: events["item"],
            Columns.Weight: 1.0,
            Columns.Datetime: moments,
        }
    )
    dataset = Dataset.construct(table)
    loss = {"loss": "softmax"}
    if arguments.negatives:
        loss = {"loss": "sampled_softmax", "n_negatives": arguments.negatives}
    model = SASRecModel(
        n_blocks=arguments.blocks,
        n_heads=arguments.heads,
        n_factors=arguments.factors,
        dropout_rate=arguments.dropout,
        session_max_len=arguments.length,
        batch_size=arguments.batch,
        epochs=arguments.epochs,
        get_trainer_func=lambda: Trainer(
            max_epochs=arguments.epochs,
            accelerator="cpu",
            callbacks=[clock],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        ),
        **loss,
    )
    started = time.perf_counter()
    model.fit(dataset)
    fitted = time.perf_counter()
    lists = {}
    for task, users in split.questions.items():
        found = model.recommend(users, dataset, split.length, filter_viewed=split.exclude_seen[task])
        row = pd.Series(np.arange(len(users)), index=users)[found[Columns.User]].to_numpy()
        items = np.full((len(users), split.length), -1, np.int64)
        items[row, found[Columns.Rank].to_numpy() - 1] = found[Columns.Item].to_numpy()
        lists[task] = items
    save_lists(
        arguments.out,
        lists,
        fit_seconds=round(fitted - started, 1),
        answer_seconds=round(time.perf_counter() - fitted, 1),
        seeds=[arguments.seed],
        note=f"RecTools {__version__}, {arguments.epochs} passes, {vars(arguments)['factors']} wide, no early stopping",
        passes=clock.passes,
        version=__version__,
        torch=torch.__version__,
    )


if __name__ == "__main__":
    main()
