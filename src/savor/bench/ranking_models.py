"""The kinds of models that answer a ranking benchmark."""

from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import Any, Literal

from savor.bench.blend import BlendParams, best_weights, blend
from savor.bench.config import ModelSpec
from savor.bench.kept import Kept
from savor.bench.outcome import Arrays
from savor.bench.prepare import Prepared
from savor.bench.protocol import Answer
from savor.bench.questions import Questions
from savor.bench.sections import RETRIEVERS, parse_sections, stages_of
from savor.core.config import Section
from savor.core.errors import ConfigError, TrainingError
from savor.data.splits import TEST
from savor.evaluation.holdout import Task
from savor.evaluation.tuning import tune
from savor.models.baselines.ease import Ease, EaseParams
from savor.models.baselines.families import FAMILIES, Family
from savor.models.baselines.gf_cf import GfCf, GfCfParams
from savor.models.baselines.ials import Ials, IalsParams
from savor.models.baselines.item_knn import ItemKnn, ItemKnnParams
from savor.models.baselines.own_frequency import OwnFrequency, OwnFrequencyParams
from savor.models.baselines.popularity import Popularity, PopularityParams
from savor.models.ranked import Ranked
from savor.models.recommender import Recommender
from savor.training.ncf.options import NcfOptions


def _ncf(kind: Literal["mlp", "neumf"], params: NcfOptions, seed: int) -> Recommender:
    # TensorFlow takes seconds to import, so only a model that needs it does.
    from savor.training.ncf.recommender import NcfRecommender

    return NcfRecommender(kind, params, seed)


RECOMMENDERS: dict[str, tuple[type[Section], Callable[[Any, int], Recommender]]] = {
    "popularity": (PopularityParams, lambda params, _: Popularity(params)),
    "recent_popularity": (PopularityParams, lambda params, _: Popularity(params)),
    "own_frequency": (OwnFrequencyParams, lambda params, _: OwnFrequency(params)),
    "item_knn": (ItemKnnParams, lambda params, _: ItemKnn(params)),
    "ease": (EaseParams, lambda params, _: Ease(params)),
    "gf_cf": (GfCfParams, lambda params, _: GfCf(params)),
    "ials": (IalsParams, lambda params, seed: Ials(params, seed=seed)),
    "mlp": (NcfOptions, lambda params, seed: _ncf("mlp", params, seed)),
    "neumf": (NcfOptions, lambda params, seed: _ncf("neumf", params, seed)),
}
"""By kind: the parameters, and what makes a model of them and a seed."""

BLEND = "blend"
"""Puts together what models before it in the file have answered."""

TUNABLE = {family.name: family for family in (*FAMILIES, Family("gf_cf", GfCf, GfCf.grid))}
"""What has a grid."""


def check(spec: ModelSpec) -> None:
    """See `ProtocolKind.check`."""
    if spec.kind in RECOMMENDERS:
        if spec.sections:
            raise ConfigError([f"models of kind {spec.kind} have no sections, but params"], source=spec.name)
        RECOMMENDERS[spec.kind][0].model_validate(spec.params)
        if not spec.refit and spec.kind != "ease":
            raise ConfigError(["refit: only ease can be asked with more than it learnt from"], source=spec.name)
        if spec.tune != "no" and spec.kind not in TUNABLE:
            raise ConfigError([f"tune: there is no grid of {spec.kind}"], source=spec.name)
    elif spec.kind == BLEND:
        BlendParams.model_validate(spec.params)
        if spec.sections or spec.tune != "no":
            raise ConfigError(["models of kind blend have params, no sections and no tune"], source=spec.name)
    elif spec.kind in RETRIEVERS or spec.kind == "pipeline":
        if spec.params or spec.tune != "no":
            raise ConfigError([f"models of kind {spec.kind} have sections, no params and no tune"], source=spec.name)
        parse_sections(spec, {})
    else:
        kinds = ", ".join((*RECOMMENDERS, *RETRIEVERS, "pipeline", BLEND))
        raise ConfigError([f"kind: {spec.kind!r} is none of {kinds}"], source=spec.name)


def answer(
    prepared: Prepared, questions: Questions, length: int, spec: ModelSpec, seed: int, directory: Path
) -> Answer:
    """Train a model and ask it.

    The arrays are `items/<task>` (Q, k) int32 and `scores/<task>` (Q, k) float32, and of models that were validated the
    same after `validation_`.
    """
    if spec.kind in RECOMMENDERS:
        return _recommender(questions, length, spec, seed)
    if spec.kind in RETRIEVERS:
        return _retriever(prepared, questions, length, spec, seed, directory)
    if spec.kind == BLEND:
        return _blend(prepared, questions, length, spec, seed)
    return _pipeline(prepared, questions, length, spec, seed, directory)


def _recommender(questions: Questions, length: int, spec: ModelSpec, seed: int) -> Answer:
    kind, make = RECOMMENDERS[spec.kind]
    users, items = questions.number_of_users, questions.number_of_items
    details: dict[str, Any] = {}
    lists: dict[Task, Ranked] = {}
    fitting = answering = 0.0
    chosen = {task: kind.model_validate(spec.params) for task in questions.test}
    if spec.tune != "no":
        started = monotonic()
        family = TUNABLE[spec.kind]
        asked = {task: questions.validation[task] for task in questions.test if task in questions.validation}
        first = next(iter(asked))
        tuned = tune(
            questions.train,
            {**asked, "all": asked.get("all", asked[first])},
            number_of_users=users,
            number_of_items=items,
            now=questions.validation_now,
            mode=spec.tune,
            families=[family],
        )[family.name]
        chosen = {task: tuned.params(task) for task in questions.test}
        details["tuned"] = {task: params.model_dump(mode="json") for task, params in chosen.items()}
        details["trials"] = len(tuned.trials)
        fitting += monotonic() - started
    models: dict[str, Recommender] = {}
    validated: dict[Task, Ranked] = {}
    offered = spec.kind not in TUNABLE or TUNABLE[spec.kind].offers_unseen
    for task, holdout in questions.test.items():
        if holdout.excludes_seen and not offered:
            continue
        key = chosen[task].model_dump_json()
        started = monotonic()
        asked_before = questions.validation.get(task)
        if spec.validated and asked_before is not None:
            before = make(chosen[task], seed)
            before.fit(questions.train, users, items, questions.validation_now)
            validated[task] = before.recommend(asked_before.users, length, exclude_seen=asked_before.excludes_seen)
        if key not in models:
            models.clear()
            models[key] = make(chosen[task], seed)
            _fit(models[key], questions, refit=spec.refit)
        fitting += monotonic() - started
        started = monotonic()
        lists[task] = models[key].recommend(holdout.users, length, exclude_seen=holdout.excludes_seen)
        answering += monotonic() - started
    return _answer(lists, fitting, answering, details, validated)


def _fit(model: Recommender, questions: Questions, *, refit: bool) -> None:
    users, items = questions.number_of_users, questions.number_of_items
    if refit:
        model.fit(questions.known, users, items, questions.test_now)
        return
    model.fit(questions.train, users, items, questions.validation_now)
    if isinstance(model, Ease):
        model.know(questions.known, questions.test_now)


def _retriever(
    prepared: Prepared, questions: Questions, length: int, spec: ModelSpec, seed: int, directory: Path
) -> Answer:
    from savor.training.retrieval_validation import RetrievalValidation
    from savor.training.tower_recommender import TowerRecommender

    model = TowerRecommender(stages_of(prepared, spec, seed, directory, {}), directory)
    task, holdout = next(iter(questions.validation.items()), (None, None))
    validated: dict[Task, Ranked] = {}
    started = monotonic()
    if holdout is None:
        model.fit(questions.known, questions.test_now, None)
        details: dict[str, Any] = {"passes": len(model.history)}
    elif spec.passes is not None:
        model.refit(questions.known, questions.test_now, spec.passes)
        details = {"passes": spec.passes, "history": model.history}
    else:
        make = RetrievalValidation.new_items if task == "new" else RetrievalValidation.all_items
        asked = make(holdout.users, holdout.now, holdout.histories, holdout.indptr, holdout.items)
        model.fit(questions.train, questions.validation_now, asked)
        details = {"passes": len(model.history), "best_pass": model.best_pass, "history": model.history}
        validated = {task: model.answer(holdout, length) for task, holdout in questions.validation.items()}
        if spec.refit:
            model.refit(questions.known, questions.test_now)
    fitting = monotonic() - started
    started = monotonic()
    lists = {task: model.answer(holdout, length) for task, holdout in questions.test.items()}
    details["weights"] = model.number_of_weights()
    return _answer(lists, fitting, monotonic() - started, details, validated)


def _pipeline(
    prepared: Prepared, questions: Questions, length: int, spec: ModelSpec, seed: int, directory: Path
) -> Answer:
    from savor.training.judge import PIPELINE, pipeline_lists

    stages = stages_of(prepared, spec, seed, directory, prepared.sections)
    if questions.dropped_users:
        raise ConfigError(["a pipeline cannot be asked with users held out whole"], source=spec.name)
    started = monotonic()
    stages.train_retrieval()
    stages.train_ranking()
    fitting = monotonic() - started
    known = stages.dataset.events.split < TEST
    lists: dict[Task, Ranked] = {}
    with stages.serving(known, questions.test_now) as serving:
        started = monotonic()
        for task, holdout in questions.test.items():
            lists[task] = pipeline_lists(serving, holdout, min(length, 20))[PIPELINE]
        answering = monotonic() - started
    return _answer(lists, fitting, answering, {"models": stages.identity()})


def _blend(prepared: Prepared, questions: Questions, length: int, spec: ModelSpec, seed: int) -> Answer:
    benchmark = prepared.benchmark
    kept = Kept(prepared.folder.parent / "answers", benchmark)
    found: list[Arrays] = []
    members = benchmark.chosen(BlendParams.model_validate(spec.params).members, None)
    names = [member.name for member in members]
    for member in members:
        outcome = kept.find(member, seed) or kept.find(member, member.seeds[0])
        if outcome is None or not any(key.startswith("validation_") for key in outcome.arrays):
            raise TrainingError(f"run {member.name} with its validation first: {spec.name} is made of its answers")
        found.append(outcome.arrays)
    lists: dict[Task, Ranked] = {}
    chosen: dict[str, Any] = {}
    started = monotonic()
    for task, holdout in questions.test.items():
        weights, value = best_weights([_ranked(one, task, "validation_") for one in found], questions.validation[task])
        chosen[task] = {"weights": dict(zip(names, weights, strict=True)), "validation": value}
        lists[task] = blend([_ranked(one, task) for one in found], weights, holdout.number_of_items, length)
    return _answer(lists, monotonic() - started, 0.0, {"chosen": chosen})


def _ranked(arrays: Arrays, task: Task, prefix: str = "") -> Ranked:
    return Ranked(arrays[f"{prefix}items/{task}"], arrays[f"{prefix}scores/{task}"])


def _answer(
    lists: Mapping[Task, Ranked],
    fitting: float,
    answering: float,
    details: dict[str, Any],
    validated: Mapping[Task, Ranked] | None = None,
) -> Answer:
    arrays: dict[str, Any] = {}
    for prefix, some in (("", lists), ("validation_", validated or {})):
        for task, ranked in some.items():
            arrays[f"{prefix}items/{task}"], arrays[f"{prefix}scores/{task}"] = ranked.items, ranked.scores
    return Answer(arrays, fitting, answering, details)
