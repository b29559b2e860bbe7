"""What was found, in one wording for the picture and the panels."""

from __future__ import annotations

from typing import Optional

from vertenet.measure import CropResult
from vertenet.measure import crop_sentence as crop_finding
from vertenet.measure.aac import UNREADABLE, Aac24, Grade
from vertenet.measure.morphometry import VertebraMorphometry
from vertenet.radiograph import Spacing

from .i18n import _


def crop_sentence(crop: CropResult, spacing: Optional[Spacing]) -> str:
    """The library's sentence on the crop, with its full stop."""
    return f"{crop_finding(crop, spacing)}."


def grade_words(grade: Grade) -> str:
    """Of one wall: a number, or that there is none."""
    if grade is None:
        return _("not scored")
    return _("unreadable") if grade == UNREADABLE else str(grade)


def total_words(score: Aac24) -> str:
    """The sum, or the least and the most that it can be."""
    least, most = score.bounds
    return str(score.total) if score.total is not None else f"{least}–{most}"


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
