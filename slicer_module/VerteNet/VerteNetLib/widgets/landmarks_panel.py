"""The 24 points: placed by the model or by hand, corrected."""

from __future__ import annotations

from vertenet.spine import CORNERS, Spine, Status

from ..i18n import _
from ..interfaces import Stage
from ..session import Session
from ..states import Action, Situation
from ..words import points_with_position
from . import dialogs, forms
from .controls import Controls, Tell

POINT, VERTEBRA = "point", "vertebra"


class LandmarksPanel:
    """Auto-landmark, and what is done to single points."""

    def __init__(self, session: Session, stage: Stage, tell: Tell) -> None:
        self._session, self._stage = session, stage
        self.root, self.ui = forms.load("LandmarksPanel")
        self.controls = Controls(session, tell)
        ui, button, points = self.ui, self.controls.button, stage.landmarks
        ui.faultsLabel.setStyleSheet("color: #7a0c0c; background: #fbdcdc; padding: 4px; border-radius: 4px;")
        forms.fill(
            ui.anteriorCombo,
            {
                "file": _("as in the file"),
                "auto": _("detected"),
                "left": _("left"),
                "right": _("right"),
            },
        )
        forms.fill(ui.scopeCombo, {POINT: _("the selected point"), VERTEBRA: _("its whole vertebra")})
        button(ui.autoLandmarkButton, Action.AUTO_LANDMARK, self._auto_landmark, key="A")
        button(ui.byHandButton, Action.START_BY_HAND, self._by_hand)
        button(ui.placeButton, Action.EDIT, self._place, key="P", obstacle=self._locked)
        button(ui.nextMissingButton, Action.EDIT, self._place_next, key="N", obstacle=self._nothing_to_place)
        for widget, status, key in (
            (ui.missingButton, Status.MISSING, "M"),
            (ui.outsideButton, Status.OUTSIDE, "O"),
            (ui.unevaluableButton, Status.UNEVALUABLE, "E"),
        ):
            button(widget, Action.EDIT, lambda status=status: self._mark(status), key=key, obstacle=self._none_selected)
        button(ui.undoButton, Action.UNDO, session.undo, key="Ctrl+Z", obstacle=self._no_undo)
        button(ui.redoButton, Action.UNDO, session.redo, key="Ctrl+Y", obstacle=self._no_redo)
        button(ui.lockButton, Action.EDIT, lambda: points.set_locked(ui.lockButton.checked), key="L")
        self.controls.field(ui.anteriorCombo, Action.SCORE)
        self.controls.field(ui.scopeCombo, Action.EDIT)
        self.controls.field(ui.pointCombo, Action.EDIT)
        ui.pointCombo.connect("activated(int)", lambda _place: self.controls.attempt(self._select))

    @property
    def anterior(self) -> str:
        """Which side the front of the body is said to be on, for the model."""
        return self.ui.anteriorCombo.currentData

    def refresh(self, situation: Situation) -> None:
        ui, points, spine = self.ui, self._stage.landmarks, self._stage.landmarks.spine()
        faults = points.faults() if spine is not None else ()
        ui.faultsLabel.visible = bool(faults)
        ui.faultsLabel.text = "\n".join(f"⚠ {fault}" for fault in faults)
        ui.pointsLabel.text = _points_text(spine)
        ui.lockButton.checked = points.is_locked()
        ui.lockButton.text = _("Unlock") if points.is_locked() else _("Lock")
        if spine is not None:
            forms.fill(ui.pointCombo, _point_entries(spine))
            forms.choose(ui.pointCombo, points.selected())
        self.controls.refresh(situation)

    def _auto_landmark(self) -> None:
        spine = self._stage.landmarks.spine()
        if spine is not None and not dialogs.confirm(
            self.root,
            _("The model's landmarks replace those in the image; Undo brings yours back. Go on?"),
            _("Replace"),
        ):
            return
        self._session.auto_landmark(self.ui.anteriorCombo.currentData)

    def _by_hand(self) -> None:
        side = self.ui.anteriorCombo.currentData
        if side not in ("left", "right"):
            side = dialogs.ask_side(self.root)
        if side is not None:
            self._session.start_by_hand(side)

    def _select(self) -> None:
        name = self.ui.pointCombo.currentData
        self._stage.landmarks.select(name)
        if self._position_of(name):
            self._stage.view.jump_to(name)
        self.refresh(self._session.situation)

    def _position_of(self, name: str) -> bool:
        return any(corner.is_present for point, corner in self._stage.landmarks.spine().named_points() if point == name)

    def _place(self) -> None:
        self._stage.landmarks.place(self.ui.pointCombo.currentData)

    def _place_next(self) -> None:
        self._stage.landmarks.place_next_missing()

    def _mark(self, status: Status) -> None:
        selected = self._stage.landmarks.selected()
        level = selected.partition("-")[0]
        whole = self.ui.scopeCombo.currentData == VERTEBRA
        names = [f"{level}-{corner}" for corner in CORNERS] if whole else [selected]
        self._stage.landmarks.mark(names, status)

    def _locked(self) -> str:
        return _("The points are locked: press Unlock first.") if self._stage.landmarks.is_locked() else ""

    def _nothing_to_place(self) -> str:
        spine = self._stage.landmarks.spine()
        complete = spine is not None and all(vertebra.is_complete for vertebra in spine)
        return self._locked() or (_("Every point has a position.") if complete else "")

    def _none_selected(self) -> str:
        nobody = self._stage.landmarks.selected() is None
        return self._locked() or (_("Click the point in the image first.") if nobody else "")

    def _no_undo(self) -> str:
        return "" if self._session.can_undo else _("There is nothing to take back.")

    def _no_redo(self) -> str:
        return "" if self._session.can_redo else _("There is nothing to make again.")


def _points_text(spine: Spine | None) -> str:
    if spine is None:
        return _("No landmarks yet.")
    return _("{points} have a position.").format(points=points_with_position(spine))


def _point_entries(spine: Spine) -> dict[str, str]:
    """Each point's name, with what is known of it where it has no position."""
    words = {
        Status.PRESENT: "",
        Status.MISSING: _(", missing"),
        Status.OUTSIDE: _(", outside"),
        Status.UNEVALUABLE: _(", unevaluable"),
    }
    return {name: name + words[corner.status] for name, corner in spine.named_points()}
