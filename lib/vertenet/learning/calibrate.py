"""Calibration: one pass of a model over images that it was not trained on, and what is learned from its answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import OptionError
from ..inference import Predictor
from ..inference.calibration import Calibration
from ..inference.conformal import ConformalRadii, Points, Sigma
from ..inference.level_statistics import LevelStatistics
from ..inference.levels import LevelDecision, name_levels
from ..inference.predictor import facing_score, upside_down
from ..inference.spines import build_spine, spine_from_maps, spine_of
from ..inference.typicality import Typicality, mean_confidence
from ..inference.views import Looks
from ..measure.matching import judge_names, pixel_size
from ..spine import Spine
from .cases import Case
from .level_statistics import calibrate_thresholds, fit_level_statistics

#: Phantom seeds of calibration begin here.
CALIBRATION_SEED = 850_000


@dataclass(frozen=True, eq=False)
class Observed:
    """What a model says of one case, and the truth; everything in source pixels of the image turned to face right.

    Attributes
    ----------
    name, scanner : str
    shape : (rows, columns)
    truth : Spine
    looks : Looks, or None for networks that name points themselves
    spine : Spine
        As the network gives it, with the default statistics.
    refined : Spine or None
        After refinement.
    sigma : expected errors of the refined points
    features : (c,) or None
        Pooled deepest features.
    inverted : (c,) or None
        Those of the image upside down; asked of every other image.
    facing : float or None
        Facing score; asked of the others.
    size : (float, float)
        What a pixel measures along x and y, see `vertenet.measure.matching.pixel_size`.
    """

    name: str
    scanner: str
    shape: tuple[int, int]
    truth: Spine
    looks: Looks | None
    spine: Spine
    refined: Spine | None
    sigma: Sigma
    features: np.ndarray | None
    inverted: np.ndarray | None = None
    facing: float | None = None
    size: tuple[float, float] = (1.0, 1.0)

    def decision(self, statistics: LevelStatistics) -> LevelDecision | None:
        if self.looks is None or not self.looks.candidates:
            return None
        return name_levels(self.looks.candidates, self.shape[0], statistics, self.looks.agreement)

    @property
    def confidence(self) -> float:
        """Mean confidence of the corners that were found, 0 where there are none."""
        return mean_confidence(self.spine)


def observe(predictor: Predictor, case: Case, *, odd: bool) -> Observed:
    """Run the model on a case; ``odd`` asks for the mirror image as well, even for the image upside down."""
    radiograph, truth = case.radiograph(), case.spine
    if truth.anterior == "left":
        radiograph, truth = radiograph.mirrored(), truth.mirrored(radiograph.columns)
    maps = predictor.maps(radiograph)
    if predictor.layout.names_points:
        looks = None
        spine, _, _ = spine_from_maps(maps, radiograph.pixels.shape, predictor.network)
    else:
        looks = predictor.looks(radiograph, maps)
        spine, _, _ = spine_of(looks.candidates, radiograph.pixels.shape)
    refined, sigma = (None, {}) if predictor.refiner is None else predictor.refiner(radiograph, spine)
    facing, inverted = None, None
    if odd:
        facing = facing_score(maps, predictor.maps(radiograph.mirrored()))
    else:
        inverted = predictor.maps(upside_down(radiograph)).get("deepest")
    return Observed(
        case.name,
        case.scanner,
        radiograph.pixels.shape,
        truth,
        looks,
        spine,
        refined,
        sigma,
        maps.get("deepest"),
        inverted,
        facing,
        tuple(pixel_size(radiograph.spacing)),
    )


def observe_all(
    predictor: Predictor, cases: Sequence[Case], report: Callable[[int], None] = lambda done: None
) -> list[Observed]:
    """`observe` every case; ``report`` is told how many are done."""
    observed = []
    for i, case in enumerate(cases):
        observed.append(observe(predictor, case, odd=bool(i % 2)))
        report(i + 1)
    return observed


def calibrate(
    predictor: Predictor,
    cases: Sequence[Case],
    observed: Sequence[Observed],
    *,
    data: str,
    synthetic_only: bool,
    ordinary: Callable[[Observed], bool] = lambda item: True,
) -> Calibration:
    """Everything that is learned from one pass over calibration cases.

    Thresholds of levels, radii and typicality ask different questions of the images, so they may share them; what is
    fitted and what is quantified of one of them is split inside its own ``fit``.

    Parameters
    ----------
    predictor : Predictor
        Made with ``calibrated=False``.
    cases, observed : sequences
        The cases and what `observe_all` says of them.
    data : str
        A sentence on the cases.
    synthetic_only : bool
        No case is a patient: the statistics of neighbouring levels stay those of the program, which come from more
        phantoms than a calibration has.
    ordinary : function of Observed
        Which images the radii are to hold for. Coverage is promised for images like those that the quantiles are taken
        from: of a mixture with deliberately hard images it would be too high for the others.

    Raises
    ------
    OptionError
        There are too few cases.
    """
    # Statistics are fitted first: the thresholds are thresholds of their margins.
    statistics = LevelStatistics.default() if synthetic_only else fit_level_statistics(cases)
    statistics, note = fit_thresholds(observed, statistics)
    usual = [item for item in observed if ordinary(item)]
    coarse = ConformalRadii.fit(*located(usual, refined=False))
    refined = None if predictor.refiner is None else ConformalRadii.fit(*located(usual, refined=True))
    return Calibration(
        predictor.card.sha256,
        None if predictor.refiner is None else predictor.refiner.card.sha256,
        statistics,
        coarse,
        refined,
        fit_typicality(observed),
        f"{data}{note}",
        synthetic_only,
    )


def fit_thresholds(observed: Sequence[Observed], statistics: LevelStatistics) -> tuple[LevelStatistics, str]:
    """Thresholds of certainty, and what is to be said where they could not be fitted."""
    decided = [(item, item.decision(statistics)) for item in observed]
    decided = [(item, decision) for item, decision in decided if decision is not None]
    if not decided:
        return statistics, "; levels are named by the network itself"
    right = [levels_right(item, decision) for item, decision in decided]
    try:
        return calibrate_thresholds([decision for _, decision in decided], right, statistics), ""
    except OptionError as error:
        return statistics, f"; the threshold of certain levels is the default one ({error.problem})"


def levels_right(item: Observed, decision: LevelDecision) -> bool:
    """Whether a naming is right, see `vertenet.measure.matching.Naming.all_right`."""
    spine = build_spine(item.looks.candidates, decision.best, item.shape)
    return judge_names(spine, item.truth, size=np.array(item.size)).all_right


def fit_typicality(observed: Sequence[Observed]) -> Typicality | None:
    """None for a network without an encoder."""
    known = [item for item in observed if item.features is not None]
    if not known:
        return None
    found = np.array([item.confidence for item in known])
    return Typicality.fit(
        np.array([item.features for item in known]),
        np.array([item.inverted for item in known if item.inverted is not None]),
        np.array([item.facing for item in known if item.facing is not None]),
        found[found > 0],
    )


def located(observed: Sequence[Observed], *, refined: bool) -> tuple[Points, np.ndarray, np.ndarray]:
    """Points of vertebrae under their own name, their errors and their images, as `ConformalRadii.fit` takes them.

    A point counts where it is present in prediction and truth. A vertebra that is not the true one of its name
    (`vertenet.measure.matching`) is not counted: its name is wrong, not its corners.
    """
    points, errors, images = [], [], []
    for number, item in enumerate(observed):
        spine = item.refined if refined else item.spine
        mine = Points.of(_rightly_named(spine, item), item.sigma if refined else None)
        true = np.array([_true_position(item.truth, level, kind) for level, kind in zip(mine.levels, mine.kinds)])
        distance = np.linalg.norm(mine.xy - true.reshape(-1, 2), axis=-1)
        known = np.isfinite(distance)
        points.append(mine[known])
        errors.append(distance[known])
        images.append(np.full(int(known.sum()), number))
    return Points.concatenate(points), np.concatenate(errors), np.concatenate(images)


def _rightly_named(spine: Spine, item: Observed) -> Spine:
    named = judge_names(spine, item.truth, size=np.array(item.size)).named
    return replace(spine, vertebrae=tuple(v for v in spine if named.get(v.level) == "right"))


def _true_position(truth: Spine, level, kind) -> np.ndarray:
    corner = truth[level].points.get(kind)
    return np.full(2, np.nan) if corner is None or not corner.is_present else corner.xy
