"""Does a calibration hold? Cross-fitting over images, leaving a scanner out, risk of levels against abstention."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from ..inference.conformal import COVERAGES, FEWEST_IMAGES, MAIN_COVERAGE, ConformalRadii
from ..inference.level_statistics import LevelStatistics
from ..inference.typicality import Typicality
from .calibrate import Observed, levels_right, located

FOLDS = 5


def crossfitted_radii(observed: Sequence[Observed], *, refined: bool, by_scanner: bool = False) -> pd.DataFrame:
    """Radii of points of images that took no part in fitting them.

    Parameters
    ----------
    observed : sequence of Observed
    refined : bool
        Points after refinement, or as the network gives them.
    by_scanner : bool
        Leave a whole scanner out each time, instead of every fifth image.

    Returns
    -------
    DataFrame
        A row a point: ``image``, ``scanner``, ``level``, ``kind``, ``error``, ``expected`` (radius of 90 %) and
        ``radius_80`` ..., all source pixels. A fold whose other images are too few to calibrate on is left out, and
        so is a point whose kind was not calibrated.
    """
    points, errors, images = located(observed, refined=refined)
    scanners = np.array([item.scanner for item in observed], dtype=object)[images]
    folds = scanners if by_scanner else images % FOLDS
    frames = []
    for fold in sorted(set(folds)):
        out = folds == fold
        if len(np.unique(images[~out])) < 2 * FEWEST_IMAGES:
            continue
        radii = ConformalRadii.fit(points[~out], errors[~out], images[~out])
        main = radii.radii(points[out])
        columns = {
            "image": images[out],
            "scanner": scanners[out],
            "level": points.levels[out],
            "kind": points.kinds[out],
            "depth": points.depth[out],
            "error": errors[out],
        }
        sizes = {f"radius_{coverage}": main * radii.scale[str(coverage)] for coverage in COVERAGES}
        frames.append(pd.DataFrame({**columns, **sizes}))
    empty = ["image", "scanner", "level", "kind", "depth", "error", *(f"radius_{c}" for c in COVERAGES)]
    table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=empty)
    return table.dropna(subset=[f"radius_{MAIN_COVERAGE}"])


def coverage_table(radii: pd.DataFrame, by: str | None = None) -> pd.DataFrame:
    """Share of points within their radius at each coverage, percent, with median radius and error.

    A row for each value of the column ``by``, or one for all. Every image weighs the same, as in the calibration.
    """
    groups: Iterator = iter([("all", radii)]) if by is None else iter(radii.groupby(by, sort=True))
    rows = []
    for name, group in groups:
        inside = {
            f"{c} %": 100 * _image_mean(group["error"] <= group[f"radius_{c}"], group["image"]) for c in COVERAGES
        }
        rows.append(
            {
                (by or "cases"): str(name),
                **inside,
                "radius px": float(group[f"radius_{MAIN_COVERAGE}"].median()),
                "error px": float(group["error"].median()),
                "points": len(group),
                "images": group["image"].nunique(),
            }
        )
    return pd.DataFrame(rows)


def level_risk(observed: Sequence[Observed], statistics: LevelStatistics) -> pd.DataFrame:
    """A row an image: ``margin``, ``supported``, ``certain``, ``right``. Images without a candidate are left out."""
    rows = []
    for item in observed:
        decision = item.decision(statistics)
        if decision is not None:
            rows.append(
                {
                    "image": item.name,
                    "margin": decision.margin,
                    "supported": decision.supported,
                    "certain": decision.certain,
                    "right": levels_right(item, decision),
                }
            )
    return pd.DataFrame(rows, columns=["image", "margin", "supported", "certain", "right"])


def distances(observed: Sequence[Observed], typicality: Typicality) -> pd.DataFrame:
    """A row an image: ``distance`` and ``picture``, either "as taken" (images that set the limit) or "upside down"."""
    rows = []
    for number, item in enumerate(observed):
        if number % 2 and item.features is not None:
            rows.append({"picture": "as taken", "distance": typicality.distance(item.features)})
        if item.inverted is not None:
            rows.append({"picture": "upside down", "distance": typicality.distance(item.inverted)})
    return pd.DataFrame(rows, columns=["picture", "distance"])


def _image_mean(inside: pd.Series, images: pd.Series) -> float:
    return float(inside.groupby(images.to_numpy()).mean().mean())
