"""Training of a sequence model, which can be stopped at any moment and goes on to the same result."""

from pathlib import Path
from time import monotonic
from typing import Any

import tensorflow as tf

from savor.core.errors import ConfigError, TrainingError
from savor.core.files import write_json_atomic
from savor.core.progress import progress
from savor.data.events import Events
from savor.data.histories import Histories
from savor.features.feature_space import FeatureSpace
from savor.features.table_encoder import Inputs
from savor.training.checkpoints import Checkpoints
from savor.training.retrieval_options import RetrievalOptions
from savor.training.retrieval_validation import RetrievalValidation
from savor.training.sequence.options import SequenceOptions
from savor.training.sequence.run import SequenceRun
from savor.training.tracking.tracker import VALIDATION, Tracker
from savor.training.trained_towers import TrainedTowers

METRIC = "ndcg@10"
"""Decides which pass was best."""


def train_sequence(
    events: Events,
    space: FeatureSpace,
    retrieval: RetrievalOptions,
    options: SequenceOptions,
    directory: Path,
    *,
    validation: RetrievalValidation | None = None,
    resume: bool = False,
    seed: int = 0,
    tracker: Tracker | None = None,
) -> TrainedTowers:
    """Train `retrieval.model`, `transformer` or `gru`, on the order of `events`.

    Keeps in `directory`: `checkpoints/` (removed when done) and `retrieval_history.json`.

    Args:
        events: what may be learnt from, in time order.
        space: fitted on what may be known.
        retrieval: passes, patience, budgets.
        options: of the model.
        directory: where the training keeps its files.
        validation: decides which pass was best and when to stop; without it the last pass counts.
        resume: go on from the checkpoint in `directory` if there is one; otherwise any is removed. The result is that
            of a training that was not interrupted.
        seed: everything random follows from it.
        tracker: is told the loss of every step, and the pace and the validation metric of every pass.

    Raises:
        ConfigError: the model needs an input that the features leave out.
        TrainingError: there are no events, the loss is not a number, or the checkpoint belongs to another training.
    """
    if options.time and "history_seconds" not in space.user_signature:
        raise ConfigError(["sequence.time needs features.history_seconds = true"])
    if options.time and retrieval.model == "gru":
        raise ConfigError(['sequence.time needs retrieval.model = "transformer"'])
    if len(events) < 2:
        raise TrainingError(f"a sequence model needs at least 2 events to learn from, and there are {len(events)}")
    tf.config.experimental.enable_op_determinism()
    histories = Histories.from_events(events, len(space.user_table["user_id"]))
    run = SequenceRun(retrieval.model, histories, space, options, retrieval.epochs, seed)
    checkpoints = Checkpoints(directory / "checkpoints")
    if resume and (checkpoint := checkpoints.latest()) is not None:
        run.restore(checkpoint)
    else:
        checkpoints.clear()
    questions = None if validation is None else validation.sample(retrieval.validation_users, seed)
    _go_on(run, retrieval, checkpoints, questions, tracker)
    run.take_best()
    write_json_atomic(directory / "retrieval_history.json", {"metric": METRIC, "epochs": run.state.history})
    checkpoints.clear()
    return TrainedTowers(*run.networks(), space, run.state.history, METRIC)


def _go_on(
    run: SequenceRun,
    retrieval: RetrievalOptions,
    checkpoints: Checkpoints,
    validation: RetrievalValidation | None,
    tracker: Tracker | None,
) -> None:
    """Step until the training ends."""
    state = run.state
    inputs: Inputs = {}
    if validation is not None:
        inputs = run.space.user_inputs(validation.users, validation.histories, validation.now)
    started, before = monotonic(), state.seconds
    saved, learnt, note = started, 0, ""
    with progress("Training the sequence model", run.epochs * run.steps_per_epoch) as task:
        task.advance(run.steps_done)
        try:
            while not state.finished:
                state.seconds = before + monotonic() - started
                pace = learnt / max(monotonic() - started, 1e-9)
                over = retrieval.time_budget_seconds is not None and state.seconds >= retrieval.time_budget_seconds
                if state.step and (over or state.step >= run.steps_per_epoch):
                    metric = _end_epoch(run, retrieval, validation, inputs, pace, over, tracker)
                    note = "" if metric is None else f"{METRIC} {metric:.4f}"
                    continue
                loss, predictions = run.step()
                learnt += predictions
                task.advance(1, f"pass {state.epoch + 1} loss {loss:.3f} {note} {pace:,.0f} events/s")
                if tracker is not None:
                    tracker.scalars({"loss": loss}, run.steps_done)
                if monotonic() - saved >= retrieval.checkpoint_seconds:
                    checkpoints.save(run.steps_done, run.checkpoint())
                    saved = monotonic()
        except KeyboardInterrupt:
            checkpoints.save(run.steps_done, run.checkpoint())
            raise


def _end_epoch(
    run: SequenceRun,
    retrieval: RetrievalOptions,
    validation: RetrievalValidation | None,
    inputs: Inputs,
    pace: float,
    over: bool,
    tracker: Tracker | None,
) -> float | None:
    """Measure, keep what is best, and decide whether to go on; gives the metric."""
    state = run.state
    metric = None
    if validation is not None:
        metric = validation.ndcg(run.user_vectors(inputs), run.item_vectors(), 10)
    entry: dict[str, Any] = {
        "epoch": state.epoch + 1,
        "loss": state.losses / state.step,
        METRIC: metric,
        "examples_per_second": pace,
        "seconds": state.seconds,
    }
    if tracker is not None:
        measured = {} if metric is None else {VALIDATION + METRIC: metric}
        tracker.scalars({"examples_per_second": pace, **measured}, run.steps_done)
    if metric is not None:
        if state.best is None or metric > state.best:
            run.remember_best()
            state.best, state.stale = metric, 0
        else:
            state.stale += 1
    state.history.append(entry)
    state.epoch, state.step, state.losses = state.epoch + 1, 0, 0.0
    state.finished = over or state.epoch == retrieval.epochs or state.stale >= retrieval.patience
    return metric
