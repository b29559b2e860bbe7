"""What was found, in one wording for the picture and the panels."""

from __future__ import annotations

from typing import Optional

from vertenet.measure import CropResult, CropState
from vertenet.measure.morphometry import VertebraMorphometry
from vertenet.radiograph import Spacing

from .i18n import _


def crop_sentence(crop: CropResult, spacing: Optional[Spacing]) -> str:
    """Whether the aorta is in the image; where it is not, where, why and how much is lost.

    Millimetres stand there with the source of ``spacing``.
    """
    if crop.state is CropState.CLEAR:
        return _("The aortic corridor from L1 to L4 is inside the image.")
    if crop.state is CropState.NOT_ASSESSED:
        return _("Crop could not be assessed: {reason}.").format(reason=crop.reason.rstrip("."))
    text = _("Aorta cropped at {segments}").format(segments=", ".join(crop.segments))
    causes = {"border": _("the edge of the image"), "blanked": _("a blanked region")}
    if crop.causes:
        text += _(" by {causes}").format(causes=_(" and ").join(causes[cause] for cause in crop.causes))
    if crop.fraction is not None:
        text += _(", {share} of the corridor lost").format(share=_share(crop.fraction))
    if crop.extent_mm is not None:
        source = "" if spacing is None else f" ({spacing.source})"
        text += _(", along {length:.0f} mm{source} of its front edge").format(length=crop.extent_mm, source=source)
    elif crop.extent_px is not None:
        text += _(", along {length:.0f} pixels of its front edge").format(length=crop.extent_px)
    if crop.reason:
        return _("{found}. Not assessed elsewhere: {reason}.").format(found=text, reason=crop.reason.rstrip("."))
    return f"{text}."


def _share(fraction: float) -> str:
    return _("less than 1 %") if fraction < 0.01 else _("{percent:.0f} %").format(percent=100 * fraction)


def levels_not_assessed() -> str:
    """The levels that nobody looked at: fractures there stay unseen."""
    return _("T4 to T11 were not assessed.")


def genant_words(vertebra: VertebraMorphometry) -> str:
    """The suggested grade of a vertebra, what of it could not be judged, or why there is none."""
    genant = vertebra.genant
    if genant is None:
        return _("not evaluable, {reason}").format(reason=vertebra.reason)
    kinds = {"wedge": _("wedge"), "biconcave": _("biconcave"), "crush": _("crush")}
    unjudged = ", ".join(kinds[deformity.value] for deformity in genant.unjudged)
    if genant.deformity is not None:
        least = _("at least ") if unjudged else ""
        found = _("{least}Genant grade {grade} ({kind}) suggested").format(
            least=least, grade=genant.grade, kind=kinds[genant.deformity.value]
        )
    else:
        found = _("no deformity found")
    return _("{found}; not judged: {kinds}").format(found=found, kinds=unjudged) if unjudged else found
