"""Words in the picture."""

from __future__ import annotations

import textwrap
from typing import Optional

from vertenet.measure import CropResult, CropState
from vertenet.radiograph import Spacing
from vertenet.spine import Transition

from ..findings import crop_sentence
from ..i18n import _

#: Characters of a line of the label in the picture: the first that finds room.
_LINES = (34, 22, 60, 14)


def crop_warning(crop: CropResult, spacing: Optional[Spacing]) -> str:
    """What the picture says of the crop; empty where nothing is lost."""
    return "" if crop.state is CropState.CLEAR else crop_sentence(crop, spacing)


def in_lines(sentence: str) -> tuple[str, ...]:
    """Broken into lines for the picture in several ways, the best first; none where nothing is to be said."""
    return tuple("\n".join(textwrap.wrap(sentence, width)) for width in _LINES) if sentence else ()


def transition_words(transition: Transition) -> str:
    """What stands below L5; empty where nothing is known to be unusual."""
    return {
        Transition.SACRALISED_L5: _("L5 sacralised"),
        Transition.LUMBARISED_S1: _("S1 lumbarised"),
    }.get(transition, "")
