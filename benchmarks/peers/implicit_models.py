"""Models of `implicit` on an exported split; runs in an environment of its own (requirements-implicit.txt).

python implicit_models.py SPLIT LISTS.npz --model bpr
savor bench peer gowalla --lists LISTS.npz --model implicit-bpr
"""

import argparse
import time

import implicit
import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from implicit.cpu.bpr import BayesianPersonalizedRanking
from implicit.cpu.lmf import LogisticMatrixFactorization
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender
from peer import Split, save_lists

MODELS = {
    "als": lambda seed: AlternatingLeastSquares(factors=128, regularization=0.05, iterations=15, random_state=seed),
    "bpr": lambda seed: BayesianPersonalizedRanking(factors=127, iterations=100, learning_rate=0.05, random_state=seed),
    "lmf": lambda seed: LogisticMatrixFactorization(factors=64, iterations=30, random_state=seed),
    "bm25": lambda _: BM25Recommender(K=200),
    "cosine": lambda _: CosineRecommender(K=200),
    "tfidf": lambda _: TFIDFRecommender(K=200),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("split")
    parser.add_argument("out")
    parser.add_argument("--model", choices=sorted(MODELS), default="bpr")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    split = Split(arguments.split)
    matrix = split.matrix()
    model = MODELS[arguments.model](arguments.seed)
    started = time.perf_counter()
    model.fit(matrix, show_progress=False)
    fitted = time.perf_counter()
    lists = {}
    for task, users in split.questions.items():
        seen = split.exclude_seen[task]
        items, scores = model.recommend(users, matrix[users], N=split.length, filter_already_liked_items=seen)
        lists[task] = np.where(scores > np.finfo(np.float32).min, items, -1)
    save_lists(
        arguments.out,
        lists,
        fit_seconds=round(fitted - started, 1),
        answer_seconds=round(time.perf_counter() - fitted, 1),
        seeds=[arguments.seed],
        note=f"implicit {implicit.__version__}, settings of the script, not tuned",
        version=implicit.__version__,
    )


if __name__ == "__main__":
    main()
