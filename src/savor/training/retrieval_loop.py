"""Training of the two towers, which can be stopped at any moment and goes on to the same result."""

from pathlib import Path
from time import monotonic
from typing import Any

import tensorflow as tf

from savor.core.errors import ConfigError, TrainingError
from savor.core.files import write_json_atomic
from savor.core.progress import progress
from savor.data.events import Events
from savor.features.feature_space import FeatureSpace
from savor.training.checkpoints import Checkpoints
from savor.training.distribution import is_chief, open_strategy
from savor.training.examples_of import example_source
from savor.training.negatives.build import build_negatives
from savor.training.negatives.options import NegativeOptions
from savor.training.retrieval_options import RetrievalOptions
from savor.training.retrieval_run import RetrievalRun
from savor.training.retrieval_validation import RetrievalValidation, list_length
from savor.training.tracking.tracker import VALIDATION, Tracker
from savor.training.trained_towers import TrainedTowers, item_vectors
from savor.training.training_options import TrainingOptions
from savor.training.two_tower_options import TwoTowerOptions


def train_retrieval(
    events: Events,
    space: FeatureSpace,
    options: RetrievalOptions,
    directory: Path,
    *,
    validation: RetrievalValidation | None = None,
    resume: bool = False,
    seed: int = 0,
    tracker: Tracker | None = None,
    negatives: NegativeOptions | None = None,
    training: TrainingOptions | None = None,
    kinds: tuple[str, ...] = (),
) -> TrainedTowers:
    """Train both towers on `events`.

    Keeps in `directory`: `checkpoints/` (removed when done) and `retrieval_history.json`.

    Args:
        events: what may be learnt from, in time order; positives and histories are made of these only.
        space: fitted on what may be known.
        options: widths, length and pace.
        directory: where the training keeps its files.
        validation: decides which pass was best and when to stop; without it the last pass counts.
        resume: go on from the checkpoint in `directory` if there is one; otherwise any is removed. Every batch follows
            from the seed and its number, so the result is that of a training that was not interrupted.
        seed: of initial weights, order and feature dropout.
        tracker: is told the loss of every step, and the pace and the validation metric of every pass.
        negatives: `[negatives]`.
        training: `[training]`.
        kinds: names of the kinds of events; needed where options name kinds.

    Raises:
        TrainingError: there are too few examples, the loss is not a number, or the checkpoint belongs to another
            training.
        ConfigError: what the options ask for is not there.
    """
    tf.config.experimental.enable_op_determinism()
    every = TwoTowerOptions(options, negatives or NegativeOptions(), training or TrainingOptions(), kinds)
    strategy = open_strategy(every.training.distribute)
    chief = is_chief(every.training.distribute)
    if every.training.distribute == "multiworker" and options.time_budget_seconds is not None:
        raise ConfigError(["retrieval.time_budget_seconds: workers could end at different steps; set epochs instead"])
    with example_source(events, space, every, directory, seed) as source:
        if len(source) < 2:
            raise TrainingError(f"two-tower training needs at least 2 examples, and there are {len(source)}")
        plan = build_negatives(events, source.histories, space, every)
        run = RetrievalRun(source, space, every, plan, seed, strategy)
        checkpoints = Checkpoints(directory / "checkpoints")
        if resume and (checkpoint := checkpoints.latest()) is not None:
            run.restore(checkpoint)
        elif chief:
            checkpoints.clear()
        sampled = validation.sample(options.validation_users, seed) if validation is not None else None
        _go_on(run, checkpoints if chief else None, sampled, tracker if chief else None)
    run.take_best()
    user, item = run.networks()
    if chief:
        document = {"metric": metric_name(space), "epochs": run.state.history}
        write_json_atomic(directory / "retrieval_history.json", document)
        checkpoints.clear()
    return TrainedTowers(user, item, space, run.state.history, metric_name(space))


def _go_on(
    run: RetrievalRun,
    checkpoints: Checkpoints | None,
    validation: RetrievalValidation | None,
    tracker: Tracker | None,
) -> None:
    """Step until the training ends; without `checkpoints` and `tracker` nothing is written."""
    options, state = run.options, run.state
    total, first = options.epochs * run.steps_per_epoch, run.steps_done
    started, before = monotonic(), state.seconds
    saved, metric = started, ""
    with progress("Training the two towers", total) as task:
        task.advance(first)
        try:
            while not state.finished:
                loss = run.step()
                elapsed = monotonic() - started
                state.seconds = before + elapsed
                pace = (run.steps_done - first) * run.batch / max(elapsed, 1e-9)
                if tracker is not None:
                    tracker.scalars({"loss": loss}, run.steps_done)
                over = options.time_budget_seconds is not None and state.seconds >= options.time_budget_seconds
                if state.step == run.steps_per_epoch or over:
                    entry = _end_epoch(run, validation, pace, over, tracker)
                    measured = entry[metric_name(run.space)]
                    metric = "" if measured is None else f"{metric_name(run.space)} {measured:.4f}"
                task.advance(1, f"pass {state.epoch + 1} loss {loss:.3f} {metric} {pace:,.0f} examples/s")
                if checkpoints is not None and monotonic() - saved >= options.checkpoint_seconds:
                    checkpoints.save(run.steps_done, run.checkpoint())
                    saved = monotonic()
        except KeyboardInterrupt:
            if checkpoints is not None:
                checkpoints.save(run.steps_done, run.checkpoint())
            raise


def _end_epoch(
    run: RetrievalRun, validation: RetrievalValidation | None, pace: float, over: bool, tracker: Tracker | None
) -> dict[str, Any]:
    """Measure, keep what is best, and decide whether to go on; gives the line for the history."""
    state, options = run.state, run.options
    metric = None if validation is None else _measure(run, validation)
    entry = {
        "epoch": state.epoch + 1,
        "loss": state.losses / state.step,
        metric_name(run.space): metric,
        "examples_per_second": pace,
        "seconds": state.seconds,
    }
    if tracker is not None:
        measured = {} if metric is None else {VALIDATION + metric_name(run.space): metric}
        tracker.scalars({"examples_per_second": pace, **measured}, run.steps_done)
    if metric is not None:
        if state.best is None or metric > state.best:
            run.remember_best()
            state.best, state.stale = metric, 0
        else:
            state.stale += 1
    state.history.append(entry)
    state.epoch, state.step, state.losses = state.epoch + 1, 0, 0.0
    state.finished = over or state.epoch == options.epochs or state.stale >= options.patience
    return entry


def _measure(run: RetrievalRun, validation: RetrievalValidation) -> float:
    inputs = run.space.user_inputs(validation.users, validation.histories, validation.now)
    items = item_vectors(run.space, run.item_vectors)
    return validation.recall(run.user_vectors(inputs), items, list_length(run.space.number_of_items))


def metric_name(space: FeatureSpace) -> str:
    """What the validation metric of a training with `space` is called."""
    return f"recall_min@{list_length(space.number_of_items)}"
