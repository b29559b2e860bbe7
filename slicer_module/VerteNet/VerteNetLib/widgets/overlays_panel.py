"""What is drawn from the landmarks, and the magnifier."""

from __future__ import annotations

from ..interfaces import Stage
from ..session import Session
from ..states import Action, Situation
from . import forms
from .controls import Controls, Tell


class OverlaysPanel:
    """A switch for each kind of overlay."""

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
        magnify = self.ui.magnifyButton
        self.controls.button(magnify, Action.ADJUST_VIEW, lambda: stage.view.magnify(magnify.checked), key="Z")

    def refresh(self, situation: Situation) -> None:
        for kind, (box, _key) in self.boxes.items():
            if box.checked != self._stage.overlays.is_visible(kind):
                box.checked = self._stage.overlays.is_visible(kind)
        self.ui.magnifyButton.checked = self._stage.view.is_magnified()
        self.controls.refresh(situation)
