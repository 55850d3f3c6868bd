"""Models of LensKit on an exported split; runs in an environment of its own (requirements-lenskit.txt).

python lenskit_models.py SPLIT LISTS.npz --model item_knn
savor bench peer ml-100k --lists LISTS.npz --model lenskit-item-knn
"""

import argparse
import time

import lenskit
import numpy as np
from lenskit.als import ImplicitMFScorer
from lenskit.batch import recommend
from lenskit.data import from_interactions_df
from lenskit.knn import ItemKNNScorer
from lenskit.pipeline import topn_pipeline
from peer import Split, save_lists

MODELS = {
    "item_knn": lambda: ItemKNNScorer(max_nbrs=20, feedback="implicit"),
    "als": lambda: ImplicitMFScorer(embedding_size=64),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("split")
    parser.add_argument("out")
    parser.add_argument("--model", choices=sorted(MODELS), default="item_knn")
    arguments = parser.parse_args()
    split = Split(arguments.split)
    frame = split.events[["user", "item"]].drop_duplicates()
    data = from_interactions_df(frame, user_col="user", item_col="item")
    started = time.perf_counter()
    pipeline = topn_pipeline(MODELS[arguments.model](), n=split.length)
    pipeline.train(data)
    fitted = time.perf_counter()
    lists = {}
    for task, users in split.questions.items():
        if not split.exclude_seen[task]:
            continue  # its pipelines leave out what was seen
        found = recommend(pipeline, users.tolist(), split.length)
        items = np.full((len(users), split.length), -1, np.int64)
        for row, user in enumerate(users.tolist()):
            ids = found.lookup(user_id=user).ids()
            items[row, : len(ids)] = ids
        lists[task] = items
    save_lists(
        arguments.out,
        lists,
        fit_seconds=round(fitted - started, 1),
        answer_seconds=round(time.perf_counter() - fitted, 1),
        note=f"LensKit {lenskit.__version__}, settings of the script, not tuned",
        version=lenskit.__version__,
    )


if __name__ == "__main__":
    main()
