"""Ratings by matrix factorisation with a distribution over all weights, sampled by Gibbs' method."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from savor.core.config import Section
from savor.core.errors import BundleError, TrainingError
from savor.training.rating.context_biases import ContextBiases
from savor.training.rating.gaussian_prior import GaussianPrior
from savor.training.rating.noise_precision import NoisePrecision
from savor.training.rating.rating_table import RatingTable


class FactorizationOptions(Section):
    """How ratings are factorised.

    Attributes:
        factors: width K of the vectors of users and items.
        samples: sweeps that count.
        warm_up: sweeps before those, thrown away.
        keep: samples kept for predicting other pairs later, evenly spread over those that count.
        noise_freedom: how alike the noise of users is, and of items: degrees of freedom ν of the prior of each one's
            precision, of mean 1; None for one noise for all.
    """

    factors: int = 24
    samples: int = 80
    warm_up: int = 20
    keep: int = 40
    noise_freedom: float | None = 8.0


@dataclass(frozen=True)
class FactorizationSample:
    """One draw of all weights.

    Attributes:
        users: (U, K + 1) float32; the last column is the user's bias.
        items: (I, K + 1) float32; the last column is the item's bias.
        contexts: the biases of each context column.
        user_means: (U, K + 1) or (1, K + 1) float64, where the users' rows come from.
        user_precision: (K + 1, K + 1) float64, the precision of the same.
        noise_precision: of a rating whose user and item are as exact as most.
    """

    users: NDArray[np.float32]
    items: NDArray[np.float32]
    contexts: tuple[NDArray[np.float32], ...]
    user_means: NDArray[np.float64]
    user_precision: NDArray[np.float64]
    noise_precision: float

    def predict(self, table: RatingTable) -> NDArray[np.float32]:
        """(N,) what the draw adds to the mean rating, for the pairs of `table`."""
        found = _crossed(self.users, self.items, table)
        for biases, codes in zip(self.contexts, table.contexts, strict=True):
            found += biases[codes]
        return found


class BayesianFactorization:
    """A rating is the mean + biases of user, item and context + the inner product of two vectors + noise.

    Salakhutdinov and Mnih, "Bayesian probabilistic matrix factorization using Markov chain Monte Carlo", 2008, with the
    mean of each vector's prior a linear function of what is known of the user or item (Simm et al., "Macau", 2015);
    given what a user rated, whatever the rating, as such knowledge, it is a Bayesian SVD++. What makes it strong is the
    averaging over draws (Rendle et al., "On the difficulty of evaluating baselines", 2019). The noise is as large as
    the user and the item make it (Lakshminarayanan et al., "Robust Bayesian matrix factorisation", 2011).

    Args:
        options: widths and length of the chain.
        seed: of the draws.
    """

    def __init__(self, options: FactorizationOptions, seed: int = 0) -> None:
        self._options, self._seed = options, seed
        self.mean = 0.0
        self.samples: list[FactorizationSample] = []

    def fit(
        self,
        table: RatingTable,
        number_of_users: int,
        number_of_items: int,
        *,
        user_side: NDArray[np.float32] | None = None,
        item_side: NDArray[np.float32] | None = None,
        context_sizes: Sequence[int] = (),
        follow: Callable[[int, FactorizationSample], None] | None = None,
    ) -> None:
        """Draw from the weights given the ratings of `table`.

        Args:
            table: what is known.
            number_of_users: U.
            number_of_items: I.
            user_side: (U, P) float32, what is known of the users.
            item_side: (I, Q) float32, what is known of the items.
            context_sizes: how many codes each context column of `table` has.
            follow: called after each sweep with its number and its draw.

        Raises:
            TrainingError: there are no ratings.
        """
        if not len(table):
            raise TrainingError("rating prediction needs ratings, and there are none")
        rng = np.random.default_rng(self._seed)
        width = self._options.factors + 1
        self.mean = float(table.value.mean(dtype=np.float64))
        self.samples = []
        target = (table.value - self.mean).astype(np.float32)
        by_user = _Grouped(table.user, table.item, number_of_users, number_of_items)
        by_item = _Grouped(table.item, table.user, number_of_items, number_of_users)
        users = np.zeros((number_of_users, width), np.float32)
        items = np.zeros((number_of_items, width), np.float32)
        users[:, :-1] = 0.1 * rng.standard_normal((number_of_users, width - 1))
        items[:, :-1] = 0.1 * rng.standard_normal((number_of_items, width - 1))
        user_prior = GaussianPrior(width, user_side)
        item_prior = GaussianPrior(width, item_side)
        contexts = ContextBiases(table.contexts, context_sizes)
        noise = NoisePrecision(table, number_of_users, number_of_items, self._options.noise_freedom)
        total = self._options.warm_up + self._options.samples
        kept = set(np.linspace(self._options.warm_up, total - 1, self._options.keep).round().astype(int).tolist())
        for sweep in range(total):
            context = contexts.of(table.contexts)
            precision = noise.of_ratings()
            user_prior.draw(users, rng)
            rest = target - items[table.item, -1] - context
            users = by_user.draw(_with_one(items), rest, precision, user_prior, rng)
            item_prior.draw(items, rng)
            rest = target - users[table.user, -1] - context
            items = by_item.draw(_with_one(users), rest, precision, item_prior, rng)
            without = target - _crossed(users, items, table)
            contexts.draw(without, precision, rng)
            noise.draw(without - contexts.of(table.contexts), rng)
            sample = FactorizationSample(
                users,
                items,
                contexts.values(),
                user_prior.means(),
                user_prior.precision,
                noise.overall,
            )
            if sweep in kept:
                self.samples.append(sample)
            if follow is not None:
                follow(sweep, sample)

    def predict(self, table: RatingTable) -> NDArray[np.float32]:
        """(N,) float32 mean of the kept draws, in the unit of the ratings."""
        total = np.zeros(len(table), np.float64)
        for sample in self.samples:
            total += sample.predict(table)
        return (self.mean + total / len(self.samples)).astype(np.float32)

    def save(self, path: Path) -> None:
        """Write an `.npz` file with the kept draws."""
        arrays: dict[str, NDArray[Any]] = {"mean": np.asarray(self.mean), "samples": np.asarray(len(self.samples))}
        for number, sample in enumerate(self.samples):
            for name in ("users", "items", "user_means", "user_precision", "noise_precision"):
                arrays[f"{number}/{name}"] = np.asarray(getattr(sample, name))
            for place, biases in enumerate(sample.contexts):
                arrays[f"{number}/context/{place}"] = biases
        with path.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote, for predicting.

        Raises:
            BundleError: the file is absent or damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            model = cls(FactorizationOptions())
            model.mean = float(arrays["mean"])
            for number in range(int(arrays["samples"])):
                places = sorted(
                    (name for name in arrays if name.startswith(f"{number}/context/")),
                    key=lambda name: int(name.rsplit("/", 1)[1]),
                )
                model.samples.append(
                    FactorizationSample(
                        arrays[f"{number}/users"],
                        arrays[f"{number}/items"],
                        tuple(arrays[name] for name in places),
                        arrays[f"{number}/user_means"],
                        arrays[f"{number}/user_precision"],
                        float(arrays[f"{number}/noise_precision"]),
                    )
                )
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise BundleError(f"{path} cannot be read as a model of ratings ({error}); train it again") from None
        return model


class _Grouped:
    """Ratings by row of one side, for drawing the vectors of that side."""

    def __init__(self, rows: NDArray[np.int32], columns: NDArray[np.int32], height: int, width: int) -> None:
        order = np.lexsort((columns, rows))
        indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=height))])
        self._order, shape = order, (height, width)
        self._weights = sparse.csr_matrix((np.ones(len(rows), np.float32), columns[order], indptr), shape=shape)
        self._values = self._weights.copy()

    def draw(
        self,
        others: NDArray[np.float32],
        rest: NDArray[np.float32],
        precision: NDArray[np.float32],
        prior: GaussianPrior,
        rng: np.random.Generator,
    ) -> NDArray[np.float32]:
        """New vectors of the side, (rows, K + 1), given the `others`, (columns, K + 1), whose last entry is 1."""
        width = others.shape[1]
        upper = np.triu_indices(width)
        weight = precision[self._order]
        self._weights.data = weight
        moments: Any = self._weights @ (others[:, upper[0]] * others[:, upper[1]])
        self._values.data = weight * rest[self._order]
        sums: Any = self._values @ others
        matrices = np.empty((len(moments), width, width), np.float64)
        matrices[:, upper[0], upper[1]] = moments
        matrices[:, upper[1], upper[0]] = matrices[:, upper[0], upper[1]]
        matrices += prior.precision
        linear = sums + prior.means() @ prior.precision
        factor = np.linalg.cholesky(matrices)
        half = np.linalg.solve(factor, linear[:, :, None])
        noise = rng.standard_normal(half.shape)
        drawn = np.linalg.solve(factor.transpose(0, 2, 1), half + noise)
        return np.asarray(drawn[:, :, 0], np.float32)


def _crossed(users: NDArray[np.float32], items: NDArray[np.float32], table: RatingTable) -> NDArray[np.float32]:
    """(N,) inner products of vectors, and both biases."""
    one, other = users[table.user], items[table.item]
    return np.asarray(np.einsum("nk,nk->n", one[:, :-1], other[:, :-1]) + one[:, -1] + other[:, -1], np.float32)


def _with_one(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """`vectors` with 1 in place of the bias, which multiplies the other side's bias."""
    made = vectors.copy()
    made[:, -1] = 1
    return made
