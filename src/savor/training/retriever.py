"""Any model that finds candidates by inner products, trained through one door."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from savor.data.events import Events
from savor.features.feature_space import FeatureSpace
from savor.training.retrieval_options import RetrievalOptions
from savor.training.retrieval_validation import RetrievalValidation

if TYPE_CHECKING:
    from savor.training.trained_towers import TrainedTowers


@dataclass(frozen=True)
class RetrieverOptions:
    """How the retriever is built and trained: each model reads its own section.

    Attributes:
        retrieval: `[retrieval]`, which names the model.
    """

    retrieval: RetrievalOptions


def train_retriever(
    events: Events,
    space: FeatureSpace,
    options: RetrieverOptions,
    directory: Path,
    *,
    validation: RetrievalValidation | None = None,
    resume: bool = False,
    seed: int = 0,
) -> "TrainedTowers":
    """Train the model that `options.retrieval.model` names; the arguments are those of `train_retrieval`.

    Raises:
        TrainingError: there is too little to learn from, or the loss is not a number.
    """
    # TensorFlow takes seconds to import, so only a training does.
    match options.retrieval.model:
        case "two_tower":
            from savor.training.retrieval_loop import train_retrieval

            return train_retrieval(
                events, space, options.retrieval, directory, validation=validation, resume=resume, seed=seed
            )
