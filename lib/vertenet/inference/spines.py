"""From a network's maps to a named spine in source pixels."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from ..imaging.frame import Frame
from ..reading import Levels
from ..spine import CORNERS, STANDARD_LEVELS, Corner, Level, Spine, Status, Vertebra
from .decode import Candidate
from .level_statistics import ANATOMIES, LevelStatistics
from .levels import LevelPath, name_levels
from .views import source_candidates


def spine_from_maps(
    maps: Mapping[str, np.ndarray], shape: tuple[int, int], network, statistics: LevelStatistics | None = None
) -> tuple[Spine, Levels, list[str]]:
    """The spine of an image that faces right, how sure its levels are, and warnings.

    A centre network's candidates are named by `name_levels`; a `LandmarkNetwork` names its points itself, and its
    levels are never certain.

    Parameters
    ----------
    maps : what `Predictor.maps` returns for ``network``
    shape : (rows, columns) of the image
    network : torch module with ``input_size``, ``stride`` and ``level_names``
    statistics : LevelStatistics, optional
        The default ones when not given.

    Returns
    -------
    (Spine, Levels, list of str)
        The six standard levels in source pixels; every level missing where no spine was found.
    """
    frame = Frame(shape, network.input_size)
    if hasattr(network, "landmarks"):
        return _named_by_network(maps, frame, network)
    return spine_of(source_candidates(maps, frame, network), shape, statistics)


def spine_of(
    candidates: list[Candidate],
    shape: tuple[int, int],
    statistics: LevelStatistics | None = None,
    agreement: float = 1.0,
) -> tuple[Spine, Levels, list[str]]:
    """`spine_from_maps` for candidates in source pixels; ``agreement`` as for `name_levels`."""
    decision = name_levels(candidates, shape[0], statistics, agreement) if candidates else None
    if decision is None or not decision.is_spine:
        empty = Spine((), "right").select(STANDARD_LEVELS)
        return empty, Levels(certain=False), ["No spine was found: is this a lateral spine image, facing as stated?"]
    spine = build_spine(candidates, decision.best, shape)
    margin = decision.margin if math.isfinite(decision.margin) else None
    if decision.certain:
        return spine, Levels(True, margin), []
    alternative = None
    if decision.alternative is not None:
        alternative = build_spine(candidates, decision.alternative, shape)
    warning = "Levels uncertain: another naming of the vertebrae is nearly as likely"
    return spine, Levels(False, margin, alternative), [warning]


def build_spine(candidates: list[Candidate], path: LevelPath, shape: tuple[int, int]) -> Spine:
    """The six standard levels of a path in an image of (rows, columns), source pixels, and its lumbosacral transition.

    Levels that the path lacks are ``outside`` beyond the field and ``missing`` inside it; an L5 that the path's anatomy
    lacks is ``missing``.
    """
    named = {level: candidates[index] for index, level in path.levels}
    vertebrae = []
    for level in STANDARD_LEVELS:
        candidate = named.get(level)
        if candidate is None:
            status = _why_absent(level, named, ANATOMIES[path.anatomy], shape[0])
            vertebrae.append(Vertebra(level, {name: Corner(status=status) for name in CORNERS}))
            continue
        score = float(np.clip(candidate.score, 0, 1))
        points = {name: Corner(x, y, confidence=score) for name, (x, y) in zip(CORNERS, candidate.corners)}
        vertebrae.append(Vertebra(level, points, score))
    spine = Spine(tuple(vertebrae), "right", path.transition)
    return spine.bounded(*shape)


def _why_absent(level: Level, named: dict[Level, Candidate], ladder: tuple[Level, ...], rows: int) -> Status:
    """Beyond the field if the named vertebrae, continued at their own pitch, put the level's centre there."""
    if level not in ladder or len(named) < 2:
        return Status.MISSING
    places = [ladder.index(other) for other in named]
    heights = [candidate.centre[1] for candidate in named.values()]
    slope, start = np.polyfit(places, heights, 1)
    return Status.MISSING if 0 <= start + slope * ladder.index(level) < rows else Status.OUTSIDE


def _named_by_network(maps, frame: Frame, network) -> tuple[Spine, Levels, list[str]]:
    import torch  # centre networks are read without it

    batch = {name: torch.from_numpy(np.asarray(value))[None] for name, value in maps.items()}
    with torch.inference_mode():
        points, confidence = network.landmarks(batch)
    xy = frame.to_source(points[0].double().cpu().numpy())
    confidence = confidence[0].double().cpu().numpy().clip(0, 1)
    spine = Spine.from_array(xy, STANDARD_LEVELS, CORNERS, anterior="right", confidence=confidence)
    warning = "Levels were not decoded: the network names its points itself, and nothing checks the count"
    return spine.bounded(*frame.source), Levels(certain=False), [warning]
