"""VerteNet in 3D Slicer: landmarks, guides, crop warning and AAC-24 on lateral spine images. Research use only."""

from __future__ import annotations

from pathlib import Path

import qt
import slicer
import slicer.util
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

#: How often what came from the background is looked at, ms.
POLL_MS = 30


class VerteNet(ScriptedLoadableModule):
    """What Slicer shows of the module before it is opened; nothing heavy is imported until then."""

    def __init__(self, parent) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("VerteNet spine landmarks")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Active Learning")]
        parent.dependencies = []
        parent.contributors = ["VerteNet maintainers"]
        parent.helpText = _(
            "Finds the corners of the vertebrae T12 to L5 on lateral spine DXA images with the help of a label server, "
            "draws guides for AAC-24 scoring, and warns where the aorta is cropped. The sections are in the order of "
            "the work: connect, load an image, press Auto-landmark, correct, score, submit.<br><br>"
            "<b>For research use only, not for diagnosis.</b> "
            "The shipped model was trained on synthetic images only."
        )
        parent.acknowledgementText = _(
            "After VerteNet (Ilyas et al.). AAC-24 after Kauppila et al. 1997, "
            "grades of vertebrae after Genant et al. 1993."
        )


class VerteNetLogic(ScriptedLoadableModuleLogic):
    """Keeps the parameter node; the work is done by ``VerteNetLib.session.Session``."""

    def getParameterNode(self):
        from VerteNetLib.parameter_node import ModuleParameters

        return ModuleParameters(super().getParameterNode())


class VerteNetWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """Joins session, stage and panels, and follows the application."""

    def __init__(self, parent=None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.panel = None
        self.session = None
        self.stage = None
        self._parameters = None
        self._connected = None

    def setup(self) -> None:
        ScriptedLoadableModuleWidget.setup(self)
        from VerteNetLib.core import put_core_on_path

        put_core_on_path()
        from VerteNetLib.jobs import Jobs
        from VerteNetLib.widgets.module_panel import ModulePanel
        from VerteNetLib.widgets.settings import UserSettings
        from VerteNetLib.widgets.shortcuts import Shortcuts

        self.logic = VerteNetLogic()
        settings, self.jobs = UserSettings(), Jobs()
        self.stage = self.make_stage()
        self.session = self.make_session(settings)
        self.panel = ModulePanel(self.session, self.stage, self.jobs, settings, slicer.mrmlScene)
        self.layout.addWidget(self.panel.root)
        self.shortcuts = Shortcuts(slicer.util.mainWindow(), self.panel.controls)
        for event, follow in (
            (slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose),
            (slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose),
            (slicer.mrmlScene.EndImportEvent, self.onSceneEndImport),
        ):
            self.addObserver(slicer.mrmlScene, event, follow)
        self._follow_parameters()
        # It runs on while another module is shown: what is on its way shall arrive.
        self.timer = qt.QTimer()
        self.timer.setInterval(POLL_MS)
        self.timer.connect("timeout()", self.panel.tick)
        self.timer.start()

    def make_stage(self):
        """The scene as the session sees it, shown in the application's red slice view."""
        from VerteNetLib.mrml.stage import SlicerStage

        return SlicerStage.in_application()

    def make_session(self, settings):
        """The session; drafts and labels that wait lie beside the user's settings."""
        from VerteNetLib.session import Session

        folder = Path(slicer.app.slicerUserSettingsFilePath).parent / "VerteNet"
        return Session(self.stage, settings, self.jobs, folder)

    def enter(self) -> None:
        self.shortcuts.install()
        self._follow_parameters()
        self.panel.refresh()

    def exit(self) -> None:
        self.shortcuts.remove()

    def cleanup(self) -> None:
        self.timer.stop()
        self.shortcuts.remove()
        self.removeObservers()
        self._let_go_of_parameters()
        self.panel.close()
        self.session.close()
        self.stage.close()

    def onSceneStartClose(self, caller, event) -> None:
        """The user closes the scene; the work on the image is kept as a draft."""
        self._let_go_of_parameters()
        self.session.put_away()

    def onSceneEndClose(self, caller, event) -> None:
        self._follow_parameters()
        self.panel.refresh()

    def onSceneEndImport(self, caller, event) -> None:
        """A scene was loaded: its choices are shown; its image is taken up when the user says so."""
        self._follow_parameters()
        self.panel.refresh()

    def _follow_parameters(self) -> None:
        if self._connected is None:
            self._parameters = self.logic.getParameterNode()
            # What connectGui does, for the panels of several .ui files; it also answers with the tag to disconnect by.
            self._connected = self._parameters.connectParametersToGui(self.panel.parameters)

    def _let_go_of_parameters(self) -> None:
        if self._connected is not None:
            self._parameters.disconnectGui(self._connected)
            self._parameters = self._connected = None
