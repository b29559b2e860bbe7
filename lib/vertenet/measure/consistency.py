"""Do the landmarks of a spine contradict themselves, and what may be measured from it while they do?

A corner may be dragged, read from a file or predicted where no vertebra has it. Nothing is measured from such a
vertebra until that is put right: its guides are left out, its heights are not evaluable, and the crop could not be
assessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import AnnotationError
from ..radiograph import Radiograph, Spacing
from ..spine import CORNERS, Corner, CornerName, Level, Side, Spine, Status, Vertebra
from .crop import DEFAULT_FACTOR, CropResult, CropState, detect_crop
from .morphometry import SpineMorphometry
from .norms import Norms

REMEDY = "Correct the points, or use a format that names them"
#: The corners of the endplate that a mid-endplate point lies on.
ENDPLATES = {CornerName.SM: (CornerName.SA, CornerName.SP), CornerName.IM: (CornerName.IA, CornerName.IP)}
#: A mid-endplate point lies so far along its endplate (share of it from the anterior corner) ...
MIDDLE = (0.25, 0.75)
#: ... and at most this share of its length away: a crushed endplate sinks in by a third, a wrong level is a whole off.
DEEPEST = 0.4
SA, SP, IA, IP = (CORNERS.index(CornerName(name)) for name in ("SA", "SP", "IA", "IP"))


@dataclass(frozen=True)
class Contradiction:
    """What cannot be, as a sentence without its full stop, and the levels that are not to be trusted for it."""

    levels: frozenset[Level]
    sentence: str


def contradictions(spine: Spine, image: str) -> tuple[Contradiction, ...]:
    """One for each vertebra that contradicts itself; where each is sound, one for each two that are out of order."""
    problem = _problem(spine, image)
    if problem is None:
        return ()
    placed = [vertebra for vertebra in spine if not vertebra.is_missing]
    whole = Contradiction(frozenset(vertebra.level for vertebra in placed), problem)
    if infer_anterior(spine) not in (None, spine.anterior):
        return (whole,)
    alone = [_contradiction(spine, (vertebra,), image) for vertebra in placed]
    found = alone if any(alone) else [_contradiction(spine, pair, image) for pair in zip(placed, placed[1:])]
    return tuple(one for one in found if one is not None) or (whole,)


def doubted_levels(found: Iterable[Contradiction]) -> frozenset[Level]:
    """The levels that any of some contradictions is about."""
    return frozenset().union(*(one.levels for one in found))


def trusted(spine: Spine, found: Iterable[Contradiction]) -> Spine:
    """The spine with the vertebrae that contradict themselves unevaluable; the same one where there are none."""
    doubted = doubted_levels(found)
    if not doubted:
        return spine
    nowhere = Corner(status=Status.UNEVALUABLE)
    vertebrae = [
        Vertebra(vertebra.level, dict.fromkeys(vertebra.points, nowhere)) if vertebra.level in doubted else vertebra
        for vertebra in spine
    ]
    return replace(spine, vertebrae=tuple(vertebrae))


def crop_of(
    radiograph: Radiograph,
    spine: Spine,
    found: Sequence[Contradiction],
    factor: float = DEFAULT_FACTOR,
    *,
    blanked: np.ndarray | None = None,
) -> CropResult:
    """`detect_crop` of a spine without contradictions; of any other it could not be assessed, and why."""
    if not found:
        return detect_crop(radiograph, spine, factor, blanked=blanked)
    sentences = ". ".join(one.sentence for one in found)
    return CropResult(CropState.NOT_ASSESSED, factor, reason=f"the landmarks contradict each other ({sentences})")


def morphometry_of(
    spine: Spine, spacing: Spacing | None, found: Sequence[Contradiction], norms: Norms | None = None
) -> SpineMorphometry:
    """Heights and angles; a vertebra that contradicts itself is not evaluable, and that is the reason."""
    measured, doubted = SpineMorphometry.of(trusted(spine, found), spacing, norms), doubted_levels(found)
    vertebrae = {
        level: replace(vertebra, reason="its corners contradict each other") if level in doubted else vertebra
        for level, vertebra in measured.vertebrae.items()
    }
    return replace(measured, vertebrae=vertebrae) if doubted else measured


def infer_anterior(spine: Spine) -> Side | None:
    """The side that the anterior corners of a spine lie on; None where no vertebra has corners on both."""
    lean = 0.0
    for vertebra in spine:
        for front, back in ((CornerName.SA, CornerName.SP), (CornerName.IA, CornerName.IP)):
            if vertebra[front].is_present and vertebra[back].is_present:
                lean += vertebra[front].x - vertebra[back].x
    return None if lean == 0 else "right" if lean > 0 else "left"


def check(spine: Spine, subject: str) -> None:
    """Refuse named landmarks that contradict their names.

    Only ``present`` corners count.

    Raises
    ------
    AnnotationError
        Two corners of a vertebra in one place, a vertebra whose corners are swapped or crossed, or levels out of order.
    """
    inferred = infer_anterior(spine)
    if inferred not in (None, spine.anterior):
        raise AnnotationError(
            f"anterior is said to be {spine.anterior}, but the corners named anterior lie on the {inferred}",
            subject=subject,
            remedy="Give the right side with --anterior, or correct the names",
        )
    for vertebra in spine:
        _check_vertebra(vertebra, spine.anterior, subject)
    centres = [(v.level, np.nanmean(v.to_array(present=True), axis=0)) for v in spine if not v.is_missing]
    for (upper, above), (lower, below) in zip(centres, centres[1:]):
        if below[1] <= above[1]:
            raise AnnotationError(
                f"{lower} lies above {upper} at ({below[0]:.0f}, {below[1]:.0f})", subject=subject, remedy=REMEDY
            )


def _check_vertebra(vertebra: Vertebra, anterior: Side, subject: str) -> None:
    xy, level = vertebra.to_array(present=True), vertebra.level
    for first in range(4):
        for second in range(first):
            if np.array_equal(xy[first], xy[second]):
                names = f"{level}-{CORNERS[second]} and {level}-{CORNERS[first]}"
                raise AnnotationError(f"{names} are in the same place", subject=subject, remedy=REMEDY)
    sign = 1.0 if anterior == "right" else -1.0
    for front, back in ((SA, SP), (IA, IP)):
        if sign * (xy[front, 0] - xy[back, 0]) < 0:
            raise _swapped(level, front, back, subject)
    for top, bottom in ((SA, IA), (SP, IP)):
        if xy[bottom, 1] < xy[top, 1]:
            raise _swapped(level, top, bottom, subject)
    if vertebra.is_complete and (
        segments_cross(xy[SA], xy[IA], xy[SP], xy[IP]) or segments_cross(xy[SA], xy[SP], xy[IA], xy[IP])
    ):
        raise AnnotationError(
            f"the outline of {level} crosses itself at {level}-{CornerName.SA}",
            subject=subject,
            remedy=REMEDY,
        )


def _swapped(level: Level, first: int, second: int, subject: str) -> AnnotationError:
    names = f"{level}-{CORNERS[first]} and {level}-{CORNERS[second]}"
    return AnnotationError(f"{names} seem to be swapped", subject=subject, remedy=REMEDY)


def segments_cross(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> bool:
    """Whether the segments ab and cd cross."""
    return bool(cross(b - a, c - a) * cross(b - a, d - a) < 0 and cross(d - c, a - c) * cross(d - c, b - c) < 0)


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Third component of the cross product of (..., 2) vectors."""
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def without_stray_midpoints(spine: Spine) -> Spine:
    """The spine without mid-endplate points that corners were moved away from.

    Such a point was found together with an endplate that turned out to be elsewhere. To move it along would dress a
    guess as a measurement; it becomes missing, and the middle height cannot be told until it is placed again.
    """
    vertebrae = []
    for vertebra in spine:
        stray = {name: Corner.missing() for name, ends in ENDPLATES.items() if _is_stray(vertebra, name, ends)}
        vertebrae.append(replace(vertebra, points={**vertebra.points, **stray}) if stray else vertebra)
    return replace(spine, vertebrae=tuple(vertebrae))


def _is_stray(vertebra: Vertebra, name: CornerName, ends: tuple[CornerName, CornerName]) -> bool:
    front, back, point = vertebra.to_array((*ends, name), present=True)
    if not np.isfinite([front, back, point]).all():
        return False
    along, offset = back - front, point - front
    length = float(np.hypot(*along))
    if length == 0:
        return True
    share, height = float(offset @ along) / length**2, abs(float(cross(along, offset))) / length**2
    return not MIDDLE[0] <= share <= MIDDLE[1] or height > DEEPEST


def _contradiction(spine: Spine, vertebrae: tuple[Vertebra, ...], image: str) -> Contradiction | None:
    """Of some vertebrae of a spine by themselves."""
    part = replace(spine, vertebrae=vertebrae)
    problem = _problem(part, image)
    if problem is None:
        return None
    if infer_anterior(part) not in (None, spine.anterior):
        # Of one vertebra turned round among others it is the corners that are wrong, not the side.
        turned = [pair for vertebra in vertebrae for pair in _turned(vertebra, spine.anterior)]
        problem = f"{', '.join(turned)} seem to be swapped"
    return Contradiction(frozenset(vertebra.level for vertebra in vertebrae), problem)


def _turned(vertebra: Vertebra, anterior: Side) -> Iterator[str]:
    """The endplates whose anterior corner lies behind the posterior one."""
    sign = 1 if anterior == "right" else -1
    for front, back in ((CornerName.SA, CornerName.SP), (CornerName.IA, CornerName.IP)):
        ends = vertebra[front], vertebra[back]
        if all(end.is_present for end in ends) and sign * (ends[0].x - ends[1].x) < 0:
            yield f"{vertebra.level}-{front} and {vertebra.level}-{back}"


def _problem(spine: Spine, image: str) -> str | None:
    try:
        check(spine, image)
    except AnnotationError as error:
        return f"{error.problem[0].upper()}{error.problem[1:]}"
    return None
