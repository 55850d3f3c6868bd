"""The normal distribution that vectors of one side come from, itself drawn."""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, eigh, solve_triangular


class GaussianPrior:
    """Mean, precision and the link to what is known of the rows.

    A row is normal with mean `m + side β` and precision Λ; (m, Λ) have a normal-Wishart prior (Salakhutdinov and Mnih
    2008), the rows of β are normal with precision λΛ and λ is gamma (Simm et al. 2015).

    Args:
        width: D of the vectors.
        side: (R, P) float32 known of the R rows; None for nothing.
    """

    def __init__(self, width: int, side: NDArray[np.float32] | None) -> None:
        self.precision = np.eye(width)
        self._mean = np.zeros(width)
        self._shift: NDArray[np.float64] | None = None
        self._strength = 10.0
        if side is not None:
            self._side = np.asarray(side, np.float64)
            values, self._basis = eigh(self._side.T @ self._side)
            self._values = np.maximum(values, 0.0)
            self._link = np.zeros((side.shape[1], width))
            self._shift = np.zeros((len(side), width))

    def means(self) -> NDArray[np.float64]:
        """(R, D), or (1, D) where nothing is known of the rows."""
        return self._mean[None, :] if self._shift is None else self._mean + self._shift

    def draw(self, vectors: NDArray[np.float32], rng: np.random.Generator) -> None:
        """Draw mean, precision and link given the (R, D) `vectors`."""
        rows = np.asarray(vectors, np.float64)
        self._draw_normal_wishart(rows if self._shift is None else rows - self._shift, rng)
        if self._shift is not None:
            self._draw_link(rows - self._mean, rng)

    def _draw_normal_wishart(self, rows: NDArray[np.float64], rng: np.random.Generator) -> None:
        number, width = rows.shape
        prior_weight, freedom = 2.0, float(width)
        mean = rows.mean(axis=0)
        centred = rows - mean
        scatter = np.eye(width) + centred.T @ centred
        scatter += prior_weight * number / (prior_weight + number) * np.outer(mean, mean)
        if self._shift is not None:
            scatter += self._strength * self._link.T @ self._link
            freedom += len(self._link)
        self.precision = _wishart(scatter, freedom + number, rng)
        expected = number * mean / (prior_weight + number)
        factor = cholesky((prior_weight + number) * self.precision, lower=True)
        self._mean = expected + solve_triangular(factor.T, rng.standard_normal(width), lower=False)

    def _draw_link(self, rows: NDArray[np.float64], rng: np.random.Generator) -> None:
        factor = cholesky(self.precision, lower=True)
        scale = solve_triangular(factor, np.eye(len(factor)), lower=True)
        spread = self._values + self._strength
        expected = (self._basis.T @ (self._side.T @ rows)) / spread[:, None]
        noise = rng.standard_normal(expected.shape) @ scale / np.sqrt(spread)[:, None]
        self._link = self._basis @ (expected + noise)
        weighted = float(np.einsum("pd,de,pe->", self._link, self.precision, self._link))
        self._strength = rng.gamma(1 + 0.5 * self._link.size) / (1 + 0.5 * weighted)
        self._shift = self._side @ self._link


def _wishart(scatter: NDArray[np.float64], freedom: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """A draw from the Wishart distribution with scale `scatter`⁻¹ (Bartlett's decomposition)."""
    width = len(scatter)
    lower = np.tril(rng.standard_normal((width, width)), -1)
    np.fill_diagonal(lower, np.sqrt(rng.chisquare(freedom - np.arange(width))))
    factor = solve_triangular(cholesky(scatter, lower=True).T, lower, lower=False)
    return np.asarray(factor @ factor.T)
