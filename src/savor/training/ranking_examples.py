"""What the ranker learns from: the candidates that retrieval really returns, and which of them were chosen."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from savor.core.progress import progress
from savor.evaluation.holdout import Holdout
from savor.pipeline.build import Serving
from savor.pipeline.query import Query
from savor.pipeline.stages.tree_ranker import RankingFeatures, feature_matrix

Values = Callable[[NDArray[np.int32], NDArray[np.int32]], NDArray[np.float32]]
"""From (N,) user and (N,) item rows to (N,) float32 values of what was chosen, NaN where not known."""


@dataclass(frozen=True)
class RankingExamples:
    """N candidates of many questions, those of one question together.

    Attributes:
        features: (N, F) float32, NaN where unknown.
        label: (N,) float32, 1 where chosen in the window, else 0.
        question: (N,) int32, rising.
        user: (N,) int32 row of who was asked.
        item: (N,) int32 row of the candidate.
        rating: (N,) float32, the value of the event that chose the candidate; NaN where not chosen or not known.
    """

    features: NDArray[np.float32]
    label: NDArray[np.float32]
    question: NDArray[np.int32]
    user: NDArray[np.int32]
    item: NDArray[np.int32]
    rating: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.label)

    @classmethod
    def collect(
        cls,
        serving: Serving,
        features: RankingFeatures,
        holdout: Holdout,
        *,
        exclude_seen: bool,
        users: int,
        negatives: int,
        seed: int,
        title: str,
        values: Values | None = None,
    ) -> Self:
        """Ask `serving` for candidates and label them; questions with nothing found are left out.

        Args:
            serving: built from what is known at the moment of the questions; its ranker, if any, is not used.
            features: makes the rows.
            holdout: questions, and what was chosen after.
            exclude_seen: whether items the user had before are left out of the candidates.
            users: most questions to use, drawn by `seed`.
            negatives: most candidates not chosen to keep for each question, drawn by `seed`.
            seed: of the draws.
            title: what the progress bar says.
            values: gives the rating of each chosen pair; absent, none is known.
        """
        rng = np.random.default_rng(seed)
        questions = np.arange(len(holdout))
        if len(questions) > users:
            questions = np.sort(rng.choice(questions, users, replace=False))
        blocks, labels, numbers, users_of, items_of = [], [], [], [], []
        ids = serving.states.ids
        with progress(title, len(questions)) as task:
            for question in questions:
                user, now = int(holdout.users[question]), int(holdout.now[question])
                query = Query(ids[user], now - 1, exclude_seen=exclude_seen, diverse=False)
                hydrated, candidates = serving.pipeline.gather(query)
                relevant = holdout.items[holdout.indptr[question] : holdout.indptr[question + 1]]
                label = np.isin(candidates.item, relevant)
                rejected = np.flatnonzero(~label)
                if len(rejected) > negatives:
                    rejected = rng.choice(rejected, negatives, replace=False)
                kept = np.sort(np.concatenate([np.flatnonzero(label), rejected]))
                if label.any():
                    candidates = candidates.select(kept)
                    blocks.append(feature_matrix(features, query, hydrated, candidates))
                    labels.append(label[kept])
                    numbers.append(np.full(len(kept), question, np.int32))
                    users_of.append(np.full(len(kept), user, np.int32))
                    items_of.append(candidates.item)
                task.advance()
        chosen_or_not = np.concatenate(labels).astype(np.float32) if labels else np.empty(0, np.float32)
        user_rows = np.concatenate(users_of) if users_of else np.empty(0, np.int32)
        item_rows = np.concatenate(items_of) if items_of else np.empty(0, np.int32)
        rating = np.full(len(chosen_or_not), np.nan, np.float32)
        if values is not None and len(chosen_or_not):
            chosen = chosen_or_not > 0
            rating[chosen] = values(user_rows[chosen], item_rows[chosen])
        return cls(
            np.concatenate(blocks) if blocks else np.empty((0, len(features.names)), np.float32),
            chosen_or_not,
            np.concatenate(numbers) if numbers else np.empty(0, np.int32),
            user_rows,
            item_rows,
            rating,
        )

    @classmethod
    def concatenate(cls, parts: list[Self]) -> Self:
        """All rows of `parts`; questions of different parts stay apart."""
        offsets = np.cumsum([0, *(int(part.question.max(initial=-1)) + 1 for part in parts)])
        return cls(
            np.concatenate([part.features for part in parts]),
            np.concatenate([part.label for part in parts]),
            np.concatenate([part.question + np.int32(offset) for part, offset in zip(parts, offsets, strict=False)]),
            np.concatenate([part.user for part in parts]),
            np.concatenate([part.item for part in parts]),
            np.concatenate([part.rating for part in parts]),
        )
