"""Any model that finds candidates by inner products, trained through one door."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from savor.core.config import Section
from savor.data.events import Events
from savor.features.feature_space import FeatureSpace
from savor.training.exchanged_order import exchange_order
from savor.training.ncf.options import NcfOptions
from savor.training.negatives.options import NegativeOptions
from savor.training.retrieval_options import RetrievalOptions
from savor.training.retrieval_validation import RetrievalValidation
from savor.training.sequence.options import SequenceOptions
from savor.training.tracking.open_tracker import open_tracker
from savor.training.tracking.options import TrackingOptions
from savor.training.tracking.tracker import Tracker
from savor.training.training_options import TrainingOptions

if TYPE_CHECKING:
    from savor.training.trained_towers import TrainedTowers


@dataclass(frozen=True)
class RetrieverOptions:
    """How the retriever is built and trained: each model reads its own section.

    Attributes:
        retrieval: `[retrieval]`, which names the model.
        sequence: `[sequence]`, read by `transformer` and `gru`.
        ncf: `[ncf]`, read by `gmf`.
        negatives: `[negatives]`, read by `two_tower`.
        training: `[training]`, read by `two_tower`.
        kinds: names of the kinds of events, as in `Dataset.kinds`.
        tracking: `[tracking]`, who keeps the course of the training.
    """

    retrieval: RetrievalOptions
    sequence: SequenceOptions = field(default_factory=SequenceOptions, kw_only=True)
    negatives: NegativeOptions = field(default_factory=NegativeOptions, kw_only=True)
    training: TrainingOptions = field(default_factory=TrainingOptions, kw_only=True)
    kinds: tuple[str, ...] = field(default=(), kw_only=True)
    ncf: NcfOptions = field(default_factory=NcfOptions, kw_only=True)
    tracking: TrackingOptions = field(default_factory=TrackingOptions, kw_only=True)

    def described(self) -> dict[str, Any]:
        """Every section that decides what is trained, as JSON values."""
        return {
            name: section.model_dump(mode="json")
            for name, section in vars(self).items()
            if isinstance(section, Section) and name != "tracking"
        }


def train_retriever(
    events: Events,
    space: FeatureSpace,
    options: RetrieverOptions,
    directory: Path,
    *,
    validation: RetrievalValidation | None = None,
    resume: bool = False,
    seed: int = 0,
    tracker: Tracker | None = None,
) -> "TrainedTowers":
    """Train the model that `options.retrieval.model` names; the arguments are those of `train_retrieval`.

    The tracker is told of the course of the training and of its end; by default it is the one that `options.tracking`
    asks for.

    Raises:
        TrainingError: there is too little to learn from, or the loss is not a number.
        MissingDependencyError: a tracker's package is not installed.
    """
    if tracker is None:
        tracker = open_tracker(options.tracking, directory, options.retrieval.model, resume=resume)
    tracker.parameters({**options.described(), "seed": seed, "examples": len(events), "items": space.number_of_items})
    if options.retrieval.order == "none":
        events = exchange_order(events, seed)
    try:
        trained = _train(events, space, options, directory, validation, resume=resume, seed=seed, tracker=tracker)
    except BaseException:
        tracker.finish({}, completed=False)
        raise
    measured = [entry[trained.metric] for entry in trained.history if entry.get(trained.metric) is not None]
    tracker.finish({"passes": len(trained.history)} | ({trained.metric: max(measured)} if measured else {}))
    return trained


def _train(
    events: Events,
    space: FeatureSpace,
    options: RetrieverOptions,
    directory: Path,
    validation: RetrievalValidation | None,
    *,
    resume: bool,
    seed: int,
    tracker: Tracker,
) -> "TrainedTowers":
    # TensorFlow takes seconds to import, so only a training does.
    match options.retrieval.model:
        case "two_tower":
            from savor.training.retrieval_loop import train_retrieval

            return train_retrieval(
                events,
                space,
                options.retrieval,
                directory,
                validation=validation,
                resume=resume,
                seed=seed,
                tracker=tracker,
                negatives=options.negatives,
                training=options.training,
                kinds=options.kinds,
            )
        case "transformer" | "gru":
            from savor.training.sequence.loop import train_sequence

            return train_sequence(
                events,
                space,
                options.retrieval,
                options.sequence,
                directory,
                validation=validation,
                resume=resume,
                seed=seed,
                tracker=tracker,
            )
        case "gmf":
            from savor.training.ncf.retriever import train_gmf

            return train_gmf(events, space, options.ncf, validation=validation, seed=seed, tracker=tracker)
