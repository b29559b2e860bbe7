"""Heights of the vertebrae, and what they suggest."""

from __future__ import annotations

from vertenet.measure.consistency import morphometry_of

from ..i18n import _
from ..interfaces import Stage
from ..session import Session
from ..states import Situation
from . import forms
from .controls import Controls, Tell
from .morphometry_table import MorphometryTable, summary


class MeasuresPanel:
    """Morphometry; it only shows."""

    def __init__(self, session: Session, stage: Stage, tell: Tell) -> None:
        self._stage = stage
        self._measured: tuple = ()
        self.root, self.ui = forms.load("MeasuresPanel")
        self.controls = Controls(session, tell)
        self.morphometry = MorphometryTable(self.ui.morphometryTable)

    def refresh(self, situation: Situation) -> None:
        spine, image = self._stage.landmarks.spine(), self._stage.image
        spacing = None if image is None else image.spacing
        if (spine, spacing) == self._measured:
            return
        self._measured = (spine, spacing)
        known = spine is not None and image is not None
        self.ui.morphometryTable.visible = known
        unit = _("mm") if spacing is not None else _("pixels")
        self.ui.morphometryTitle.text = _("Heights of the vertebrae, {unit}").format(unit=unit)
        if known:
            found = morphometry_of(spine, spacing, self._stage.landmarks.doubts())
            self.morphometry.show(found)
            self.ui.morphometryLabel.text = summary(found)
        else:
            self.ui.morphometryLabel.text = _("Heights are shown when there are landmarks.")
