"""How many images a reader study needs: for an interval of a wanted width, or to find a difference between conditions.

Kappa is planned by simulation from `OrdinalModel`; the intraclass correlation (Bonett 2002) and Pearson's correlation
(Fisher's interval) in closed form. The seed is fixed, so a plan is the same every time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import OptionError
from .correlation import fisher_interval
from .kappa import Weights, kappa_and_error
from .ordinal_model import ASSUMED_SHARES, OrdinalModel, model_with_kappa
from .resampling import LEVEL, two_sided_quantile

SIMULATIONS = 2000
FEWEST, MOST = 5, 5000
#: Scores that one batch of simulated studies may hold.
_BATCH = 2_000_000


@dataclass(frozen=True)
class Plan:
    """The number of images for one aim.

    Attributes
    ----------
    images : int
    reached : float
        Share of simulated studies of that size that reach the aim; NaN for a closed form.
    mean_width : float
        Mean width of their intervals of kappa, or of the difference; NaN for a closed form.
    coverage : float
        Share of those intervals that hold the true figure: the level, if the interval is honest at that size.
    assumptions : tuple of str
        Sentences.
    """

    images: int
    reached: float
    mean_width: float
    coverage: float
    assumptions: tuple[str, ...]


def plan_kappa_width(
    kappa: float,
    width: float,
    *,
    shares: Sequence[float] = ASSUMED_SHARES,
    weights: Weights = "quadratic",
    readers: int = 2,
    assurance: float = 0.8,
    simulations: int = SIMULATIONS,
    seed: int = 0,
    level: float = LEVEL,
) -> Plan:
    """Images for an interval of kappa no wider than ``width`` (both sides together) in ``assurance`` of all studies.

    Raises
    ------
    OptionError
        A value that no plan exists for, or more than 5000 images.
    """
    _check(width=width, assurance=assurance, readers=readers)
    model = model_with_kappa(kappa, shares, weights)
    quantile = two_sided_quantile(level)

    def simulate(images: int) -> tuple[float, float, float]:
        found, error = _simulated([model], images, readers, weights, simulations, seed, 0.0)
        return _figures(2 * quantile * error <= width, found, error, kappa, quantile)

    assumptions = (
        *_common_assumptions(model, weights, readers, simulations),
        f"The interval is the normal one; {assurance:.0%} of studies shall have one no wider than {width:g}",
    )
    return _smallest(simulate, assurance, assumptions)


def plan_kappa_difference(
    kappa: float,
    kappa_with: float,
    *,
    power: float = 0.8,
    shares: Sequence[float] = ASSUMED_SHARES,
    weights: Weights = "quadratic",
    readers: int = 2,
    carry_over: float = 0.0,
    simulations: int = SIMULATIONS,
    seed: int = 0,
    level: float = LEVEL,
) -> Plan:
    """Images to find the difference between two kappas on the same images, read under both conditions.

    Parameters
    ----------
    kappa, kappa_with : float
        Without and with guides.
    carry_over : float
        Correlation (0 to 1) of one reader's errors in an image between the conditions. 0, no memory and no habit, asks
        for the most images.

    Raises
    ------
    OptionError
        A value that no plan exists for, or more than 5000 images.
    """
    _check(power=power, readers=readers)
    if not 0 <= carry_over <= 1:
        raise OptionError(f"the carry-over is {carry_over}, but must lie between 0 and 1")
    if kappa == kappa_with:
        raise OptionError("both kappas are the same: there is no difference to find")
    models = [model_with_kappa(value, shares, weights) for value in (kappa_with, kappa)]
    quantile = two_sided_quantile(level)

    def simulate(images: int) -> tuple[float, float, float]:
        found, error = _simulated(models, images, readers, weights, simulations, seed, carry_over)
        return _figures(np.abs(found) > quantile * error, found, error, kappa_with - kappa, quantile)

    assumptions = (
        *_common_assumptions(models[1], weights, readers, simulations),
        f"The same images are read under both conditions; a reader's errors correlate by {carry_over:g} between them",
        f"The test is two-sided at {1 - level:.3g}, on the paired difference and its delta-method standard error",
        "One region is tested: for four regions with Holm's correction plan with --level 0.9875",
    )
    return _smallest(simulate, power, assumptions)


def plan_icc_width(icc: float, width: float, *, readers: int = 2, level: float = LEVEL) -> Plan:
    """Images for an interval of the ICC of that width, by Bonett (2002) with his correction for two readers."""
    _check(width=width, readers=readers)
    if not 0 <= icc < 1:
        raise OptionError(f"the ICC is {icc}, but only one from 0 to below 1 can be planned for")
    z, k = two_sided_quantile(level), readers
    images = 1 + 8 * z**2 * (1 - icc) ** 2 * (1 + (k - 1) * icc) ** 2 / (k * (k - 1) * width**2)
    if k == 2 and icc >= 0.7:
        images += 5 * icc
    return _closed(images, (f"{k} readers, one score an image; ICC of one reader, normal errors (Bonett 2002)",))


def plan_correlation_width(r: float, width: float, *, level: float = LEVEL) -> Plan:
    """Images for Fisher's interval of Pearson's correlation to be no wider than ``width`` at the expected value."""
    _check(width=width)
    if not -1 < r < 1:
        raise OptionError(f"the correlation is {r}, but only one between -1 and 1 can be planned for")
    low, high = 4, 4
    while _fisher_width(r, high, level) > width:
        low, high = high, 2 * high
        if high > 2 * MOST:
            break
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _fisher_width(r, middle, level) > width else (low, middle)
    return _closed(high, ("Fisher's interval; bivariate normal scores, which AAC scores are not",))


def _fisher_width(r: float, images: int, level: float) -> float:
    interval = fisher_interval(r, images, level=level)
    return interval.high - interval.low


def _simulated(
    models: Sequence[OrdinalModel],
    images: int,
    readers: int,
    weights: Weights,
    studies: int,
    seed: int,
    carry_over: float,
) -> tuple[np.ndarray, np.ndarray]:
    """(studies,) kappa, or difference of the two models' kappas, and its standard error."""
    rng = np.random.default_rng(seed)
    found, errors = [], []
    size = max(1, _BATCH // (images * readers))
    for start in range(0, studies, size):
        batch = min(size, studies - start)
        trait = rng.standard_normal((batch, images))
        shared = rng.standard_normal((batch, readers, images))
        scores = []
        for model in models:
            own = rng.standard_normal((batch, readers, images))
            scores.append(model.draw(trait, np.sqrt(carry_over) * shared + np.sqrt(1 - carry_over) * own))
        value, error = kappa_and_error(scores, len(models[0].shares) - 1, weights)
        found.append(value)
        errors.append(error)
    return np.concatenate(found), np.concatenate(errors)


def _figures(
    hit: np.ndarray, found: np.ndarray, error: np.ndarray, truth: float, quantile: float
) -> tuple[float, float, float]:
    """Share that reaches the aim, mean width, coverage. A study without a kappa reaches nothing and covers nothing."""
    defined = np.isfinite(found)
    width = 2 * quantile * error[defined]
    covered = np.abs(found - truth) <= quantile * error
    return float((hit & defined).mean()), float(width.mean()) if defined.any() else math.nan, float(covered.mean())


def _smallest(
    simulate: Callable[[int], tuple[float, float, float]], wanted: float, assumptions: tuple[str, ...]
) -> Plan:
    """The smallest number of images at which the share of studies that reach the aim is as wanted."""
    low, high = FEWEST - 1, 20
    while simulate(high)[0] < wanted:
        low, high = high, 2 * high
        if high > MOST:
            raise OptionError(f"this takes more than {MOST} images", remedy="Ask for a wider interval or less power")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if simulate(middle)[0] < wanted else (low, middle)
    return Plan(high, *simulate(high), assumptions)


def _closed(images: float, assumptions: tuple[str, ...]) -> Plan:
    if images > MOST:
        raise OptionError(f"this takes more than {MOST} images", remedy="Ask for a wider interval")
    return Plan(math.ceil(images), math.nan, math.nan, math.nan, assumptions)


def _common_assumptions(model: OrdinalModel, weights: str, readers: int, simulations: int) -> tuple[str, ...]:
    shares = ", ".join(f"{score}: {share:.0%}" for score, share in enumerate(model.shares))
    whose = "of two readers" if readers == 2 else f"the mean over all pairs of {readers} readers"
    return (
        f"Scores occur in these shares: {shares}",
        f"Kappa has {weights} weights, {whose}; readers have no bias against each other",
        "What a reader sees is a normal latent trait plus a normal error, cut into scores (latent correlation "
        f"{model.rho:.2f})",
        "Every image is of another person and readable for everybody: add those that will not be",
        f"Found with {simulations} simulated studies, so the number is good to a few per cent",
    )


def _check(**values: float) -> None:
    for name, value in values.items():
        if name == "readers" and value < 2:
            raise OptionError(f"there are {value} readers, but agreement needs two")
        if name != "readers" and not 0 < value < (2 if name == "width" else 1):
            raise OptionError(f"the {name} is {value}, but must lie between 0 and {2 if name == 'width' else 1}")
