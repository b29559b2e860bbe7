"""Another look at an image of an unusual field: through windows as a densitometer would have set them.

The network sees every image stretched to its own size. A densitometer's field is narrow and ends just below the
lumbar spine, so there bodies have one size and shape; in a film that shows belly and thighs they are small and
squeezed, and which of them is the last lumbar one is read less well. The windows are drawn about the candidates that
the whole image gave, with the margins and proportions that densitometer phantoms have: quartiles over 70 phantoms of
difficulty ``training``, all scanners. They were not chosen by their effect on any film.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from ..imaging.frame import Frame
from ..networks.landmarks import LandmarkNetwork
from ..radiograph import Radiograph
from ..reading import Levels
from ..spine import Spine
from .decode import FAINTEST, Candidate
from .level_statistics import LevelStatistics, superior_lengths
from .levels import SAME_PLACE
from .spines import source_candidates, spine_of

#: Margins above the first and below the last candidate's centre, vertebral depths, and columns over rows.
ABOVE, BELOW, PROPORTIONS = 4.0, (0.5, 1.0, 1.9), (0.40, 0.47, 0.57)
#: Left and right of the candidates there is at least this much together, and the spine lies left of the middle.
_AROUND, _LEFT_OF_MIDDLE = 2.2, 0.3
#: Candidates fainter than this do not widen a window.
_PLAIN = 0.3


@dataclass(frozen=True)
class Window:
    """Rows and columns of an image, the last ones excluded."""

    top: int
    bottom: int
    left: int
    right: int

    def cut(self, pixels: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(pixels[self.top : self.bottom, self.left : self.right])

    def back(self, xy: np.ndarray) -> np.ndarray:
        """(..., 2) pixels of the window as pixels of the image."""
        return np.add(xy, (self.left, self.top))


def look_again(
    see: Callable[[Radiograph], Mapping[str, np.ndarray]],
    network,
    radiograph: Radiograph,
    maps: Mapping[str, np.ndarray],
    statistics: LevelStatistics | None = None,
) -> tuple[Spine, Levels, list[str]] | None:
    """What `vertenet.inference.spines.spine_from_maps` gives, through windows; None where they show no spine.

    Parameters
    ----------
    see : callable
        The network's maps of an image, `Predictor.maps`.
    network : torch module
        A network that names its points itself is not asked again.
    radiograph : Radiograph
        Faces right.
    maps : mapping
        Those of the whole image.
    """
    if isinstance(network, LandmarkNetwork):
        return None

    def candidates(image: Radiograph, maps: Mapping[str, np.ndarray]) -> list[Candidate]:
        return source_candidates(maps, Frame(image.pixels.shape, network.input_size), network)

    looks = []
    for window in densitometer_windows(candidates(radiograph, maps), radiograph.pixels.shape):
        view = replace(radiograph, pixels=window.cut(radiograph.pixels))
        looks.append([candidate.mapped(window.back) for candidate in candidates(view, see(view))])
    found = spine_of(pooled(looks), radiograph, statistics)
    return None if all(vertebra.is_missing for vertebra in found[0]) else found


def densitometer_windows(candidates: Sequence[Candidate], shape: tuple[int, int]) -> tuple[Window, ...]:
    """The windows to look through, inside the image; none where there is no candidate.

    Parameters
    ----------
    candidates : sequence of Candidate
        In pixels of an image that faces right.
    shape : (rows, columns) of that image
    """
    plain = [candidate for candidate in candidates if candidate.score > _PLAIN] or list(candidates)
    if not plain:
        return ()
    depth = float(np.median(superior_lengths(np.array([candidate.corners for candidate in plain]))))
    centres = np.array([candidate.centre for candidate in plain])
    (left, first), (right, last) = centres.min(axis=0), centres.max(axis=0)
    rows, columns = shape
    windows = []
    for below, proportion in product(BELOW, PROPORTIONS):
        top, bottom = max(first - ABOVE * depth, 0.0), min(last + below * depth, float(rows))
        width = max((bottom - top) * proportion, right - left + _AROUND * depth)
        start = max((left + right - width) / 2 + _LEFT_OF_MIDDLE * depth, 0.0)
        windows.append(Window(int(top), int(bottom), int(start), int(min(start + width, columns))))
    return tuple(window for window in windows if window.bottom - window.top > 8 and window.right - window.left > 8)


def pooled(looks: Sequence[Sequence[Candidate]]) -> list[Candidate]:
    """Candidates of several looks at one image as one list, from the head down.

    Those in one place are one vertebra: where its clearest look put it, with the mean score of all looks (0 in one that
    does not see it) and the level evidence of those that do, weighted by their scores.
    """
    ordered = sorted(((look, c) for look, found in enumerate(looks) for c in found), key=lambda item: -item[1].score)
    groups: list[list[tuple[int, Candidate]]] = []
    for look, candidate in ordered:
        reach = SAME_PLACE * float(superior_lengths(candidate.corners[None])[0])
        for group in groups:
            near = np.linalg.norm(group[0][1].centre - candidate.centre) < reach
            if near and all(look != other for other, _ in group):
                group.append((look, candidate))
                break
        else:
            groups.append([(look, candidate)])
    merged = [_merged([candidate for _, candidate in group], len(looks)) for group in groups]
    return sorted((c for c in merged if c.score >= FAINTEST), key=lambda candidate: float(candidate.centre[1]))


def _merged(seen: list[Candidate], looks: int) -> Candidate:
    score = sum(candidate.score for candidate in seen) / looks
    clearest = seen[0]
    if clearest.level_scores is None:
        return replace(clearest, score=score)
    weights = [candidate.score for candidate in seen]
    levels = {
        level: float(np.average([candidate.level_scores[level] for candidate in seen], weights=weights))
        for level in clearest.level_scores
    }
    return replace(clearest, score=score, level_scores=levels)
