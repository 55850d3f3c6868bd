"""The whole pipeline beside tuned baselines and each of its sources, on a period that nothing was trained on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import TrainingError
from savor.core.progress import progress
from savor.data.splits import TEST, TRAIN, VALIDATION
from savor.evaluation.evaluate import TaskResult, evaluate_lists
from savor.evaluation.holdout import Holdout, Task
from savor.evaluation.options import EvaluationOptions
from savor.evaluation.protocol import describe_protocol
from savor.evaluation.tuning import Tuned, refit, tune
from savor.models.ranked import Ranked
from savor.pipeline.build import Serving
from savor.pipeline.query import Query
from savor.training.two_stage import TwoStage

PIPELINE = "pipeline"
TASKS: tuple[Task, ...] = ("all", "new")
COLD_TASKS: tuple[Task, ...] = ("cold_users", "cold_items")


@dataclass(frozen=True)
class Judgement:
    """What an evaluation found.

    Attributes:
        protocol: how it was measured, as JSON values.
        results: by task; tasks that nobody can be asked about are left out.
        tuned: by baseline, what was tried on validation.
    """

    protocol: dict[str, Any]
    results: dict[Task, TaskResult]
    tuned: dict[str, Tuned]


def judge(stages: TwoStage, options: EvaluationOptions) -> Judgement:
    """Tune the baselines on validation, refit them on train and validation, and measure everything on test, once.

    Args:
        stages: both stages trained; nothing of the test period entered them.
        options: cutoffs, tuning and intervals.
    """
    dataset = stages.dataset
    events, split = dataset.events, dataset.split
    users, items = len(dataset.user_ids), len(dataset.item_ids)
    kinds = stages.wanted_kinds()

    def holdout(target: int, task: Task) -> Holdout:
        start = split["test_start"] if target == TEST else split["validation_start"]
        made = Holdout.from_events(
            events,
            target,
            number_of_users=users,
            number_of_items=items,
            cut=start,
            task=task,
            kinds=kinds,
            minimum_value=options.minimum_value,
        )
        return made.sample(options.maximum_users, stages.seed)

    trained = events.select(events.split == TRAIN)
    known = events.split < TEST
    before_test = events.select(known)
    tuned = tune(
        trained,
        {task: holdout(VALIDATION, task) for task in TASKS},
        number_of_users=users,
        number_of_items=items,
        now=int(split["validation_start"] or trained.time.max() + 1),
        mode=options.tuning,
    )
    asked = {task: holdout(TEST, task) for task in (*TASKS, *COLD_TASKS)}
    now = int(split["test_start"] or before_test.time.max() + 1)
    warm = {task: asked[task] for task in TASKS if len(asked[task])}
    lists = refit(tuned, before_test, warm, number_of_users=users, number_of_items=items, now=now)
    with stages.serving(known, now) as serving:
        for task, questions in asked.items():
            if len(questions):
                lists.setdefault(task, {}).update(pipeline_lists(serving, questions, options.pipeline_length))
        vectors = np.load(serving.bundle.path("vectors/items.npy"), allow_pickle=False)
    results = {
        task: evaluate_lists(
            asked[task],
            _in_order(found),
            cutoffs=options.cutoffs,
            resamples=options.resamples,
            seed=stages.seed,
            reference=PIPELINE,
            item_vectors=vectors,
        )
        for task, found in lists.items()
    }
    protocol = describe_protocol(
        asked["all"],
        split,
        seeds=[stages.seed],
        refitted=False,
        query_time_is_input=True,
        number_of_users=users,
        fingerprint=dataset.fingerprint,
        cutoffs=options.cutoffs,
        resamples=options.resamples,
        tuned={name: one.as_json() for name, one in tuned.items()},
    )
    protocol["models"] = stages.identity()
    protocol["pipeline"] = (
        "towers learn from before the ranker's windows, rankers from windows that end where the test begins; "
        "histories and statistics are as of that moment; baselines are refitted on train and validation"
    )
    return Judgement(protocol, results, tuned)


def pipeline_lists(serving: Serving, questions: Holdout, length: int) -> dict[str, Ranked]:
    """Lists of the whole pipeline, and of each source alone, for every question."""
    names = [source.name for source in serving.pipeline.sources if source is not serving.pipeline.popular]
    width = 100
    alone = {name: Ranked.empty(len(questions), width) for name in names}
    whole = Ranked.empty(len(questions), length)
    with progress(f"pipeline, task {questions.task}", len(questions)) as task:
        for row, (user, now) in enumerate(zip(questions.users, questions.now, strict=True)):
            query = Query(serving.states.ids[int(user)], int(now) - 1, n=length, exclude_seen=questions.excludes_seen)
            result = serving.pipeline.run(query)
            if result.failures:
                raise TrainingError(f"a stage failed while the pipeline was measured: {result.fallback}")
            found = result.candidates
            whole.items[row, : len(found)] = found.item
            whole.scores[row, : len(found)] = _falling(found.score)
            _, candidates = serving.pipeline.gather(query)
            for name in names:
                rank, score = candidates.columns[f"{name}_rank"], candidates.columns[f"{name}_score"]
                brought = np.flatnonzero(np.isfinite(score) & (rank <= width))
                ordered = brought[np.argsort(rank[brought], kind="stable")]
                alone[name].items[row, : len(ordered)] = candidates.item[ordered]
                alone[name].scores[row, : len(ordered)] = score[ordered]
            task.advance()
    return {PIPELINE: whole, **{f"source: {name}": lists for name, lists in alone.items()}}


def _falling(score: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scores as they are, so that ties count against the pipeline; where a rule changed the order, places instead."""
    if (score[1:] <= score[:-1]).all():
        return score
    return -np.arange(len(score), dtype=np.float32)


def _in_order(lists: Mapping[str, Ranked]) -> dict[str, Ranked]:
    """The pipeline first, then baselines, then sources."""
    order = sorted(lists, key=lambda name: (name != PIPELINE, name.startswith("source: "), name))
    return {name: lists[name] for name in order}
