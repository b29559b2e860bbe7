"""What one model makes of one image: how sure it is, whether it would read it, and the features it sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..inference import Predictor
from ..inference.conformal import Sigma
from ..radiograph import Radiograph
from ..spine import CORNERS, Spine, Status
from .active import level_doubt

#: Expected error of the corners of a vertebra that was looked for and not found, vertebral depths: from there on a body
#: would be another one.
NOT_FOUND = 0.5


@dataclass(frozen=True, eq=False)
class Informative:
    """What `vertenet.learning.active` needs to know of an image.

    Attributes
    ----------
    margin : float or None
        As `vertenet.reading.Levels.margin`; None where there is no other naming or nobody estimated it.
    doubt : float or None
        Probability that the levels are named wrongly, 0 to 0.5; None for networks that name their points themselves.
    dispersion : float or None
        Mean expected error of a coordinate of a corner, vertebral depths, `NOT_FOUND` for each of a vertebra that is
        missing; None without a refiner.
    typical : bool or None
        False where the image is refused; None where the model does not judge.
    quality : float or None
        `vertenet.reading.Quality.score`.
    features : (c,) float32 array
        Pooled deepest features of the image, facing right; c is 0 for networks without an encoder.
    """

    margin: float | None
    doubt: float | None
    dispersion: float | None
    typical: bool | None
    quality: float | None
    features: np.ndarray


def look(predictor: Predictor, radiograph: Radiograph) -> Informative:
    """What a model makes of an image.

    Doubt and dispersion are taken before an image is refused: a reading that is not to be shown is still a measure of
    what the model does not know.
    """
    reading = predictor(radiograph)
    upright = radiograph if reading.spine.anterior == "right" else radiograph.mirrored()
    maps = predictor.maps(upright)
    spine, levels, _ = predictor.named(upright, maps)
    return Informative(
        levels.margin,
        _doubt(spine, levels.margin, certain=levels.certain),
        None if predictor.refiner is None else dispersion(*predictor.refiner(upright, spine)),
        None if reading.quality is None else reading.quality.typical,
        None if reading.quality is None else reading.quality.score,
        np.asarray(maps.get("deepest", ()), np.float32),
    )


def dispersion(spine: Spine, sigma: Sigma) -> float:
    """Mean expected error of the corners of a spine, vertebral depths.

    Parameters
    ----------
    spine : Spine
    sigma : dict of (Level, CornerName) to float
        Expected error of a coordinate of each present point, source pixels, as the refiner gives it. Corners that lie
        outside the image are no error; those of vertebrae without any position count `NOT_FOUND`.
    """
    errors = []
    for vertebra in spine:
        known = [sigma[vertebra.level, name] for name in CORNERS if (vertebra.level, name) in sigma]
        if known:
            depth = _depth(vertebra.to_array())
            errors += [error / depth for error in known]
        elif any(vertebra[name].status is Status.MISSING for name in CORNERS):
            errors += [NOT_FOUND] * len(CORNERS)
    return float(np.mean(errors)) if errors else NOT_FOUND


def _doubt(spine: Spine, margin: float | None, *, certain: bool) -> float | None:
    if margin is not None:
        return float(level_doubt(margin))
    if certain:
        return 0.0  # nothing else is possible
    return 0.5 if all(vertebra.is_missing for vertebra in spine) else None


def _depth(corners: np.ndarray) -> float:
    """Mean length of the two endplates of (4, 2) corners in the order of `CORNERS`."""
    return float(np.linalg.norm(corners[[0, 2]] - corners[[1, 3]], axis=-1).mean())
