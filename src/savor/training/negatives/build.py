"""From `[negatives]` to what draws them."""

from savor.core.errors import ConfigError
from savor.data.events import Events
from savor.data.histories import Histories
from savor.features.feature_space import FeatureSpace
from savor.training.candidates import CandidateMaker
from savor.training.negatives.plan import NegativePlan
from savor.training.negatives.pools import PooledNegatives
from savor.training.negatives.shown import shown_negatives
from savor.training.negatives.similar import similar_negatives
from savor.training.negatives.uniform import UniformNegatives
from savor.training.two_tower_options import TwoTowerOptions


def build_negatives(
    events: Events, histories: Histories, space: FeatureSpace, options: TwoTowerOptions
) -> NegativePlan:
    """What the options ask for.

    Args:
        events: what may be learnt from.
        histories: of these.
        space: has the vectors of texts and pictures.
        options: of the training.

    Raises:
        ConfigError: what is asked for is not in the data.
    """
    wanted, retrieval = options.negatives, options.retrieval
    softmax = retrieval.loss == "softmax"
    pools: list[PooledNegatives] = []
    if wanted.shown and options.shown_kind is not None:
        pools.append(shown_negatives(events, options.shown_kind, wanted.shown, len(histories)))
    for name, count in (("text", wanted.similar_text), ("image", wanted.similar_image)):
        if count:
            vectors = space.text if name == "text" else space.images
            if vectors is None:
                raise ConfigError([f"negatives.similar_{name}: the items have no {name} vectors"])
            pools.append(similar_negatives(vectors.vectors[vectors.row], count, wanted.neighbours))
    everything = retrieval.loss == "full_softmax"
    fixed = CandidateMaker(
        histories,
        space.number_of_items,
        in_batch=wanted.in_batch,
        everything=everything,
        uniform=UniformNegatives(wanted.uniform, space.number_of_items) if wanted.uniform else None,
        pools=pools,
        repeated=softmax,
        corrected=softmax and retrieval.logq,
        without=options.shown_kind,
    )
    return NegativePlan(
        fixed,
        similar=0 if everything else wanted.similar_embedding,
        neighbours=wanted.neighbours,
        refresh_steps=wanted.refresh_steps,
    )
