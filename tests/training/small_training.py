"""A training of seconds; run as a module it trains in the folder it is given."""

import sys
from pathlib import Path

import numpy as np

from savor.data.histories import Histories
from savor.features.feature_space import FeatureSpace
from savor.features.options import FeatureOptions
from savor.training.retrieval_options import RetrievalOptions
from savor.training.retrieval_validation import RetrievalValidation
from savor.training.retriever import RetrieverOptions, train_retriever
from savor.training.trained_towers import TrainedTowers
from tests.features.synthetic import shop

OPTIONS = RetrievalOptions(
    embedding_dimension=16,
    hidden=(32,),
    id_width=8,
    category_width=8,
    history_width=8,
    history_heads=2,
    text_width=8,
    batch_size=128,
    epochs=8,
    learning_rate=0.005,
    patience=8,
)


def small_space() -> tuple[FeatureSpace, RetrievalValidation]:
    events, catalogue, profiles, text = shop()
    known, later = events.select(slice(0, 700)), events.select(slice(700, None))
    space = FeatureSpace.fit(known, catalogue, profiles, FeatureOptions(history_length=10), text)
    histories = Histories.from_events(known, len(profiles))
    users = np.unique(later.user)
    wanted = [np.unique(later.item[later.user == user]) for user in users]
    indptr = np.cumsum([0, *map(len, wanted)])
    now = np.full(len(users), int(known.time[-1]) + 1, np.int64)
    return space, RetrievalValidation.all_items(users, now, histories, indptr, np.concatenate(wanted))


def train(
    directory: Path, options: RetrievalOptions = OPTIONS, *, resume: bool = False, seed: int = 3
) -> TrainedTowers:
    space, validation = small_space()
    events = shop()[0].select(slice(0, 700))
    return train_retriever(
        events, space, RetrieverOptions(options), directory, validation=validation, resume=resume, seed=seed
    )


if __name__ == "__main__":
    train(Path(sys.argv[1]), OPTIONS.model_copy(update={"checkpoint_seconds": 0.0}))
