"""All panels: what every image needs on one tab, the rest on another; and the clock that keeps them up to date."""

from __future__ import annotations

import time
from typing import Any

import qt

from ..i18n import _
from ..interfaces import Settings, Stage
from ..jobs import Jobs
from ..session import Session, Wish
from . import forms
from .connection_panel import ConnectionPanel
from .controls import Controls
from .habits_panel import HabitsPanel
from .image_panel import ImagePanel
from .landmarks_panel import LandmarksPanel
from .levels_panel import LevelsPanel
from .measures_panel import MeasuresPanel
from .message_bar import MessageBar
from .notes_panel import NotesPanel
from .overlays_panel import OverlaysPanel
from .reading_panel import ReadingPanel
from .second_panel import SecondPanel
from .session_panel import SessionPanel
from .training_panel import TrainingPanel

#: Panels are shown anew at most this often; while a point is dragged, the time belongs to the image.
REFRESH_S = 0.1
#: The time that an image takes is shown in seconds.
CLOCK_S = 1.0
READ, SET_UP = 0, 1


class ModulePanel:
    """The module's widget.

    Parameters
    ----------
    session, stage, jobs, settings
        What the panels work with.
    scene : vtkMRMLScene
        For the selector of volumes.
    """

    def __init__(self, session: Session, stage: Stage, jobs: Jobs, settings: Settings, scene: Any) -> None:
        self._session, self._jobs = session, jobs
        self._stale, self._shown_at, self._clock_at, self._was_online = True, 0.0, 0.0, False
        self._turn = 0
        self.root, self.ui = forms.load("VerteNet")
        self.root.setMRMLScene(scene)
        self.bar = MessageBar(self.ui, session)
        tell = self.bar.show
        self.connection = ConnectionPanel(session, settings, tell)
        self.image = ImagePanel(session, stage, settings, scene, tell)
        self.landmarks = LandmarksPanel(session, stage, tell)
        self.overlays = OverlaysPanel(session, stage, tell)
        self.reading = ReadingPanel(session, stage, settings, tell)
        self.levels = LevelsPanel(session, stage, self.reading.begin, tell)
        self.measures = MeasuresPanel(session, stage, tell)
        self.notes = NotesPanel(session, settings, tell)
        self.habits = HabitsPanel(session, settings, tell)
        self.second = SecondPanel(session, self.ui.secondSection, tell)
        self.session = SessionPanel(session, settings, self.wish, tell)
        self.training = TrainingPanel(session, tell)
        sections = {
            self.ui.readingSection: self.reading,
            self.ui.levelsSection: self.levels,
            self.ui.sessionSection: self.session,
            self.ui.landmarksSection: self.landmarks,
            self.ui.overlaysSection: self.overlays,
            self.ui.measuresSection: self.measures,
            self.ui.notesSection: self.notes,
            self.ui.secondSection: self.second,
            self.ui.connectionSection: self.connection,
            self.ui.imageSection: self.image,
            self.ui.habitsSection: self.habits,
            self.ui.trainingSection: self.training,
        }
        for section, panel in sections.items():
            section.layout().addWidget(panel.root)
        self._panels = (self.bar, *sections.values())
        self.tabs = qt.QTabBar()
        for title in (_("Read"), _("Set up")):
            self.tabs.addTab(title)
        self.ui.tabs.layout().addWidget(self.tabs)
        self.tabs.connect("currentChanged(int)", self.show_tab)
        self.tabs.setCurrentIndex(SET_UP)  # until there is something to read
        follow = (session.subscribe, stage.landmarks.subscribe, stage.overlays.subscribe)
        self._unsubscribe = [subscribe(self._mark_stale) for subscribe in follow]
        self.refresh()

    @property
    def parameters(self) -> dict[str, Any]:
        """Widgets that show what is saved with the scene, by the name of their parameter."""
        widgets = [widget for panel in (self.image, self.overlays) for widget in vars(panel.ui).values()]
        named = {widget.property("SlicerParameterName"): widget for widget in widgets}
        return {name: widget for name, widget in named.items() if name}

    def show_tab(self, place: int) -> None:
        """Only what is shown takes room, so the pages are hidden rather than stacked."""
        self.tabs.setCurrentIndex(place)
        self.ui.readPage.visible = place == READ
        self.ui.setupPage.visible = place == SET_UP

    def wish(self) -> Wish:
        """How the next image is asked for."""
        return Wish(self.image.strategy, self.landmarks.anterior, second=self.habits.second)

    @property
    def controls(self) -> tuple[Controls, ...]:
        """Of every panel, for shortcuts."""
        return tuple(panel.controls for panel in self._panels)

    def tick(self) -> None:
        """To be called by a timer: deliver what came from the background, then show it."""
        self._jobs.poll()
        now = time.monotonic()
        if self._stale and now - self._shown_at >= REFRESH_S:
            self.refresh()
        elif now - self._clock_at >= CLOCK_S:
            self._clock_at = now
            self.session.show_time()

    def refresh(self) -> None:
        """Show everything as it is now."""
        self._stale = False
        self.ui.identityLabel.text = identity_sentence(self._session)
        situation = self._session.situation
        for panel in self._panels:
            panel.refresh(situation)
        if self._session.turn != self._turn:  # an image came
            self._turn = self._session.turn
            self.show_tab(READ)
        online = situation.online
        if online != self._was_online:  # what is settled makes room; a lost connection shows itself
            self.ui.connectionSection.collapsed = online
            self._was_online = online
        self._shown_at = time.monotonic()

    def close(self) -> None:
        """Follow the session and the stage no longer."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe = []
        self.image.ui.volumeSelector.setMRMLScene(None)

    def _mark_stale(self) -> None:
        self._stale = True


def identity_sentence(session: Session) -> str:
    """Which model speaks, what it had seen, and what nothing here is for."""
    parts = []
    model = session.proposal.reading.model if session.proposal is not None else None
    if model is not None:
        parts.append(_model(model.name, session.proposal.model_version, model.sha256, model.synthetic_only))
    elif session.info is not None and session.info.sha256:
        info = session.info
        parts.append(_model(info.name, info.model_version, info.sha256, info.synthetic_only))
    else:
        parts.append(_("No model yet."))
    return " ".join([*parts, _("Research use only.")])


def _model(name: str, version: str, sha256: str, synthetic_only: bool) -> str:
    text = _("{name} {version}, SHA-256 {hash}.").format(name=name, version=version, hash=sha256[:12])
    return text + " " + _("Trained on synthetic images only.") if synthetic_only else text
