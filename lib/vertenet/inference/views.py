"""Several looks at one image: the whole, and windows about its lower column, as it is and with even contrast.

Levels are counted from the sacrum up. A network that sees the thorax too names by what the thorax of its training
images looked like, and on patients that is often a level off; seen from the lowest bodies alone, the same network names
the same image rightly. So the whole image says where the bodies are, and windows about the lowest of them say which
they are: their evidence is pooled body by body, every other one with its local contrast made even, and windows that
name the bodies otherwise than their pool does are a reason for doubt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..imaging.frame import Frame
from ..radiograph import Radiograph
from ..spine import STANDARD_LEVELS
from .decode import FAINTEST, Candidate, find_candidates
from .level_statistics import LevelStatistics, superior_lengths
from .levels import MIN_NAMED, SAME_PLACE, name_levels
from .runtimes import Layout

#: An image as a network is to see it, and whether with its local contrast made even.
View = tuple[Radiograph, bool]
Maps = Mapping[str, np.ndarray]

#: Of each window: bodies from the lowest one up that it shows, and where it ends below the lowest, vertebral depths.
BODIES, BELOW = (5, 6, 7, 6), (0.7, 1.6, 1.6, 0.7)
#: Above its uppermost body a window shows this much more, vertebral depths; its columns are this share of its rows.
ABOVE, PROPORTION = 0.8, 0.47
#: Left and right of the candidates there is at least this much together, and the spine lies left of the middle.
_AROUND, _LEFT_OF_MIDDLE = 2.2, 0.3
#: Candidates fainter than this make no window.
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

    def shows(self, xy: np.ndarray) -> bool:
        """Whether a point of the image lies in the window."""
        return bool(self.left <= xy[0] < self.right and self.top <= xy[1] < self.bottom)


@dataclass(frozen=True, eq=False)
class Looks:
    """What several looks at an image found.

    Attributes
    ----------
    candidates : list of Candidate
        Pooled, from the head down, source pixels.
    agreement : float
        Share of the looks that name the bodies as their pool does, 0 to 1; 1 where none names three of them.
    """

    candidates: list[Candidate]
    agreement: float


def look(
    see: Callable[[Sequence[View]], Sequence[Maps]],
    layout: Layout,
    radiograph: Radiograph,
    whole: Sequence[Maps],
    statistics: LevelStatistics | None = None,
) -> Looks:
    """Read an image as a whole and through `windows`, which name what they show.

    Where there is no window, or nothing is found in any, the whole image names too.

    Parameters
    ----------
    see : callable
        The network's maps of several views at once: `Predictor.see`.
    layout : Layout
        Of a centre network.
    radiograph : Radiograph
        Faces right.
    whole : two mappings
        Maps of the whole image, as it is and with even contrast.
    statistics : LevelStatistics, optional
        The default ones when not given.
    """
    rows, columns = radiograph.pixels.shape
    everything = Window(0, rows, 0, columns)

    def seen(window: Window, maps: Maps) -> list[Candidate]:
        frame = Frame((window.bottom - window.top, window.right - window.left), layout.input_size)
        return [candidate.mapped(window.back) for candidate in source_candidates(maps, frame, layout)]

    found = [seen(everything, maps) for maps in whole]
    through = windows(pooled(found), radiograph.pixels.shape)
    cuts = [replace(radiograph, pixels=window.cut(radiograph.pixels)) for window in through]
    views = [(cut, number % 2 == 1) for number, cut in enumerate(cuts)]
    found += [seen(window, maps) for window, maps in zip(through, see(views))]
    shown = [*[everything] * len(whole), *through]
    naming = [window != everything for window in shown]
    if not any(candidates for candidates, names in zip(found, naming) if names):
        naming = [True] * len(found)
    together = pooled(found, shown, naming)
    named = [candidates for candidates, names in zip(found, naming) if names]
    return Looks(together, agreement(together, named, rows, statistics))


def source_candidates(maps: Maps, frame: Frame, layout: Layout) -> list[Candidate]:
    """What a centre network takes for vertebrae, from the head down, in source pixels."""
    found = find_candidates(maps, layout.stride, layout.level_names)
    return [candidate.mapped(frame.to_source) for candidate in found]


def windows(candidates: Sequence[Candidate], shape: tuple[int, int]) -> tuple[Window, ...]:
    """The windows to look through, inside the image; none where there is no plain candidate, none that shows it all.

    Parameters
    ----------
    candidates : sequence of Candidate
        From the head down, in pixels of an image that faces right.
    shape : (rows, columns) of that image
    """
    plain = [candidate for candidate in candidates if candidate.score > _PLAIN]
    if len(plain) < MIN_NAMED:
        return ()
    rows, columns = shape
    made = []
    for count, below in zip(BODIES, BELOW, strict=True):
        part = plain[-count:]
        depth = float(np.median(superior_lengths(np.array([candidate.corners for candidate in part]))))
        centres = np.array([candidate.centre for candidate in part])
        (left, first), (right, last) = centres.min(axis=0), centres.max(axis=0)
        top, bottom = max(first - ABOVE * depth, 0.0), min(last + below * depth, float(rows))
        width = max((bottom - top) * PROPORTION, right - left + _AROUND * depth)
        start = max((left + right - width) / 2 + _LEFT_OF_MIDDLE * depth, 0.0)
        made.append(Window(int(top), int(bottom), int(start), int(min(start + width, columns))))
    return tuple(
        window
        for window in dict.fromkeys(made)
        if min(window.bottom - window.top, window.right - window.left) > 8
        and (window.bottom - window.top, window.right - window.left) != shape
    )


def agreement(
    together: Sequence[Candidate], looks: Sequence[Sequence[Candidate]], rows: int, statistics: LevelStatistics | None
) -> float:
    """Share of the looks that name as the pool does, of those that name at least three bodies of T12 to L5 with it."""
    if not together:
        return 1.0
    ours = {level: together[index] for index, level in name_levels(together, rows, statistics).best.levels}
    agreed = []
    for found in looks:
        if not found:
            continue
        names = []
        for index, level in name_levels(found, rows, statistics).best.levels:
            same = next((mine for mine, body in ours.items() if _same_place(body, found[index])), None)
            if same is not None and {level, same} & set(STANDARD_LEVELS):
                names.append(level is same)
        if len(names) >= MIN_NAMED:
            agreed.append(all(names))
    return float(np.mean(agreed)) if agreed else 1.0


def pooled(
    looks: Sequence[Sequence[Candidate]],
    shown: Sequence[Window] | None = None,
    naming: Sequence[bool] | None = None,
) -> list[Candidate]:
    """Candidates of several looks at one image as one list, from the head down.

    Those in one place are one vertebra: where its clearest look put it, with the mean score of all looks that show its
    place (0 in one that does not see it) and the level evidence of those that see it, weighted by their scores.

    Parameters
    ----------
    looks : a sequence of candidates for each look
    shown : Window of each look; every look shows every place when not given
    naming : whether a look's level evidence counts, all of them when not given; a vertebra that only others see may be
        any level alike
    """
    ordered = sorted(
        ((number, c) for number, found in enumerate(looks) for c in found), key=lambda item: -item[1].score
    )
    groups: list[list[tuple[int, Candidate]]] = []
    for number, candidate in ordered:
        for group in groups:
            if _same_place(candidate, group[0][1]) and all(number != other for other, _ in group):
                group.append((number, candidate))
                break
        else:
            groups.append([(number, candidate)])
    merged = []
    for group in groups:
        centre = group[0][1].centre
        showing = len(looks) if shown is None else sum(window.shows(centre) for window in shown)
        names = [candidate for number, candidate in group if naming is None or naming[number]]
        merged.append(_merged([candidate for _, candidate in group], names, max(showing, len(group))))
    return sorted((c for c in merged if c.score >= FAINTEST), key=lambda candidate: float(candidate.centre[1]))


def _same_place(one: Candidate, other: Candidate) -> bool:
    reach = SAME_PLACE * float(superior_lengths(one.corners[None])[0])
    return float(np.linalg.norm(other.centre - one.centre)) < reach


def _merged(seen: list[Candidate], names: list[Candidate], looks: int) -> Candidate:
    """One vertebra of several sights, the clearest first; ``names`` are those whose level evidence counts."""
    clearest = replace(seen[0], score=sum(candidate.score for candidate in seen) / looks)
    if clearest.level_scores is None:
        return clearest
    if not names:
        return replace(clearest, level_scores=dict.fromkeys(clearest.level_scores, 1 / len(clearest.level_scores)))
    weights = [candidate.score for candidate in names]
    levels = {
        level: float(np.average([candidate.level_scores[level] for candidate in names], weights=weights))
        for level in clearest.level_scores
    }
    return replace(clearest, level_scores=levels)
