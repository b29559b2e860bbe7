"""What follows from the landmarks of a session: the reading that is shown, exported and submitted."""

from __future__ import annotations

from dataclasses import replace

from vertenet.assess import assess, landmark_warnings
from vertenet.measure.matching import named_alike, pixel_size
from vertenet.radiograph import Radiograph
from vertenet.reading import Levels, Reading
from vertenet.spine import Spine

from .work import Work


def assess_work(radiograph: Radiograph, spine: Spine, work: Work, reader: str) -> Reading:
    """The reading of a reader's work: measured anew from the landmarks as they are now.

    The identity of the model, its judgement of the image and its warnings are kept, less those that spoke of landmarks.
    While the vertebrae carry the names that the model gave them, its doubt of the levels stands; once the reader has
    confirmed them, or named any of them differently, the naming is the reader's.
    """
    proposal = None if work.proposal is None else work.proposal.reading
    scored = None if work.aac.is_empty else work.aac
    if proposal is None:
        made = assess(radiograph, spine)
        return replace(made, aac=scored, reader=reader, notes=work.notes)
    models_own = not work.levels_checked and named_alike(spine, proposal.spine, pixel_size(radiograph.spacing))
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
    return replace(made, aac=scored, reader=reader, notes=work.notes)
