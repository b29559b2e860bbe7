"""What is drawn from the landmarks, and whether the aorta is in the image."""

from __future__ import annotations

from typing import Optional

from vertenet.measure import CropResult, CropState
from vertenet.radiograph import Spacing

from ..findings import crop_sentence
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
        for kind, (box, _key) in self.boxes.items():
            if box.checked != self._stage.overlays.is_visible(kind):
                box.checked = self._stage.overlays.is_visible(kind)
        crop = self._stage.overlays.crop() if self._stage.landmarks.spine() is not None else None
        label = self.ui.cropLabel
        label.visible = crop is not None
        if crop is not None:
            label.text = crop_line(crop, self._stage.image.spacing)
            ink, paper = {
                CropState.CLEAR: ("#0d4f1f", "#d9f2df"),
                CropState.CROPPED: ("#7a0c0c", "#fbdcdc"),
                CropState.NOT_ASSESSED: ("#5c3a00", "#ffe9b8"),
            }[crop.state]
            look = f"color: {ink}; background: {paper}; padding: 4px; border-radius: 4px;"
            if label.styleSheet != look:  # a style is costly to set, and a drag refreshes often
                label.styleSheet = look
        self.controls.refresh(situation)


def crop_line(crop: CropResult, spacing: Optional[Spacing]) -> str:
    """The finding with a sign, so that it is not told by colour alone."""
    sign = {CropState.CLEAR: "✔", CropState.NOT_ASSESSED: "⚠", CropState.CROPPED: "✖"}[crop.state]
    return f"{sign} {crop_sentence(crop, spacing)}"
