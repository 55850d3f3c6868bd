"""A language model ranks and rates on a sample of MovieLens-1M, beside ordinary models on the same sample.

python benchmarks/assistant/language_model.py ranking --data DIR       # DIR holds ml-1m; half an hour on one core
python benchmarks/assistant/language_model.py rating --data DIR

Ranking: leave-one-out, 5-core, seen films left out (the protocol of benchmarks/quality/ml-1m-leave-one-out.toml). EASE
retrieves 20 films; the model scores them by the likelihood of their titles after the last ten that the person rated.
How to score, and how much it counts beside EASE, is chosen on validation with other people than those of the test.

Rating: a random tenth is held out (benchmarks/quality/ml-1m-rating.toml). The model is told the last twelve ratings
of a person and reads off how likely each number is for a film; what it expects is put on people's scale on validation.

People are taken in the order of a seeded permutation, so a smaller sample is the beginning of a larger one.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from savor.assistant.providers.errors import NotOfferedError
from savor.assistant.providers.local import LocalProvider
from savor.assistant.providers.openai_compatible import OpenAICompatible
from savor.assistant.providers.prompt import Prompt
from savor.assistant.providers.provider import Likelihoods, Piece, Provider, Usage
from savor.assistant.ranking.likelihood_ranker import MEASURES, LikelihoodRanker, Measure
from savor.assistant.ranking.rating_predictor import RatingPredictor, RatingScale
from savor.assistant.ranking.wording import Wording, readable
from savor.bench.config import read_benchmark
from savor.bench.kept import Kept
from savor.bench.prepare import prepare
from savor.bench.questions import Questions, RankingOptions
from savor.bench.suite import Suite
from savor.data.dataset import Dataset
from savor.data.splits import TEST, TRAIN, VALIDATION
from savor.evaluation.bootstrap import Bootstrap
from savor.evaluation.hits import hits_of_lists
from savor.evaluation.holdout import Holdout
from savor.evaluation.metrics import accuracy
from savor.evaluation.rating import rating_figures
from savor.models.baselines.ease import Ease, EaseParams
from savor.models.baselines.popularity import Popularity
from savor.training.rating.biases import Biases
from savor.training.rating.rating_table import RatingTable

ROOT = Path(__file__).parents[2]
CANDIDATES, SEED = 20, 6
WEIGHTS = tuple(step / 10 for step in range(11))
FILMS = Wording(
    heading="Films one person watched, in this order:",
    nothing="A film that a person may watch.",
    following="Next:",
    ratings="How one person rated films, from 1 (bad) to 5 (excellent):",
)
FOREVER = 86_400.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=("ranking", "rating"))
    parser.add_argument("--data", type=Path, required=True, help="folder above ml-1m")
    parser.add_argument("--users", type=int, default=300, help="people of the test")
    parser.add_argument("--validation-users", type=int, default=150, help="people to choose with")
    parser.add_argument("--threads", type=int, default=1, help="of the local model")
    parser.add_argument("--model", help="name at an endpoint, or GGUF file; none: SmolLM2-135M-Instruct")
    parser.add_argument("--base-url", help="an OpenAI-compatible endpoint with likelihoods")
    parser.add_argument("--said", type=Path, help="what the model says is kept here, so that a run can be gone on with")
    parser.add_argument("--out", type=Path, help="the figures are written here as JSON")
    arguments = parser.parse_args()
    provider: Provider
    if arguments.base_url:
        provider = OpenAICompatible(arguments.model or "model", arguments.base_url)
    else:
        provider = LocalProvider(Path(arguments.model) if arguments.model else None, threads=arguments.threads)
    provider.warm_up()
    if arguments.said:
        provider = Remembering(provider, arguments.said)
    run = Ranking if arguments.task == "ranking" else Rating
    started = time.monotonic()
    figures = run(arguments.data, provider).figures(arguments.users, arguments.validation_users)
    figures |= {"model": provider.name, "seconds": round(time.monotonic() - started)}
    text = json.dumps(figures, indent=1)
    if arguments.out:
        arguments.out.write_text(text + "\n", encoding="utf-8")
    print(text)
    provider.close()


class Remembering:
    """Asks only what was not said before, and writes down what is said."""

    def __init__(self, provider: Provider, file: Path) -> None:
        self.inner, self.file = provider, file
        self.name, self.remote = provider.name, provider.remote
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        self.said = {(line["prompt"], *line["answers"]): line for line in map(json.loads, lines)}

    def complete(self, *_: object, **__: object) -> Iterator[Piece]:
        raise NotOfferedError("only likelihoods are remembered")

    def likelihoods(self, prompt: str, answers: Sequence[str], *, deadline: float) -> Likelihoods:
        line = self.said.get((prompt, *answers))
        if line is None:
            found = self.inner.likelihoods(prompt, answers, deadline=deadline)
            line = {"prompt": prompt, "answers": list(answers), "log": found.log_probability.tolist()}
            line["tokens"] = found.tokens.tolist()
            with self.file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        return Likelihoods(np.asarray(line["log"]), np.asarray(line["tokens"]), Usage())

    def warm_up(self, prompt: Prompt | None = None) -> None:
        self.inner.warm_up(prompt)

    def close(self) -> None:
        self.inner.close()


def titles(data: Path, ids: list[str]) -> list[str]:
    """Of the films in `ids`, without their years and other names, the article in front."""
    lines = (data / "ml-1m" / "movies.dat").read_text(encoding="latin-1").splitlines()
    by_id = {film: title for film, title, _ in (line.split("::") for line in lines)}
    return [readable(by_id[film].split(" (")[0]) for film in ids]


class Ranking:
    def __init__(self, data: Path, provider: Provider) -> None:
        self.benchmark = read_benchmark(ROOT / "benchmarks" / "quality" / "ml-1m-leave-one-out.toml")
        self.suite = Suite(ROOT)
        self.dataset = prepare(self.benchmark, self.suite, data).dataset
        self.names = titles(data, list(self.dataset.item_ids))
        self.questions = Questions.of(self.dataset, RankingOptions(cold_items="count"))
        self.provider, self.ranker = provider, LikelihoodRanker(wording=FILMS)

    def figures(self, users: int, validation_users: int) -> dict[str, object]:
        order = np.random.default_rng(SEED).permutation(self.questions.number_of_users)
        test, chosen = order[:users], order[len(order) - validation_users :]
        asked = {"validation": (self.questions.validation["new"], chosen), "test": (self.questions.test["new"], test)}
        lists, language, merit = {}, {}, {}
        for part, (whole, people) in asked.items():
            holdout = of_users(whole, people)
            asked[part] = (holdout, people)
            known = self.questions.train if part == "validation" else self.questions.known
            moment = self.questions.validation_now if part == "validation" else self.questions.test_now
            lists[part], merit[part] = retrieve(holdout, known, moment, self.questions)
            language[part] = self._score(holdout, lists[part], part)
        tried = {
            (measure, weight): float(
                measured(
                    asked["validation"][0],
                    ordered(lists["validation"], merit["validation"], language["validation"][measure], weight),
                )["ndcg@10"].mean()
            )
            for measure in MEASURES
            for weight in WEIGHTS
        }
        best = max(tried, key=lambda one: tried[one])
        alone = max(MEASURES, key=lambda measure: tried[measure, 1.0])
        holdout, items = asked["test"][0], lists["test"]
        rows = {
            "ease, late": items,
            f"language model alone ({alone})": ordered(items, merit["test"], language["test"][alone], 1.0),
            f"ease and language model ({best[0]}, weight {best[1]})": ordered(
                items, merit["test"], language["test"][best[0]], best[1]
            ),
            "candidates in random order": ordered(
                items, merit["test"], np.random.default_rng(SEED).random(items.shape), 1.0
            ),
            "popularity": popular(holdout, self.questions),
            **self._kept(holdout),
        }
        per_user = {name: measured(holdout, found) for name, found in rows.items()}
        bootstrap = Bootstrap(len(holdout))
        base = per_user["ease, late"]
        return {
            "people": len(holdout),
            "validation_people": len(asked["validation"][0]),
            "candidates": CANDIDATES,
            "held-out film among the candidates": float(
                np.mean([(items[row] == holdout.items[row]).any() for row in range(len(holdout))])
            ),
            "validation": {f"{measure} at {weight}": round(value, 4) for (measure, weight), value in tried.items()},
            "test": {name: intervals(bootstrap, found) for name, found in per_user.items()},
            "minus ease, late": {
                name: intervals(bootstrap, {metric: found[metric] - base[metric] for metric in found})
                for name, found in per_user.items()
                if found is not base
            },
        }

    def _score(self, holdout: Holdout, lists: NDArray[np.int32], part: str) -> dict[Measure, NDArray[np.float64]]:
        made = {measure: np.zeros(lists.shape) for measure in MEASURES}
        started = time.monotonic()
        for row in range(len(holdout)):
            past = history(holdout, row)[-10:]
            found = self.ranker.all_scores(
                self.provider,
                [self.names[item] for item in past],
                [self.names[item] for item in lists[row]],
                deadline=time.monotonic() + FOREVER,
            )
            for measure, values in found.items():
                made[measure][row] = values
            if row % 25 == 24:
                each = (time.monotonic() - started) / (row + 1)
                print(f"{part}: {row + 1} of {len(holdout)}, {each:.2f} s each", file=sys.stderr, flush=True)
        return made

    def _kept(self, holdout: Holdout) -> dict[str, NDArray[np.int32]]:
        """Lists of trained sequence models for the same people, where a run of the benchmark left them."""
        kept = Kept(self.suite.answers, self.benchmark)
        rows = np.searchsorted(self.questions.test["new"].users, holdout.users)
        found: dict[str, NDArray[np.int32]] = {}
        for spec in self.benchmark.models:
            if spec.kind == "transformer" and (outcome := kept.find(spec, spec.seeds[0])) is not None:
                found[f"SASRec family: {spec.name}"] = outcome.arrays["items/new"][rows]
        return found


class Rating:
    def __init__(self, data: Path, provider: Provider) -> None:
        benchmark = read_benchmark(ROOT / "benchmarks" / "quality" / "ml-1m-rating.toml")
        self.dataset: Dataset = prepare(benchmark, Suite(ROOT), data).dataset
        self.names = titles(data, list(self.dataset.item_ids))
        self.predictor = RatingPredictor(provider, wording=FILMS)

    def figures(self, users: int, validation_users: int, each: int = 4) -> dict[str, object]:
        events = self.dataset.events
        order = np.random.default_rng(SEED).permutation(len(self.dataset.user_ids))
        people = {"validation": order[len(order) - validation_users :], "test": order[:users]}
        target = {"validation": VALIDATION, "test": TEST}
        asked, expected = {}, {}
        for part, chosen in people.items():
            rows = sample_rows(events.user, events.split == target[part], chosen, each)
            asked[part], expected[part] = rows, self._expected(rows, chosen, part)
        known = {"validation": events.split == TRAIN, "test": events.split != TEST}
        linear = {part: self._linear(known[part], asked[part]) for part in asked}
        value = {part: events.value[rows].astype(np.float64) for part, rows in asked.items()}
        scale = RatingScale.fit(expected["validation"], value["validation"], 1.0, 5.0)
        joint = least_squares(np.column_stack([linear["validation"], expected["validation"]]), value["validation"])
        mean = float(events.value[known["test"]].mean())
        predicted = {
            "mean of all ratings": np.full(len(asked["test"]), mean),
            "the person's own mean": own_mean(events, known["test"], asked["test"], mean),
            "biases of person and film": linear["test"],
            "language model, as it says": expected["test"],
            "language model, on people's scale": scale.apply(expected["test"]),
            "biases and language model": np.clip(
                np.column_stack([np.ones(len(asked["test"])), linear["test"], expected["test"]]) @ joint, 1, 5
            ),
        }
        user = events.user[asked["test"]]
        return {
            "people": len(np.unique(user)),
            "validation_people": validation_users,
            "ratings": len(user),
            "validation_ratings": len(asked["validation"]),
            "scale": vars(scale),
            "joint weights (constant, biases, language model)": joint.round(3).tolist(),
            "correlation with the rating": {
                "language model": float(np.corrcoef(expected["test"], value["test"])[0, 1]),
                "biases": float(np.corrcoef(linear["test"], value["test"])[0, 1]),
            },
            "test": {
                name: {
                    metric: [round(number, 4) for number in (found.mean, found.low, found.high)]
                    for metric, found in rating_figures(
                        user, value["test"].astype(np.float32), values.astype(np.float32)
                    ).items()
                    if metric != "calibration_error"
                }
                for name, values in predicted.items()
            },
        }

    def _expected(self, rows: NDArray[np.intp], people: NDArray[np.int64], part: str) -> NDArray[np.float64]:
        events = self.dataset.events
        below = events.split < (VALIDATION if part == "validation" else TEST)
        made = np.zeros(len(rows))
        started = time.monotonic()
        for done, user in enumerate(people, start=1):
            places = np.flatnonzero(events.user[rows] == user)
            own = np.flatnonzero((events.user == user) & below)[-12:]
            past = [(self.names[events.item[row]], float(events.value[row])) for row in own]
            films = [self.names[events.item[row]] for row in rows[places]]
            made[places] = self.predictor.expected(past, films, deadline=time.monotonic() + FOREVER)
            if done % 25 == 0:
                print(
                    f"{part}: {done} people, {(time.monotonic() - started) / done:.2f} s each",
                    file=sys.stderr,
                    flush=True,
                )
        return made

    def _linear(self, known: NDArray[np.bool_], rows: NDArray[np.intp]) -> NDArray[np.float64]:
        events = self.dataset.events
        table = RatingTable(events.user, events.item, events.value, ())
        biases = Biases()
        biases.fit(table.select(known), len(self.dataset.user_ids), len(self.dataset.item_ids))
        asked = np.zeros(len(events), np.bool_)
        asked[rows] = True
        return np.asarray(biases.predict(table.select(asked)), np.float64)


def of_users(holdout: Holdout, users: NDArray[np.int64]) -> Holdout:
    """The questions of these people, in their order; each has one right answer."""
    place = np.full(int(holdout.users.max()) + 1, -1)
    place[holdout.users] = np.arange(len(holdout))
    rows = place[users]
    items = holdout.items[holdout.indptr[rows]]
    return replace(
        holdout,
        users=holdout.users[rows],
        now=holdout.now[rows],
        items=items,
        indptr=np.arange(len(rows) + 1, dtype=np.int64),
    )


def retrieve(
    holdout: Holdout, known: object, now: int, questions: Questions
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """(Q, 20) films of EASE and its scores."""
    ease = Ease(EaseParams(regularisation=300, position_decay=0.7, maximum_items=20_000), threads=1)
    ease.fit(known, questions.number_of_users, questions.number_of_items, now)  # type: ignore[arg-type]
    ranked = ease.recommend(holdout.users, CANDIDATES, exclude_seen=True)
    return ranked.items, ranked.scores.astype(np.float64)


def popular(holdout: Holdout, questions: Questions) -> NDArray[np.int32]:
    model = Popularity()
    model.fit(questions.known, questions.number_of_users, questions.number_of_items, questions.test_now)
    return model.recommend(holdout.users, CANDIDATES, exclude_seen=True).items


def history(holdout: Holdout, row: int) -> NDArray[np.int32]:
    """Films that the person of question `row` rated, oldest first."""
    user = holdout.users[row]
    return holdout.histories.item[holdout.histories.indptr[user] : holdout.histories.indptr[user + 1]]


def ordered(
    lists: NDArray[np.int32], merit: NDArray[np.float64], language: NDArray[np.float64], weight: float
) -> NDArray[np.int32]:
    """`lists` by (1 - weight) merit + weight language, both standardised within a list."""
    mixed = (1 - weight) * standard(merit) + weight * standard(language)
    return np.take_along_axis(lists, np.argsort(-mixed, axis=1, kind="stable"), axis=1)


def standard(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return (values - values.mean(axis=1, keepdims=True)) / np.maximum(values.std(axis=1, keepdims=True), 1e-9)


def measured(holdout: Holdout, lists: NDArray[np.int32]) -> dict[str, NDArray[np.float64]]:
    hits = hits_of_lists(lists, holdout.indptr, holdout.items)
    found = accuracy(hits, holdout.relevant_counts, (10,))
    return {metric: np.asarray(found[metric], np.float64) for metric in ("hr@10", "ndcg@10")}


def intervals(bootstrap: Bootstrap, values: dict[str, NDArray[np.float64]]) -> dict[str, list[float]]:
    found = bootstrap.intervals(np.column_stack(list(values.values())))
    return {
        name: [round(one.mean, 4), round(one.low, 4), round(one.high, 4)]
        for name, one in zip(values, found, strict=True)
    }


def sample_rows(
    user: NDArray[np.int32], wanted: NDArray[np.bool_], people: NDArray[np.int64], each: int
) -> NDArray[np.intp]:
    """Up to `each` of the wanted rows of each of `people`, drawn by the seed."""
    rows = []
    for person in people:
        own = np.flatnonzero(wanted & (user == person))
        rows.append(np.random.default_rng([SEED, person]).permutation(own)[:each])
    return np.sort(np.concatenate(rows))


def own_mean(events: object, known: NDArray[np.bool_], rows: NDArray[np.intp], mean: float) -> NDArray[np.float64]:
    user, value = events.user, events.value  # type: ignore[attr-defined]
    size = int(user.max()) + 1
    sums = np.bincount(user[known], weights=value[known], minlength=size)
    counts = np.bincount(user[known], minlength=size)
    return np.where(counts > 0, sums / np.maximum(counts, 1), mean)[user[rows]]


def least_squares(features: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    full = np.column_stack([np.ones(len(features)), features])
    return np.asarray(np.linalg.lstsq(full, target, rcond=None)[0], np.float64)


if __name__ == "__main__":
    main()
