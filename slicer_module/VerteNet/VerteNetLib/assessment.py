"""What follows from the landmarks of a session: the reading that is shown, exported and submitted."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

import numpy as np

from vertenet.assess import assess, landmark_warnings
from vertenet.radiograph import Radiograph
from vertenet.reading import Levels, Reading
from vertenet.spine import Spine

from .trust import as_far_as_trusted
from .work import Work

#: A vertebra whose centre lies nearer than this share of its height to where the model saw it is the same one.
_SAME = 0.5


def assess_work(radiograph: Radiograph, spine: Spine, work: Work, reader: str) -> Reading:
    """The reading of a reader's work: measured anew from the landmarks as they are now.

    The identity of the model, its judgement of the image and its warnings are kept, less those that spoke of landmarks.
    While the vertebrae carry the names that the model gave them, its doubt of the levels stands; once the reader has
    confirmed them, or named any of them differently, the naming is the reader's. What contradicts itself is not
    measured (`trust`).
    """
    proposal = None if work.proposal is None else work.proposal.reading
    scored = None if work.aac.is_empty else work.aac
    if proposal is None:
        made = as_far_as_trusted(assess(radiograph, spine), radiograph)
        return replace(made, aac=scored, reader=reader, notes=work.notes)
    models_own = not work.levels_checked and named_alike(spine, proposal.spine)
    about_landmarks = landmark_warnings(radiograph, proposal.spine)
    made = assess(
        radiograph,
        spine,
        levels=proposal.levels if models_own else Levels(certain=True),
        model=proposal.model,
        warnings=[warning for warning in proposal.warnings if warning not in about_landmarks],
        latency_s=proposal.latency_s,
        anterior_source=proposal.image.anterior_source if spine.anterior == proposal.spine.anterior else "given",
        quality=proposal.quality,
        radius_scale=proposal.radius_scale,
    )
    made = as_far_as_trusted(made, radiograph)
    return replace(made, aac=scored, reader=reader, notes=work.notes)


def named_alike(spine: Spine, other: Optional[Spine]) -> bool:
    """Whether every vertebra that both have is the same one in both."""
    if other is None:
        return False
    for vertebra in spine:
        if vertebra.level not in other or not (vertebra.is_complete and other[vertebra.level].is_complete):
            continue
        there = other[vertebra.level]
        height = np.ptp(there.to_array()[:, 1])
        if np.linalg.norm(vertebra.centre - there.centre) > _SAME * height:
            return False
    return True
