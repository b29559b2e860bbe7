"""The crop warning in words: where the aorta is lost and how much of it."""

from __future__ import annotations

import textwrap
from typing import Optional

from vertenet.measure import CropResult, CropState
from vertenet.radiograph import Spacing
from vertenet.spine import Transition

from ..i18n import _

#: Characters of a line of the label in the picture: the first that finds room.
_LINES = (34, 22, 60, 14)


def crop_sentence(crop: CropResult, spacing: Optional[Spacing]) -> str:
    """A sentence or two for the panel and the picture; empty where nothing is lost."""
    if crop.state is CropState.NOT_ASSESSED:
        return _("CROP COULD NOT BE ASSESSED: {reason}.").format(reason=crop.reason)
    if crop.state is CropState.CLEAR:
        return ""
    causes = {"border": _("the edge of the image"), "blanked": _("a blanked region")}
    text = _("AORTA CROPPED at {segments} by {causes}.").format(
        segments=", ".join(crop.segments), causes=_(" and ").join(causes[cause] for cause in crop.causes)
    )
    if crop.fraction is not None:
        text += " " + _("{share:.0%} of the corridor lost, {length} along it.").format(
            share=crop.fraction, length=_length(crop, spacing)
        )
    if crop.reason:
        text += " " + _("Not assessed elsewhere: {reason}.").format(reason=crop.reason)
    return text


def in_lines(sentence: str) -> tuple[str, ...]:
    """Broken into lines for the picture in several ways, the best first; none where nothing is to be said."""
    return tuple("\n".join(textwrap.wrap(sentence, width)) for width in _LINES) if sentence else ()


def transition_words(transition: Transition) -> str:
    """What stands below L5; empty where nothing is known to be unusual."""
    return {
        Transition.SACRALISED_L5: _("L5 sacralised"),
        Transition.LUMBARISED_S1: _("S1 lumbarised"),
    }.get(transition, "")


def _length(crop: CropResult, spacing: Optional[Spacing]) -> str:
    if crop.extent_mm is None or spacing is None:
        return _("{length:.0f} px").format(length=crop.extent_px)
    return _("{length:.0f} mm ({source})").format(length=crop.extent_mm, source=spacing.source)
