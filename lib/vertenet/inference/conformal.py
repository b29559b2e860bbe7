"""Error radii with the coverage that they claim: split-conformal prediction for landmarks.

A point's radius is the disc around it that holds the true point in 90 of 100 cases. How far a model of the error is
off does not matter for that: an expected error is multiplied by a quantile of (error / expected error) over images that
the model was not fitted on, and the coverage follows from exchangeability alone (Vovk, Gammerman and Shafer 2005; Lei
et al., JASA 2018, section 2.2). What matters is that sharp points get small discs and doubtful ones large discs, so:

* the expected error is in vertebral depths times a power law of the network's confidence, of the refinement's own
  sigma and of the median sigma of the whole image (normalised nonconformity with the logarithm of the error as
  regression target: Papadopoulos and Haralambous, Neural Networks 2011). Depths and sigma carry the image's scale, so
  nothing depends on a scanner's pixel size. The median is there because on a poor image the sigma of each point is
  too small, and on a good one too large: without it coverage falls from good images to poor ones;
* the quantile is taken for every kind of point by itself (SA, SP, IA, IP, SM, IM: Mondrian conformal prediction).

The points of one image share its blur, its patient and its luck, so an image counts as one draw, not as 36: all images
weigh the same, and the finite-sample correction counts images (pooled empirical distribution functions of Dunn,
Wasserman and Ramdas, JASA 2023). Coverage is that of a point drawn from a new image; within one image it varies.

Radii hold for vertebrae with the right name. A vertebra under its neighbour's name is a whole body off, no disc of
pixels says that, and such vertebrae take no part in the calibration: that risk is spoken by ``Levels.margin``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import lsq_linear

from ..errors import ModelError, OptionError
from ..spine import CORNERS, MIDPOINTS, CornerName, Level, Spine

#: Coverages that a reading can quote, percent; the radius of a corner is that of `MAIN_COVERAGE`.
COVERAGES: tuple[int, ...] = (80, 90, 95)
MAIN_COVERAGE = 90
#: Kinds of points that have quantiles of their own.
KINDS: tuple[CornerName, ...] = (*CORNERS, *MIDPOINTS)
#: Fewest images that quantiles are taken from: 95 % of 19 images is the largest of them.
FEWEST_IMAGES = 19
#: Errors below this share of a depth (a hundredth of a millimetre or so) count as this large: logarithms need an end.
FINEST = 1e-4
Sigma = Mapping[tuple[Level, CornerName], float]


def conformal_quantile(scores: np.ndarray, coverage: float, groups: np.ndarray | None = None) -> float:
    """The value that a new score stays below or at with probability ``coverage``.

    The ``ceil((n + 1) coverage)``-th smallest of ``n`` exchangeable scores. With ``groups`` (one label a score) each
    group weighs the same and ``n`` is the number of groups.

    Parameters
    ----------
    scores : (m,) array of finite numbers
    coverage : float
        Between 0 and 1.
    groups : (m,) array, optional

    Returns
    -------
    float
        Infinite where so few groups cannot promise that coverage.
    """
    scores = np.asarray(scores, dtype=np.float64)
    if groups is None:
        groups = np.arange(len(scores))
    _, index, counts = np.unique(groups, return_inverse=True, return_counts=True)
    rank = math.ceil(round((len(counts) + 1) * coverage, 9))
    if rank > len(counts):
        return math.inf
    order = np.argsort(scores, kind="stable")
    weight = np.cumsum(1.0 / counts[index][order])
    return float(scores[order][np.searchsorted(weight, rank - 1e-9)])


@dataclass(frozen=True, eq=False)
class Points:
    """Located points and what the error of each may depend on, as columns of n rows.

    Attributes
    ----------
    levels, kinds : (n,) object arrays of Level and CornerName
    xy : (n, 2) float64, source pixels
    depth : (n,) float64
        Depth of the point's vertebra, source pixels; the spine's median where the vertebra is not whole.
    confidence : (n,) float64, 0 to 1
    sigma : (n,) float64
        Expected error from the refinement, source pixels; NaN where there is none.
    image_sigma : (n,) float64
        Median of sigma / depth over the points of the same image; NaN where none has a sigma.
    """

    levels: np.ndarray
    kinds: np.ndarray
    xy: np.ndarray
    depth: np.ndarray
    confidence: np.ndarray
    sigma: np.ndarray
    image_sigma: np.ndarray

    @classmethod
    def of(cls, spine: Spine, sigma: Sigma | None = None) -> Points:
        """The present points of a spine that has the depth of at least one vertebra; none otherwise."""
        sigma = sigma or {}
        depths = {vertebra.level: _depth(vertebra.to_array()) for vertebra in spine}
        known = [depth for depth in depths.values() if np.isfinite(depth)]
        rows = []
        for vertebra in spine if known else ():
            depth = depths[vertebra.level]
            for name, corner in vertebra.points.items():
                if corner.is_present:
                    sure = corner.confidence if corner.confidence is not None else vertebra.confidence
                    rows.append(
                        (
                            vertebra.level,
                            name,
                            (corner.x, corner.y),
                            depth if np.isfinite(depth) else float(np.median(known)),
                            0.5 if sure is None else sure,
                            sigma.get((vertebra.level, name), math.nan),
                        )
                    )
        levels, kinds, xy, *numbers = zip(*rows) if rows else ((),) * 6
        depth, confidence, spread = (np.array(column, dtype=np.float64) for column in numbers)
        relative = (spread / depth)[np.isfinite(spread)]
        return cls(
            np.array(levels, dtype=object),
            np.array(kinds, dtype=object),
            np.array(xy, dtype=np.float64).reshape(-1, 2),
            depth,
            confidence,
            spread,
            np.full(len(rows), np.median(relative) if len(relative) else math.nan),
        )

    def __len__(self) -> int:
        return len(self.kinds)

    def __getitem__(self, rows) -> Points:
        return Points(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    @classmethod
    def concatenate(cls, parts: Sequence[Points]) -> Points:
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__))


@dataclass(frozen=True)
class ConformalRadii:
    """What turns a located point into an error radius.

    Attributes
    ----------
    law : (float, float, float, float)
        Logarithm of the expected error in depths: ``law[0] + law[1] * logit(confidence) + law[2] * ln(sigma / depth)
        + law[3] * ln(image_sigma)``. The last two are 0 for radii of points without a sigma.
    factors : mapping of CornerName to float
        Quantile of error / expected error at `MAIN_COVERAGE`, for each kind of point that was calibrated.
    scale : mapping of str to float
        ``{"80": ..., "90": 1.0, "95": ...}``: from the radius of `MAIN_COVERAGE` to that of another coverage.
    images : int
        Images that the quantiles come from.
    """

    law: tuple[float, float, float, float]
    factors: Mapping[CornerName, float]
    scale: Mapping[str, float]
    images: int

    @classmethod
    def fit(cls, points: Points, errors: np.ndarray, images: np.ndarray) -> ConformalRadii:
        """Fit the expected error on every other image and take the quantiles from the rest.

        Parameters
        ----------
        points : Points of n rows
        errors : (n,) distances to the true points, source pixels
        images : (n,) label of the image that each point is from

        Raises
        ------
        OptionError
            There are fewer than twice `FEWEST_IMAGES` images.
        """
        names, index = np.unique(images, return_inverse=True)
        if len(names) < 2 * FEWEST_IMAGES:
            raise OptionError(
                f"{len(names)} images with located points are too few to calibrate error radii",
                remedy=f"Give at least {2 * FEWEST_IMAGES}",
            )
        held = index % 2 == 1
        law = _fit_law(points[~held], errors[~held])
        points, index = points[held], index[held]
        scores = errors[held] / _expected(points, law)
        factors = {}
        for kind in KINDS:
            mine = points.kinds == kind
            factor = conformal_quantile(scores[mine], MAIN_COVERAGE / 100, index[mine]) if mine.any() else math.inf
            if len(np.unique(index[mine])) >= FEWEST_IMAGES and math.isfinite(factor):
                factors[kind] = max(factor, FINEST)
        used = np.array([kind in factors for kind in points.kinds])
        relative = scores[used] / np.array([factors[kind] for kind in points.kinds[used]])
        sizes = {c: conformal_quantile(relative, c / 100, index[used]) for c in COVERAGES}
        scale = {str(c): sizes[c] / sizes[MAIN_COVERAGE] for c in COVERAGES}
        return cls(law, factors, scale, len(np.unique(index)))

    def radii(self, points: Points) -> np.ndarray:
        """(n,) radius of `MAIN_COVERAGE` of each point, source pixels; NaN for kinds that were not calibrated."""
        factor = np.array([self.factors.get(kind, math.nan) for kind in points.kinds], dtype=np.float64)
        return factor * _expected(points, self.law)

    def apply(self, spine: Spine, sigma: Sigma | None = None) -> Spine:
        """The spine with the radius of every present point of a calibrated kind.

        Parameters
        ----------
        spine : Spine
            Source pixels.
        sigma : mapping of (Level, CornerName) to float, optional
            Expected errors from the refinement, source pixels. Points without one get none where the law needs it.
        """
        points = Points.of(spine, sigma)
        found = {
            (level, kind): float(radius)
            for level, kind, radius in zip(points.levels, points.kinds, self.radii(points))
            if math.isfinite(radius)
        }
        vertebrae = []
        for vertebra in spine:
            sized = {
                name: replace(corner, radius=found.get((vertebra.level, name)))
                for name, corner in vertebra.points.items()
            }
            vertebrae.append(replace(vertebra, points=sized))
        return replace(spine, vertebrae=tuple(vertebrae))

    def to_dict(self) -> dict:
        return {
            "law": list(self.law),
            "factors": {kind.value: factor for kind, factor in self.factors.items()},
            "scale": dict(self.scale),
            "images": self.images,
        }

    @classmethod
    def from_dict(cls, data: Mapping) -> ConformalRadii:
        """Raises `ModelError` for impossible numbers, KeyError, TypeError or ValueError for other shapes."""
        law = tuple(float(value) for value in data["law"])
        factors = {CornerName(kind): float(factor) for kind, factor in data["factors"].items()}
        scale = {str(coverage): float(value) for coverage, value in data["scale"].items()}
        sizes = [*factors.values(), *scale.values()]
        if len(law) != 4 or not all(map(math.isfinite, (*law, *sizes))) or not all(size > 0 for size in sizes):
            raise ModelError("the error radii of the calibration are not positive numbers")
        return cls(law, factors, scale, int(data["images"]))


def _depth(corners: np.ndarray) -> float:
    """Mean length of the two endplates of (4, 2) corners; NaN where one has no position or there is no length."""
    superior, inferior, *_ = np.linalg.norm(corners[[0, 2]] - corners[[1, 3]], axis=-1)
    depth = float(superior + inferior) / 2
    return depth if depth > 0 else math.nan


def _fit_law(points: Points, errors: np.ndarray) -> tuple[float, float, float, float]:
    """Least squares in the logarithm; more confidence never widens a disc and more sigma never narrows one."""
    target = np.log(np.maximum(errors / points.depth, FINEST))
    predictors = _predictors(points)
    used = 4 if np.isfinite(predictors[:, 2]).all() else 2
    limits = ([-np.inf, -np.inf, 0.0, 0.0][:used], [np.inf, 0.0, np.inf, np.inf][:used])
    solved = lsq_linear(predictors[:, :used], target, limits).x
    offset, confidence, sigma, image_sigma = (float(value) for value in (*solved, 0.0, 0.0)[:4])
    return (offset, confidence, sigma, image_sigma)


def _expected(points: Points, law: tuple[float, float, float, float]) -> np.ndarray:
    """(n,) expected error, source pixels; NaN where the law needs a sigma that is not there."""
    used = 4 if law[2] or law[3] else 2
    return points.depth * np.exp(_predictors(points)[:, :used] @ np.array(law[:used]))


def _predictors(points: Points) -> np.ndarray:
    sure = np.clip(points.confidence, 0.01, 0.99)
    sigma = np.log(np.maximum(points.sigma / points.depth, FINEST))
    image_sigma = np.log(np.maximum(points.image_sigma, FINEST))
    return np.column_stack([np.ones(len(points)), np.log(sure / (1 - sure)), sigma, image_sigma])
