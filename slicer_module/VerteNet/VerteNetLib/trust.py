"""Which vertebrae of a spine contradict themselves, and what may still be said while they do.

A reader may drag a corner anywhere, also where no vertebra has it. Until that is put right, nothing is measured from
such a vertebra: its guides are left out, its heights are not evaluable, and the crop could not be assessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Optional

import numpy as np

from vertenet.annotation.plausible import check, infer_anterior
from vertenet.errors import AnnotationError
from vertenet.measure import CropResult, CropState, SpineMorphometry, detect_crop, intervertebral_guides
from vertenet.radiograph import Radiograph, Spacing
from vertenet.reading import Reading
from vertenet.spine import Corner, CornerName, Level, Side, Spine, Status, Vertebra

from .i18n import _


@dataclass(frozen=True)
class Fault:
    """What cannot be, as a sentence, and the levels that are not to be trusted for it."""

    levels: frozenset[Level]
    sentence: str


def faults(spine: Spine, image: str) -> tuple[Fault, ...]:
    """One for each vertebra that contradicts itself; where each is sound, one for each two that are out of order."""
    problem = _problem(spine, image)
    if problem is None:
        return ()
    placed = [vertebra for vertebra in spine if not vertebra.is_missing]
    whole = Fault(frozenset(vertebra.level for vertebra in placed), problem)
    if infer_anterior(spine) not in (None, spine.anterior):
        return (whole,)
    alone = [_fault(spine, (vertebra,), image) for vertebra in placed]
    found = alone if any(alone) else [_fault(spine, pair, image) for pair in zip(placed, placed[1:])]
    return tuple(fault for fault in found if fault is not None) or (whole,)


def doubted_levels(found: Iterable[Fault]) -> frozenset[Level]:
    """The levels that any of some faults is about."""
    return frozenset().union(*(fault.levels for fault in found))


def trusted(spine: Spine, found: Iterable[Fault]) -> Spine:
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
    radiograph: Radiograph, spine: Spine, found: Sequence[Fault], blanked: Optional[np.ndarray] = None
) -> CropResult:
    """`vertenet.measure.detect_crop` of a spine without faults; of any other it could not be assessed, and why."""
    if not found:
        return detect_crop(radiograph, spine, blanked=blanked)
    sentences = " ".join(fault.sentence for fault in found)
    reason = _("the landmarks contradict each other ({faults})").format(faults=sentences.rstrip("."))
    return CropResult(CropState.NOT_ASSESSED, reason=reason)


def morphometry_of(spine: Spine, spacing: Optional[Spacing], found: Sequence[Fault]) -> SpineMorphometry:
    """Heights and angles; a vertebra that contradicts itself is not evaluable, and that is the reason."""
    measured, doubted = SpineMorphometry.of(trusted(spine, found), spacing), doubted_levels(found)
    vertebrae = {
        level: replace(vertebra, reason=_("its corners contradict each other")) if level in doubted else vertebra
        for level, vertebra in measured.vertebrae.items()
    }
    return replace(measured, vertebrae=vertebrae)


def as_far_as_trusted(reading: Reading, radiograph: Radiograph) -> Reading:
    """The reading without what rests on vertebrae that contradict themselves; its warnings say which and why.

    The landmarks stay as the reader left them.
    """
    found = faults(reading.spine, radiograph.name)
    if not found:
        return reading
    return replace(
        reading,
        guides=intervertebral_guides(trusted(reading.spine, found)),
        crop=crop_of(radiograph, reading.spine, found),
        morphometry=morphometry_of(reading.spine, radiograph.spacing, found),
        warnings=tuple(dict.fromkeys((*reading.warnings, *(fault.sentence for fault in found)))),
    )


def _fault(spine: Spine, vertebrae: tuple[Vertebra, ...], image: str) -> Optional[Fault]:
    """Of some vertebrae of a spine by themselves."""
    part = replace(spine, vertebrae=vertebrae)
    problem = _problem(part, image)
    if problem is None:
        return None
    if infer_anterior(part) not in (None, spine.anterior):
        # Of one vertebra turned round among others it is the corners that are wrong, not the side.
        turned = [pair for vertebra in vertebrae for pair in _turned(vertebra, spine.anterior)]
        problem = _("{corners} seem to be swapped.").format(corners=", ".join(turned))
    return Fault(frozenset(vertebra.level for vertebra in vertebrae), problem)


def _turned(vertebra: Vertebra, anterior: Side) -> Iterator[str]:
    """The endplates whose anterior corner lies behind the posterior one."""
    sign = 1 if anterior == "right" else -1
    for front, back in ((CornerName.SA, CornerName.SP), (CornerName.IA, CornerName.IP)):
        ends = vertebra[front], vertebra[back]
        if all(end.is_present for end in ends) and sign * (ends[0].x - ends[1].x) < 0:
            level = vertebra.level.value
            yield _("{level}-{front} and {level}-{back}").format(level=level, front=front.value, back=back.value)


def _problem(spine: Spine, image: str) -> Optional[str]:
    try:
        check(spine, image)
    except AnnotationError as error:
        return f"{error.problem[0].upper()}{error.problem[1:]}."
    return None
