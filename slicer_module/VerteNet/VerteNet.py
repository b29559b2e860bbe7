"""VerteNet in 3D Slicer: landmarks, guides, crop warning and AAC-24 on lateral spine images. Research use only."""

from __future__ import annotations

import importlib
import sys
from contextlib import ExitStack
from pathlib import Path

import qt
import slicer
import slicer.util
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
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
        parent.dependencies = ["Markups"]
        parent.contributors = ["VerteNet maintainers"]
        parent.helpText = _(
            "Finds the corners of the vertebrae T12 to L5 on lateral spine DXA images with the help of a label server, "
            "draws guides for AAC-24 scoring, and warns where the aorta may be cropped. Connect on the tab Set up; "
            "then, on the tab Read: PgDown brings an image, Y confirms its levels, eight digits grade it, Ctrl+Return "
            "submits it and brings the next one.<br><br>"
            "<b>For research use only, not for diagnosis.</b> "
            "The shipped model was trained on synthetic images only."
        )
        parent.acknowledgementText = _(
            "After VerteNet (Maqsood et al., arXiv:2502.02097). AAC-24 after Kauppila et al. 1997, "
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
        # First, since without a parent the base class calls setup by itself.
        VTKObservationMixin.__init__(self)
        self.logic = self.panel = self.session = self.stage = None
        self._parameters = self._connected = None
        #: What is to be ended, in reverse order; also where only a part of it could begin.
        self._open = ExitStack()
        ScriptedLoadableModuleWidget.__init__(self, parent)

    def setup(self) -> None:
        ScriptedLoadableModuleWidget.setup(self)
        with slicer.util.tryWithErrorDisplay(_("VerteNet could not be opened.")):
            self._begin()
        if getattr(self.parent, "isEntered", False):  # the module was reloaded while it was shown
            self.enter()

    def _begin(self) -> None:
        from VerteNetLib.core import put_core_on_path

        put_core_on_path()
        from VerteNetLib.jobs import Jobs
        from VerteNetLib.widgets.module_panel import ModulePanel
        from VerteNetLib.widgets.settings import UserSettings
        from VerteNetLib.widgets.shortcuts import Shortcuts

        self.logic = VerteNetLogic()
        settings, self.jobs = UserSettings(), Jobs()
        self.stage = self.make_stage()
        self._open.callback(self.stage.close)
        self.session = self.make_session(settings)
        self._open.callback(self.session.close)
        panel = ModulePanel(self.session, self.stage, self.jobs, settings, slicer.mrmlScene)
        self._open.callback(panel.close)
        self.layout.addWidget(panel.root)
        self.shortcuts = Shortcuts(slicer.util.mainWindow(), panel.controls)
        self._open.callback(self.shortcuts.remove)
        self._open.callback(self.removeObservers)
        for event, follow in (
            (slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose),
            (slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose),
            (slicer.mrmlScene.EndImportEvent, self.onSceneEndImport),
        ):
            self.addObserver(slicer.mrmlScene, event, follow)
        self.panel = panel
        self._open.callback(self._let_go_of_parameters)
        self._follow_parameters()
        # It runs on while another module is shown: what is on its way shall arrive.
        self.timer = qt.QTimer()
        self.timer.setInterval(POLL_MS)
        self.timer.connect("timeout()", panel.tick)
        self._open.callback(self.timer.stop)
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
        if self.panel is not None:
            self.shortcuts.install()
            self._follow_parameters()
            self.panel.refresh()

    def exit(self) -> None:
        if self.panel is not None:
            self.shortcuts.remove()
            self.stage.landmarks.cancel_placing()  # another module's mouse shall place no point of ours

    def cleanup(self) -> None:
        self._open.close()

    def onReload(self) -> None:
        """For developers: the package is read anew too, not this file alone."""
        for name in [name for name in sys.modules if name.partition(".")[0] == "VerteNetLib"]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

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


class VerteNetTest(ScriptedLoadableModuleTest):
    """What "Reload and Test" and Slicer's self tests run: nothing was left out of the package. Scenes stay as they are.

    What needs a scene is in ``Testing/Python``.
    """

    def runTest(self, **_options) -> None:
        from VerteNetLib.core import put_core_on_path

        put_core_on_path()
        for name in ("session", "mrml.stage", "widgets.module_panel"):
            importlib.import_module(f"VerteNetLib.{name}")
        from vertenet.reading import reading_schema

        assert "properties" in reading_schema()
