"""Stand-ins for what slicer-core lacks: ctk and qMRML widgets, the application, the bases of scripted modules.

Each does as little as the module needs. How the real ones look and behave is not what tests with them can say.
"""

from __future__ import annotations

import types
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, get_type_hints

import slicer
from PySide6 import QtCore, QtGui, QtWidgets

from .qt_shim import PythonQtObject, UiLoader, qt_module

HEADER_PX = 26


def kept(name: str, kind: Any, default: Any) -> QtCore.Property:
    """A Qt property that does nothing but keep its value, under a private name."""
    return QtCore.Property(
        kind, lambda self: getattr(self, name, default), lambda self, value: setattr(self, name, value)
    )


class ctkCollapsibleButton(PythonQtObject, QtWidgets.QWidget):  # noqa: N801 (Slicer's name)
    """A headline that folds what is below it."""

    contentsCollapsed = QtCore.Signal(bool)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._text, self._collapsed = "", False
        self.setContentsMargins(0, HEADER_PX, 0, 0)

    def _set_text(self, text: str) -> None:
        self._text = text

    def _set_collapsed(self, collapsed: bool) -> None:
        self._collapsed = collapsed
        for child in self.findChildren(QtWidgets.QWidget, options=QtCore.Qt.FindChildOption.FindDirectChildrenOnly):
            child.setVisible(not collapsed)
        self.setMaximumHeight(HEADER_PX if collapsed else 16777215)
        self.contentsCollapsed.emit(collapsed)

    text = QtCore.Property(str, lambda self: self._text, _set_text)
    collapsed = QtCore.Property(bool, lambda self: self._collapsed, _set_collapsed)

    def showEvent(self, _event: QtGui.QShowEvent) -> None:
        """As ctk's: what was put into it while it was folded is not seen."""
        self.collapsed = self._collapsed

    def mousePressEvent(self, event: QtGui.QMouseEvent) -> None:
        if event.position().y() <= HEADER_PX:
            self.collapsed = not self.collapsed

    def paintEvent(self, _event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        palette = QtWidgets.QWidget.palette(self)
        header = QtCore.QRect(0, 0, QtWidgets.QWidget.width(self), HEADER_PX - 2)
        painter.fillRect(header, palette.color(QtGui.QPalette.ColorRole.Button).darker(106))
        arrow = "▸" if self._collapsed else "▾"
        painter.setPen(palette.color(QtGui.QPalette.ColorRole.ButtonText))
        painter.drawText(header.adjusted(8, 0, -8, 0), QtCore.Qt.AlignmentFlag.AlignVCenter, f"{arrow}  {self._text}")
        painter.end()


class qMRMLWidget(PythonQtObject, QtWidgets.QWidget):  # noqa: N801 (Slicer's name)
    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._scene = None

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene

    def mrmlScene(self) -> Any:
        return self._scene


class qMRMLNodeComboBox(PythonQtObject, QtWidgets.QWidget):  # noqa: N801 (Slicer's name)
    """A selector of nodes of the scene, which follows the scene."""

    SIGNALS: ClassVar[dict[str, str]] = {"currentNodeChanged(vtkMRMLNode*)": "currentNodeChanged"}
    currentNodeChanged = QtCore.Signal(object)
    nodeTypes = kept("_node_types", "QStringList", [])
    noneEnabled = kept("_none_enabled", bool, False)
    noneDisplay = kept("_none_display", str, "None")
    addEnabled = kept("_add_enabled", bool, True)
    removeEnabled = kept("_remove_enabled", bool, True)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._scene, self._tags = None, []
        self._box = QtWidgets.QComboBox(self)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box)
        self._box.currentIndexChanged.connect(lambda _index: self._tell())

    def setMRMLScene(self, scene: Any) -> None:
        for tag in self._tags:
            self._scene.RemoveObserver(tag)
        self._scene = scene
        self._tags = []
        if scene is not None:
            events = (scene.NodeAddedEvent, scene.NodeRemovedEvent)
            self._tags = [scene.AddObserver(event, lambda *_arguments: self._fill()) for event in events]
            self._fill()

    def currentNode(self) -> Any:
        node_id = self._box.currentData()
        return self._scene.GetNodeByID(node_id) if self._scene is not None and node_id else None

    currentNodeID = QtCore.Property(str, lambda self: self._box.currentData() or "")

    def setCurrentNode(self, node: Any) -> None:
        self._box.setCurrentIndex(-1 if node is None and not self.noneEnabled else self._place(node))

    def setCurrentNodeID(self, node_id: str) -> None:
        self.setCurrentNode(self._scene.GetNodeByID(node_id))

    def _place(self, node: Any) -> int:
        return 0 if node is None else self._box.findData(node.GetID())

    def _fill(self) -> None:
        current = self._box.currentData()
        self._box.blockSignals(True)
        self._box.clear()
        if self.noneEnabled:
            self._box.addItem(self.noneDisplay, "")
        for kind in self.nodeTypes:
            nodes = self._scene.GetNodesByClass(kind)
            for place in range(nodes.GetNumberOfItems()):
                node = nodes.GetItemAsObject(place)
                self._box.addItem(node.GetName(), node.GetID())
        self._box.setCurrentIndex(max(self._box.findData(current), 0 if self.noneEnabled else -1))
        self._box.blockSignals(False)
        if self._box.currentData() != current:
            self._tell()

    def _tell(self) -> None:
        self.currentNodeChanged.emit(self.currentNode())


@lru_cache(maxsize=1)
def ctk_module() -> types.ModuleType:
    qt_module()
    module = types.ModuleType("ctk")
    for kind in (ctkCollapsibleButton,):
        setattr(module, kind.__name__, kind)
        UiLoader.classes[kind.__name__] = kind
    return module


class ScriptedLoadableModule:
    def __init__(self, parent: Any) -> None:
        self.parent = parent
        self.moduleName = type(self).__name__


class ScriptedLoadableModuleWidget:
    """As Slicer makes it: a parent with a vertical layout, and resources beside the module's file."""

    def __init__(self, parent: Any = None) -> None:
        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.parent = parent
        if parent is None:
            self.parent = qMRMLWidget()
            self.parent.setLayout(qt_module().QVBoxLayout())
            self.parent.setMRMLScene(slicer.mrmlScene)
        self.layout = self.parent.layout()

    def setup(self) -> None: ...

    def cleanup(self) -> None: ...

    def onReload(self) -> None:
        """Slicer reads the module's file anew, and makes a new widget in the same parent, which may be shown."""
        self.cleanup()

    def resourcePath(self, name: str) -> str:
        import inspect

        return str(Path(inspect.getfile(type(self))).parent / "Resources" / name)


class ScriptedLoadableModuleLogic:
    def __init__(self, parent: Any = None) -> None:
        self.moduleName = type(self).__name__.removesuffix("Logic")

    def getParameterNode(self) -> Any:
        """The one node of this module in the scene, made where there is none."""
        nodes = slicer.mrmlScene.GetNodesByClass("vtkMRMLScriptedModuleNode")
        for place in range(nodes.GetNumberOfItems()):
            node = nodes.GetItemAsObject(place)
            if node.GetAttribute("ModuleName") == self.moduleName:
                return node
        node = slicer.vtkMRMLScriptedModuleNode()
        node.SetSingletonTag(self.moduleName)
        node.SetAttribute("ModuleName", self.moduleName)
        return slicer.mrmlScene.AddNode(node)


class ScriptedLoadableModuleTest(unittest.TestCase):
    """As Slicer's, less its messages on the screen."""


def parameterNodeWrapper(described: type) -> type:
    """A class whose annotated members live in a parameter node: bool, str and nodes, as this module has."""
    members = get_type_hints(described)

    class Wrapper:
        def __init__(self, node: Any) -> None:
            object.__setattr__(self, "parameterNode", node)
            object.__setattr__(self, "_connected", {})

        def __getattr__(self, name: str) -> Any:
            if name not in members:
                raise AttributeError(name)
            if members[name] is bool:
                text = self.parameterNode.GetParameter(name)
                return text == "true" if text else bool(getattr(described, name, False))
            if members[name] is str:
                return self.parameterNode.GetParameter(name) or getattr(described, name, "")
            return self.parameterNode.GetNodeReference(name)

        def __setattr__(self, name: str, value: Any) -> None:
            if name not in members:
                raise AttributeError(name)
            if members[name] is bool:
                self.parameterNode.SetParameter(name, "true" if value else "false")
            elif members[name] is str:
                self.parameterNode.SetParameter(name, value)
            else:
                self.parameterNode.SetNodeReferenceID(name, value.GetID() if value else None)

        def connectParametersToGui(self, widgets: dict[str, Any]) -> int:
            tag = len(self._connected) + 1
            self._connected[tag] = self.parameterNode.AddObserver("ModifiedEvent", lambda *_: show())

            def write(name: str, value: Any) -> None:
                if tag in self._connected:
                    setattr(self, name, value)

            def show() -> None:
                for name, widget in widgets.items():
                    _shows(widget, getattr(self, name))

            for name, widget in widgets.items():
                signal = "toggled(bool)" if members[name] is bool else "currentNodeChanged(vtkMRMLNode*)"
                widget.connect(signal, lambda value, name=name: write(name, value))
            show()
            return tag

        def disconnectGui(self, tag: int) -> None:
            self.parameterNode.RemoveObserver(self._connected.pop(tag))

    return Wrapper


def _shows(widget: Any, value: Any) -> None:
    if isinstance(value, bool):
        widget.checked = value
    else:
        widget.setCurrentNode(value)


@lru_cache(maxsize=1)
def slicer_modules() -> dict[str, types.ModuleType]:
    """The modules under ``slicer`` that the application adds, by full name."""
    scripted = types.ModuleType("slicer.ScriptedLoadableModule")
    kinds = (ScriptedLoadableModule, ScriptedLoadableModuleWidget, ScriptedLoadableModuleLogic)
    for kind in (*kinds, ScriptedLoadableModuleTest):
        setattr(scripted, kind.__name__, kind)
    scripted.__all__ = [name for name in vars(scripted) if name.startswith("Scripted")]
    wrapper = types.ModuleType("slicer.parameterNodeWrapper")
    wrapper.parameterNodeWrapper = parameterNodeWrapper
    i18n = types.ModuleType("slicer.i18n")
    i18n.tr = lambda text: text
    i18n.translate = lambda _context, text: text
    return {module.__name__: module for module in (scripted, wrapper, i18n)}


class _Application:
    """``slicer.app``."""

    applicationName = "Slicer (shim)"

    def __init__(self, application: QtWidgets.QApplication, folder: Path) -> None:
        self._application = application
        self.slicerUserSettingsFilePath = str(folder / "Slicer.ini")
        #: As with ``--testing``: nobody sits before the application.
        self.testing = False

    def topLevelWidgets(self) -> list:
        return self._application.topLevelWidgets()

    def processEvents(self) -> None:
        self._application.processEvents()

    def testingEnabled(self) -> bool:
        return self.testing

    def __getattr__(self, name: str) -> Callable:
        raise AttributeError(f"slicer.app.{name} has no stand-in")


@contextmanager
def application_in_slicer(application: QtWidgets.QApplication, scene: Any, folder: Path) -> Iterator[None]:
    """``slicer.app``, ``slicer.mrmlScene`` and qMRML widgets for the length of the block."""
    added = {
        "app": _Application(application, folder),
        "mrmlScene": scene,
        "modules": types.SimpleNamespace(),
        **{name.rpartition(".")[2]: module for name, module in slicer_modules().items()},
    }
    for kind in (qMRMLWidget, qMRMLNodeComboBox):
        added[kind.__name__] = kind
        UiLoader.classes[kind.__name__] = kind
    before = {name: getattr(slicer, name, None) for name in added}
    for name, value in added.items():
        setattr(slicer, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                delattr(slicer, name)
            else:
                setattr(slicer, name, value)
