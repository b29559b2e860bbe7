"""From a network's maps to a named spine in source pixels."""

from __future__ import annotations

import math

import numpy as np

from ..imaging.frame import Frame
from ..radiograph import Radiograph
from ..reading import Levels
from ..spine import CORNERS, LADDER, STANDARD_LEVELS, Corner, Level, Spine, Status, Vertebra
from .decode import Candidate, find_candidates
from .levels import LevelPath, name_levels


def spine_from_maps(maps, radiograph: Radiograph, network) -> tuple[Spine, Levels, list[str]]:
    """The level-consistent spine of an image that faces right: spine in source pixels, its levels, warnings.

    ``maps`` are those of ``network`` (see `Predictor.maps`); of ``radiograph`` only the size counts.
    """
    frame = Frame(radiograph.pixels.shape, network.input_size)
    found = find_candidates(maps, network.stride, network.level_names)
    candidates = [candidate.mapped(frame.to_source) for candidate in found]
    decision = name_levels(candidates, radiograph.rows) if candidates else None
    if decision is None or not decision.is_spine:
        empty = Spine((), "right").select(STANDARD_LEVELS)
        return empty, Levels(certain=False), ["No spine was found: is this a lateral spine image, facing as stated?"]
    spine = build_spine(candidates, decision.best, radiograph)
    margin = decision.margin if math.isfinite(decision.margin) else None
    if decision.certain:
        return spine, Levels(True, margin), []
    alternative = None
    if decision.alternative is not None:
        alternative = build_spine(candidates, decision.alternative, radiograph)
    warning = "Levels uncertain: another naming of the vertebrae is nearly as likely"
    return spine, Levels(False, margin, alternative), [warning]


def build_spine(candidates: list[Candidate], path: LevelPath, radiograph: Radiograph) -> Spine:
    """The six standard levels of a path; levels it lacks are ``outside`` beyond the field, ``missing`` inside it."""
    named = {level: candidates[index] for index, level in path.levels}
    vertebrae = []
    for level in STANDARD_LEVELS:
        candidate = named.get(level)
        if candidate is None:
            status = _why_absent(level, named, radiograph.rows)
            vertebrae.append(Vertebra(level, {name: Corner(status=status) for name in CORNERS}))
            continue
        score = float(np.clip(candidate.score, 0, 1))
        points = {name: Corner(x, y, confidence=score) for name, (x, y) in zip(CORNERS, candidate.corners)}
        vertebrae.append(Vertebra(level, points, score))
    return Spine(tuple(vertebrae), "right").bounded(radiograph.rows, radiograph.columns)


def _why_absent(level: Level, named: dict[Level, Candidate], rows: int) -> Status:
    """Beyond the field if the named vertebrae, continued at their own pitch, put the level's centre there."""
    ranks = np.array([LADDER.index(other) for other in named])
    heights = np.array([candidate.centre[1] for candidate in named.values()])
    if len(ranks) < 2:
        return Status.MISSING
    slope, start = np.polyfit(ranks, heights, 1)
    place = start + slope * LADDER.index(level)
    return Status.MISSING if 0 <= place < rows else Status.OUTSIDE
