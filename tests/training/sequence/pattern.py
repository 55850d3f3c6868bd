"""People whose next item follows from their last one."""

import numpy as np

from savor.data.events import Events
from savor.data.histories import Histories
from savor.features.catalogue import Catalogue
from savor.features.columns import CategoryColumn, Columns
from savor.features.feature_space import FeatureSpace
from savor.features.options import FeatureOptions
from savor.features.profiles import Profiles
from savor.training.retrieval_options import RetrievalOptions
from savor.training.retrieval_validation import RetrievalValidation
from savor.training.retriever import RetrieverOptions, train_retriever
from savor.training.sequence.options import SequenceOptions
from savor.training.trained_towers import TrainedTowers
from tests.features.synthetic import START, make_events

USERS, ITEMS = 80, 30
FEATURES = FeatureOptions(history_length=8, minimum_count=1, user_id=False, moment=False, history_seconds=True)
RETRIEVAL = RetrievalOptions(model="transformer", epochs=12, patience=12)
SEQUENCE = SequenceOptions(
    width=16, blocks=2, heads=2, dropout=0.1, learning_rate=0.02, warmup_steps=5, batch_tokens=64
)


def following(item):
    return (7 * item + 3) % ITEMS


def walks(seed: int = 0) -> Events:
    """Each user starts somewhere and follows the rule, between 3 and 20 times."""
    rng = np.random.default_rng(seed)
    user, item, time = [], [], []
    for number in range(USERS):
        here, now = int(rng.integers(ITEMS)), START + int(rng.integers(86_400))
        for _ in range(int(rng.integers(3, 21))):
            user.append(number)
            item.append(here)
            time.append(now)
            here, now = following(here), now + int(rng.integers(30, 100_000))
    order = np.argsort(time, kind="stable")
    return make_events(np.asarray(user)[order], np.asarray(item)[order], np.asarray(time)[order])


def space_of(events: Events, features: FeatureOptions = FEATURES) -> FeatureSpace:
    kinds = CategoryColumn.from_strings([f"kind {row % 5}" for row in range(ITEMS)])
    catalogue = Catalogue(
        [f"item-{row}" for row in range(ITEMS)],
        [""] * ITEMS,
        {"kind": kinds},
        {},
        {},
        np.ones(ITEMS, np.float32),
        np.ones(ITEMS, np.bool_),
        None,
    )
    profiles = Profiles([f"user-{row}" for row in range(USERS)], Columns({}, {}, {}))
    return FeatureSpace.fit(events, catalogue, profiles, features, None)


def questions(events: Events) -> RetrievalValidation:
    """What comes after everything that is known of each user."""
    histories = Histories.from_events(events, USERS)
    users = np.arange(USERS, dtype=np.int32)
    ends = histories.indptr[1:] - 1
    wanted = following(histories.item[ends]).astype(np.int32)
    return RetrievalValidation.all_items(users, histories.time[ends] + 60, histories, np.arange(USERS + 1), wanted)


def train(directory, model="transformer", epochs=12, resume=False, seed=3, **options) -> TrainedTowers:
    events = walks()
    retrieval = RETRIEVAL.model_copy(update={"model": model, "epochs": epochs, "checkpoint_seconds": 0.0})
    sequence = SequenceOptions.model_validate({**SEQUENCE.model_dump(), **options})
    return train_retriever(
        events,
        space_of(events),
        RetrieverOptions(retrieval, sequence=sequence),
        directory,
        validation=questions(events),
        resume=resume,
        seed=seed,
    )
