"""Training of the two towers, which can be stopped at any moment and goes on to the same result."""

from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import tensorflow as tf

from savor.core.errors import TrainingError
from savor.core.files import write_json_atomic
from savor.core.progress import progress
from savor.data.events import Events
from savor.data.histories import Histories
from savor.features.feature_space import FeatureSpace
from savor.training.checkpoints import Checkpoints
from savor.training.retrieval_examples import RetrievalExamples
from savor.training.retrieval_options import RetrievalOptions
from savor.training.retrieval_run import RetrievalRun
from savor.training.retrieval_validation import RetrievalValidation
from savor.training.trained_towers import TrainedTowers, item_vectors

LONGEST_LIST = 100
"""The validation metric looks at so many items, or at a tenth of a catalogue of fewer than a thousand."""


def train_retrieval(
    events: Events,
    space: FeatureSpace,
    options: RetrievalOptions,
    directory: Path,
    *,
    validation: RetrievalValidation | None = None,
    resume: bool = False,
    seed: int = 0,
) -> TrainedTowers:
    """Train both towers on `events`.

    Keeps in `directory`: `checkpoints/` (removed when done), `tensorboard/`, and `retrieval_history.json`.

    Args:
        events: what may be learnt from, in time order; positives and histories are made of these only.
        space: fitted on what may be known.
        options: widths, length and pace.
        directory: where the training keeps its files.
        validation: decides which pass was best and when to stop; without it the last pass counts.
        resume: go on from the checkpoint in `directory` if there is one; otherwise any is removed. Every batch follows
            from the seed and its number, so the result is that of a training that was not interrupted.
        seed: of initial weights, order and feature dropout.

    Raises:
        TrainingError: there are too few examples, the loss is not a number, or the checkpoint belongs to another
            training.
    """
    tf.config.experimental.enable_op_determinism()
    histories = Histories.from_events(events, len(space.user_table["user_id"]))
    examples = RetrievalExamples.from_events(
        events, histories, space.number_of_items, positives=options.positives, maximum=options.maximum_examples
    )
    if len(examples) < 2:
        raise TrainingError(f"two-tower training needs at least 2 examples, and there are {len(examples)}")
    run = RetrievalRun(examples, histories, space, options, seed)
    checkpoints = Checkpoints(directory / "checkpoints")
    if resume and (checkpoint := checkpoints.latest()) is not None:
        run.restore(checkpoint)
    else:
        checkpoints.clear()
    sampled = validation.sample(options.validation_users, seed) if validation is not None else None
    _go_on(run, checkpoints, sampled, directory)
    run.take_best()
    write_json_atomic(directory / "retrieval_history.json", {"metric": metric_name(space), "epochs": run.state.history})
    checkpoints.clear()
    return TrainedTowers(run.user, run.item, space, run.state.history, metric_name(space))


def _go_on(
    run: RetrievalRun, checkpoints: Checkpoints, validation: RetrievalValidation | None, directory: Path
) -> None:
    """Step until the training ends."""
    options, state = run.options, run.state
    total, first = options.epochs * run.steps_per_epoch, run.steps_done
    started, before = monotonic(), state.seconds
    saved, metric = started, ""
    writer: Any = tf.summary.create_file_writer(str(directory / "tensorboard"))
    with progress("Training the two towers", total) as task, writer.as_default():
        task.advance(first)
        try:
            while not state.finished:
                loss = run.step()
                elapsed = monotonic() - started
                state.seconds = before + elapsed
                pace = (run.steps_done - first) * run.batch / max(elapsed, 1e-9)
                tf.summary.scalar("loss", loss, step=run.steps_done)
                over = options.time_budget_seconds is not None and state.seconds >= options.time_budget_seconds
                if state.step == run.steps_per_epoch or over:
                    entry = _end_epoch(run, validation, pace, over)
                    measured = entry[metric_name(run.space)]
                    metric = "" if measured is None else f"{metric_name(run.space)} {measured:.4f}"
                task.advance(1, f"pass {state.epoch + 1} loss {loss:.3f} {metric} {pace:,.0f} examples/s")
                if monotonic() - saved >= options.checkpoint_seconds:
                    checkpoints.save(run.steps_done, run.checkpoint())
                    saved = monotonic()
        except KeyboardInterrupt:
            checkpoints.save(run.steps_done, run.checkpoint())
            raise
    writer.close()


def _end_epoch(run: RetrievalRun, validation: RetrievalValidation | None, pace: float, over: bool) -> dict[str, Any]:
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
    tf.summary.scalar("examples_per_second", pace, step=run.steps_done)
    if metric is not None:
        tf.summary.scalar(metric_name(run.space), metric, step=run.steps_done)
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
    items = item_vectors(run.space, run.item.predict_on_batch)
    return validation.recall(np.asarray(run.user.predict_on_batch(inputs)), items, _list_length(run.space))


def metric_name(space: FeatureSpace) -> str:
    """What the validation metric of a training with `space` is called."""
    return f"recall_min@{_list_length(space)}"


def _list_length(space: FeatureSpace) -> int:
    return min(LONGEST_LIST, max(1, space.number_of_items // 10))
