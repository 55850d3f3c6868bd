"""GMF as a retriever, and any network of the family trained on the codes of a feature space."""

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import TrainingError
from savor.data.events import Events
from savor.features.feature_space import FeatureSpace
from savor.training.ncf.examples import PairExamples
from savor.training.ncf.networks import Kind, NcfNetworks
from savor.training.ncf.options import NcfOptions
from savor.training.ncf.scoring import validation_ndcg
from savor.training.ncf.training import TrainedNcf, train_ncf
from savor.training.retrieval_validation import RetrievalValidation
from savor.training.tracking.tracker import Tracker
from savor.training.trained_towers import TrainedTowers

METRIC = "ndcg@10"


def train_over_space(
    kind: Kind,
    events: Events,
    space: FeatureSpace,
    options: NcfOptions,
    *,
    validation: RetrievalValidation | None = None,
    seed: int = 0,
    tracker: Tracker | None = None,
) -> TrainedNcf:
    """Train on the `user_id` and `item_id` codes of `space`.

    Args:
        kind: which network.
        events: what may be learnt from.
        space: makes the codes.
        options: widths and pace.
        validation: decides which pass was best and when to stop; without it the last pass counts.
        seed: everything random follows from it.
        tracker: is told of each pass.

    Raises:
        TrainingError: the space has no user ids, or there are too few examples.
    """
    if not space.options.user_id:
        raise TrainingError(f"{kind} learns from user ids: set features.user_id = true")
    users: NDArray[np.int32] = space.user_table["user_id"]
    items: NDArray[np.int32] = space.item_table["item_id"]
    examples = PairExamples.of(
        users[events.user],
        items[events.item],
        space.users.ids.cardinality,
        space.items.ids.cardinality,
        popularity=options.popularity,
    )
    sampled = validation.sample(options.validation_users, seed) if validation is not None else None

    def measure(networks: NcfNetworks) -> float:
        assert sampled is not None
        return validation_ndcg(networks, sampled, users[sampled.users], items)

    return train_ncf(
        kind,
        examples,
        options,
        seed,
        measure=measure if sampled is not None and len(sampled) else None,
        metric=METRIC,
        tracker=tracker,
    )


def train_gmf(
    events: Events,
    space: FeatureSpace,
    options: NcfOptions,
    *,
    validation: RetrievalValidation | None = None,
    seed: int = 0,
    tracker: Tracker | None = None,
) -> TrainedTowers:
    """GMF as two towers: the score is the inner product of the user's weighed vector and the item's.

    Raises:
        TrainingError: as for `train_over_space`.
    """
    trained = train_over_space("gmf", events, space, options, validation=validation, seed=seed, tracker=tracker)
    return TrainedTowers(trained.networks.user, trained.networks.item, space, trained.history, METRIC)
