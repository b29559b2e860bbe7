"""What a reader should be asked: grades that are missing, and grades of what the crop says is not in the image."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

from vertenet.measure import CROP_WORDS, CropResult, CropState
from vertenet.measure.aac import CELLS, UNREADABLE, Aac24, Grade, Wall
from vertenet.spine import Level

from .i18n import _

_MAY_BE = CROP_WORDS[CropState.CROPPED]


def about_grade(level: str, wall: str, grade: Grade, crop: Optional[CropResult]) -> str:
    """What is said of a grade that was just given; empty where nothing is odd about it."""
    if grade in (None, UNREADABLE) or crop is None or level not in crop.segments:
        return ""
    text = _("The aorta {crop} at {level}, and its {wall} is graded {grade}: U if it cannot be seen.")
    return text.format(crop=_MAY_BE, level=level, wall=_walls()[Wall(wall)], grade=grade)


def before_sending(score: Aac24, crop: Optional[CropResult], levels_open: bool) -> tuple[str, ...]:
    """Sentences on what is open or contradicts the crop; none where the label can go without a question."""
    found = [_("The levels are uncertain, and were not confirmed.")] if levels_open else []
    if score.is_empty:
        found.append(_("AAC-24 is not scored."))
    elif score.unscored:
        found.append(_("AAC-24 is incomplete: {cells} not scored.").format(cells=cell_names(score.unscored)))
    cropped = () if crop is None else crop.segments
    graded = {level for level, wall in CELLS if score.grade(level, wall) not in (None, UNREADABLE)}
    segments = [segment for segment in cropped if segment in graded]
    if segments:
        text = _("The aorta {crop} at {segments}, which is graded all the same.")
        found.append(text.format(crop=_MAY_BE, segments=", ".join(segments)))
    return tuple(found)


def cell_names(cells: Iterable[tuple[Level, Wall]]) -> str:
    return ", ".join(_("{level} {wall}").format(level=level, wall=_walls()[wall]) for level, wall in cells)


def _walls() -> dict[Wall, str]:
    return {Wall.ANTERIOR: _("anterior wall"), Wall.POSTERIOR: _("posterior wall")}
