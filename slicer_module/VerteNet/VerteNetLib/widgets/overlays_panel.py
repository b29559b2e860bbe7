"""What is drawn from the landmarks, and whether the aorta is in the image."""

from __future__ import annotations

from typing import Optional

from vertenet.measure import CropResult, CropState

from ..i18n import _
from ..interfaces import Stage
from ..session import Session
from ..states import Action, Situation
from . import forms
from .controls import Controls, Tell


class OverlaysPanel:
    """A switch for each kind of overlay; the crop in words."""

    def __init__(self, session: Session, stage: Stage, tell: Tell) -> None:
        self._stage = stage
        self.root, self.ui = forms.load("OverlaysPanel")
        self.controls = Controls(session, tell)
        self.boxes = {
            "guides": (self.ui.guidesBox, "G"),
            "bands": (self.ui.bandsBox, "B"),
            "corridor": (self.ui.corridorBox, "C"),
            "crop": (self.ui.cropBox, "W"),
            "labels": (self.ui.labelsBox, "T"),
        }
        for kind, (box, key) in self.boxes.items():
            self.controls.field(box, Action.ADJUST_VIEW, key=key)
            # Not "clicked": the choice that is saved with a scene arrives without one, from its parameter node.
            box.connect("toggled(bool)", lambda shown, kind=kind: self._stage.overlays.set_visible(kind, shown))

    def refresh(self, situation: Situation) -> None:
        crop = self._stage.overlays.crop() if self._stage.landmarks.spine() is not None else None
        label = self.ui.cropLabel
        label.visible = crop is not None
        if crop is not None:
            label.text = crop_sentence(crop)
            ink, paper = {
                CropState.CLEAR: ("#0d4f1f", "#d9f2df"),
                CropState.CROPPED: ("#7a0c0c", "#fbdcdc"),
                CropState.NOT_ASSESSED: ("#5c3a00", "#ffe9b8"),
            }[crop.state]
            look = f"color: {ink}; background: {paper}; padding: 4px; border-radius: 4px;"
            if label.styleSheet != look:  # a style is costly to set, and a drag refreshes often
                label.styleSheet = look
        self.controls.refresh(situation)


def crop_sentence(crop: CropResult) -> str:
    """Whether the aorta is in the image; where it is not, where and how much is lost."""
    if crop.state is CropState.CLEAR:
        return _("✔ The aortic corridor from L1 to L4 is inside the image.")
    if crop.state is CropState.NOT_ASSESSED:
        return _("⚠ Crop could not be assessed: {reason}.").format(reason=crop.reason.rstrip("."))
    parts = [_("✖ The aorta may be cropped at {segments}").format(segments=", ".join(crop.segments))]
    if crop.fraction is not None:
        parts.append(_("{percent:.0f} % of the corridor is lost").format(percent=100 * crop.fraction))
    length = _length(crop)
    if length is not None:
        parts.append(_("along {length} of its front edge").format(length=length))
    text = ", ".join(parts) + "."
    return f"{text} {crop.reason}" if crop.reason else text


def _length(crop: CropResult) -> Optional[str]:
    if crop.extent_mm is not None:
        return _("{length:.0f} mm").format(length=crop.extent_mm)
    return None if crop.extent_px is None else _("{length:.0f} pixels").format(length=crop.extent_px)
