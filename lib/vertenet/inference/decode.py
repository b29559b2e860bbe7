"""From a network's maps to vertebra candidates, and the authors' top-six reading of them.

Maps lie on a grid ``stride`` times coarser than the network's input. A cell (row r, column c) predicts a vertebra
whose centre is ``(c, r) + reg`` and whose corners are ``centre - wh`` (CenterNet; VerteNet's three heads). Everything
here is NumPy and in *frame* pixels, those of the network's input; `vertenet.inference.predictor` takes it to source
pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import maximum_filter

from ..spine import CORNERS, STANDARD_LEVELS, CornerName, Level, Side, Spine

#: The corner order of the ``wh`` channels (the authors'): each is an (x, y) pair.
WH_CORNERS = (CornerName.SP, CornerName.SA, CornerName.IP, CornerName.IA)
#: Evidence below which a place is no candidate.
FAINTEST = 0.08
_TO_LIBRARY_ORDER = [WH_CORNERS.index(name) for name in CORNERS]


@dataclass(frozen=True, eq=False)
class Candidate:
    """A place where the network sees a vertebra.

    Attributes
    ----------
    score : float
        How sure the network is that a vertebra is here, 0 to 1.
    centre : (2,) float64
    corners : (4, 2) float64
        In the order of `vertenet.spine.CORNERS`.
    level_scores : mapping of Level to float, or None
        The network's own level evidence at this place, each 0 to 1; None for networks without a level head.
    """

    score: float
    centre: np.ndarray
    corners: np.ndarray
    level_scores: Mapping[Level, float] | None = None

    def mapped(self, function) -> Candidate:
        """The candidate with ``function`` ((n, 2) to (n, 2)) applied to its positions."""
        return replace(self, centre=function(self.centre[None])[0], corners=function(self.corners))


def find_peaks(
    heatmap: np.ndarray, limit: int, threshold: float = 0.0, among: np.ndarray | None = None
) -> list[tuple[int, int]]:
    """(row, column) of the highest local maxima (3x3) of an (h, w) map, at most ``limit``, best first.

    ``among``: (n, 2) the only cells that may be one, ascending; all where it is not given.
    """
    if among is None:
        is_peak = (heatmap == maximum_filter(heatmap, size=3, mode="constant")) & (heatmap > threshold)
        rows, columns = np.nonzero(is_peak)
    else:
        framed = np.pad(heatmap, 1)
        around = sliding_window_view(framed, (3, 3))[among[:, 0], among[:, 1]].max(axis=(1, 2))
        here = heatmap[among[:, 0], among[:, 1]]
        rows, columns = among[(here == around) & (here > threshold)].T
    order = np.argsort(-heatmap[rows, columns], kind="stable")[:limit]
    return list(zip(rows[order].tolist(), columns[order].tolist()))


def candidates_at(maps: Mapping[str, np.ndarray], peaks, stride: int, level_names=None, smooth: bool = False):
    """Read a `Candidate` at each (row, column) of ``peaks``.

    Parameters
    ----------
    maps : mapping
        ``hm`` (1, h, w), ``reg`` (2, h, w), ``wh`` (8, h, w), and ``level`` (k, h, w) where ``level_names`` is given.
        Where there is ``cells`` (n, 2), ``reg`` and ``wh`` are known at these and their eight neighbours alone.
    peaks : iterable of (row, column)
    stride : int
        Frame pixels per cell.
    level_names : sequence of k names, optional
    smooth : bool
        Average the offsets over the 3x3 cells around the peak, weighted by their evidence. Right for networks trained
        to predict offsets at all of those cells, wrong for the authors', trained at the centre alone.
    """
    evidence = evidence_map(maps)
    found = []
    for row, column in peaks:
        cells = _neighbourhood(evidence.shape, row, column) if smooth else [(row, column)]
        weights = np.array([evidence[cell] for cell in cells], dtype=np.float64) + 1e-9
        centres = np.array([np.array([c, r]) + maps["reg"][:, r, c] for r, c in cells])
        offsets = np.array([maps["wh"][:, r, c].reshape(4, 2) for r, c in cells])
        corners = np.average(centres[:, None] - offsets, axis=0, weights=weights)
        centre = np.average(centres, axis=0, weights=weights)
        levels = None
        if level_names is not None:
            window = maps["level"][:, max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
            levels = {Level(name): float(v) for name, v in zip(level_names, window.max(axis=(1, 2)))}
        found.append(
            Candidate(
                score=float(evidence[row, column]),
                centre=_cells_to_pixels(centre, stride),
                corners=_cells_to_pixels(corners, stride)[_TO_LIBRARY_ORDER],
                level_scores=levels,
            )
        )
    return found


def evidence_map(maps: Mapping[str, np.ndarray]) -> np.ndarray:
    """(h, w) evidence for any vertebra: the heatmap, and the level maps where there are some (they see all bodies)."""
    heatmap = maps["hm"][0]
    return np.maximum(heatmap, maps["level"].max(axis=0)) if "level" in maps else heatmap


def find_candidates(
    maps, stride: int, level_names=None, limit: int = 24, threshold: float = FAINTEST
) -> list[Candidate]:
    """Every place that may be a vertebra, from the head down; at most ``limit``."""
    peaks = find_peaks(evidence_map(maps), limit, threshold, maps.get("cells"))
    return sorted(candidates_at(maps, peaks, stride, level_names, smooth=level_names is not None), key=_height)


def top_six(maps: Mapping[str, np.ndarray], stride: int, anterior: Side = "right") -> Spine:
    """The authors' decoding: the six highest peaks whatever their score, sorted by y, named T12 to L5 from the top.

    One missed or extra peak renames every vertebra below it; kept by name for comparison. Frame pixels. With fewer
    than six local maxima in the map the lowest levels are missing.
    """
    peaks = find_peaks(maps["hm"][0], limit=6, among=maps.get("cells"))
    heatmap_only = {key: maps[key] for key in ("hm", "reg", "wh")}
    found = sorted(candidates_at(heatmap_only, peaks, stride), key=_height)
    xy = np.full((6, 4, 2), np.nan)
    confidence = np.zeros((6, 4))
    for i, candidate in enumerate(found):
        xy[i], confidence[i] = candidate.corners, candidate.score
    return Spine.from_array(xy, STANDARD_LEVELS, CORNERS, anterior=anterior, confidence=confidence)


def _height(candidate: Candidate) -> float:
    return float(candidate.centre[1])


def _neighbourhood(shape, row: int, column: int) -> list[tuple[int, int]]:
    return [
        (r, c)
        for r in range(max(0, row - 1), min(shape[0], row + 2))
        for c in range(max(0, column - 1), min(shape[1], column + 2))
    ]


def _cells_to_pixels(xy: np.ndarray, stride: int) -> np.ndarray:
    # Targets are made as xy / stride in the authors' convention, where cell 0 stands for pixel 0.
    return xy * stride


def dense(outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The maps of one image from what `vertenet.networks.peaks.PeakView` says of it, without the batch axis.

    ``reg`` and ``wh`` are NaN but at the peaks, whose cells are ``cells``, (n, 2) int, and at their neighbours.
    Outputs of other networks are returned as they are.
    """
    if "places" not in outputs:
        return dict(outputs)
    h, w = outputs["hm"].shape[-2:]
    places, first = np.unique(outputs["places"], return_index=True)
    rows, columns = np.divmod(places.astype(np.intp), w)
    r, c = rows[:, None, None] + np.arange(3)[:, None], columns[:, None, None] + np.arange(3)
    maps = {name: value for name, value in outputs.items() if name not in ("places", "reg_at", "wh_at")}
    for name in ("reg", "wh"):
        values = outputs[f"{name}_at"][first]
        framed = np.full((values.shape[1], h + 2, w + 2), np.nan, np.float32)
        framed[:, r, c] = np.moveaxis(values, 1, 0)
        maps[name] = framed[:, 1:-1, 1:-1]
    return {**maps, "cells": np.column_stack([rows, columns])}
