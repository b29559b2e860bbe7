"""A model of readers to plan with: what they see is a latent trait, blurred by their own error and cut into scores.

Reader j sees ``sqrt(rho) * z + sqrt(1 - rho) * e_j`` of an image with the trait z; z and e_j are standard normal, so
rho is the correlation of what two readers see (the polychoric correlation). Cut points give every reader the same
shares of scores, so readers are taken to be free of bias against each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from ...errors import OptionError
from .kappa import Weights, kappa_of_table

#: Shares of the scores 0 to 6 of a segment to plan with where nothing better is known: an assumption (near half of the
#: segments without calcium, then ever fewer), not a published distribution.
ASSUMED_SHARES: tuple[float, ...] = (0.46, 0.17, 0.12, 0.09, 0.07, 0.05, 0.04)
#: Points at which the trait is integrated over.
_POINTS = 4000


@dataclass(frozen=True)
class OrdinalModel:
    """Readers whose scores have the shares ``shares`` (0, 1, ...) and whose latent views correlate by ``rho``."""

    shares: tuple[float, ...]
    rho: float

    def __post_init__(self) -> None:
        shares = np.asarray(self.shares, float)
        if len(shares) < 2 or not np.isfinite(shares).all() or (shares < 0).any() or (shares > 0).sum() < 2:
            raise OptionError("the shares of the scores must be two or more numbers from 0, two of them above 0")
        object.__setattr__(self, "shares", tuple(shares / shares.sum()))
        if not 0 <= self.rho <= 1:
            raise OptionError(f"the latent correlation is {self.rho}, but must lie between 0 and 1")

    @property
    def cuts(self) -> np.ndarray:
        """(scores - 1,) cut points on the latent scale."""
        return norm.ppf(np.clip(np.cumsum(self.shares)[:-1], 0, 1))

    def table(self) -> np.ndarray:
        """(scores, scores) probabilities of the pairs of scores of two readers; they sum to 1."""
        if self.rho == 1:
            return np.diag(self.shares)
        z = norm.ppf((np.arange(_POINTS) + 0.5) / _POINTS)
        below = norm.cdf((self.cuts[:, None] - np.sqrt(self.rho) * z) / np.sqrt(1 - self.rho))
        edges = np.vstack([np.zeros_like(z), below, np.ones_like(z)])
        given_z = np.diff(edges, axis=0)
        return given_z @ given_z.T / _POINTS

    def kappa(self, weights: Weights = "quadratic") -> float:
        """Weighted kappa of two readers in an endless series of images."""
        return kappa_of_table(self.table(), weights)[0]

    def draw(self, trait: np.ndarray, error: np.ndarray) -> np.ndarray:
        """(..., readers, images) scores from standard normal (..., images) traits and (..., readers, images) errors."""
        seen = np.sqrt(self.rho) * trait[..., None, :] + np.sqrt(1 - self.rho) * error
        return np.searchsorted(self.cuts, seen)


def model_with_kappa(
    kappa: float, shares: Sequence[float] = ASSUMED_SHARES, weights: Weights = "quadratic"
) -> OrdinalModel:
    """The model whose readers agree with that kappa; raises `OptionError` for one not between 0 and 1."""
    if not 0 < kappa < 1:
        raise OptionError(f"kappa is {kappa}, but only one between 0 and 1 can be planned for")
    shares = OrdinalModel(tuple(shares), 0.0).shares
    rho = brentq(lambda rho: OrdinalModel(shares, rho).kappa(weights) - kappa, 0.0, 1.0, xtol=1e-6)
    return OrdinalModel(shares, float(rho))
