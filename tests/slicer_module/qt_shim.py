"""Qt as Slicer's Python sees it (PythonQt), on PySide6: shimmed Qt, never "tested in Slicer".

What PythonQt does and PySide6 does not, and what the module must therefore get right:

- a Qt property is an attribute: ``button.text`` is a str, and ``button.text()`` a TypeError;
- ``widget.name`` is the object's name;
- signals are connected by C++ signature, ``button.connect("clicked()", slot)``; one that does not exist fails;
- an attribute that is neither property nor method cannot be set;
- a dialog runs with ``exec_()``;
- a file dialog answers with the path alone, without the filter that was chosen.

An error in a slot, which Qt would print and forget, is kept in `Shim.errors`. `installed` puts the modules ``qt``,
``ctk`` and what ``slicer`` lacks without its application into ``sys.modules``, and takes them out again.
"""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, ClassVar

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import shiboken6
from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets

#: Errors of slots since the shim was installed.
_ERRORS: list[BaseException] = []
#: Names that are never properties.
_OWN = ("metaObject", "setProperty", "property")


class PythonQtObject:
    """Mixed into a Qt class: the rules of the module's docstring."""

    #: C++ signature to the signal's name, of signals that a stand-in declares in Python.
    SIGNALS: ClassVar[dict[str, str]] = {}

    def __getattribute__(self, name: str) -> Any:
        get = super().__getattribute__
        if name == "connect":  # PySide6 answers this name before it looks at Python's classes
            return partial(_connect, self)
        if not name.startswith("_") and name not in _OWN:
            key = "objectName" if name == "name" else name
            if get("metaObject")().indexOfProperty(key) >= 0:
                return get("property")(key)
        return get(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, QtCore.QObject) and QtCore.QObject.objectName(value) == name:
            return  # PySide6's loader makes children attributes; PythonQt's does not
        meta = self.metaObject()
        index = meta.indexOfProperty("objectName" if name == "name" else name)
        if index >= 0:
            if not meta.property(index).isWritable():
                raise AttributeError(f"property {name} of {self.className()} cannot be written")
            if not self.setProperty(meta.property(index).name(), value):
                raise TypeError(f"{name} of {self.className()} cannot be {value!r}")
        elif name.startswith("_"):
            super().__setattr__(name, value)
        else:
            raise AttributeError(f"{self.className()} has no property {name}; PythonQt lets nobody add one")

    def className(self) -> str:
        return type(self).__name__


def _connect(sender: PythonQtObject, signature: str, slot: Callable) -> bool:
    """PythonQt gives a slot as many arguments as the signature names."""
    name, _bracket, rest = signature.partition("(")
    if signature in sender.SIGNALS:
        name = sender.SIGNALS[signature]
    elif sender.metaObject().indexOfSignal(_normalised(signature)) < 0:
        raise ValueError(f"{sender.className()} has no signal {signature}")
    if not callable(slot):
        raise TypeError(f"the slot for {signature} cannot be called")
    count = len([kind for kind in rest.rstrip(")").split(",") if kind])

    def deliver(*arguments: Any) -> None:
        try:
            slot(*arguments[:count])
        except BaseException as error:
            _ERRORS.append(error)
            raise

    getattr(sender, name).connect(deliver)
    return True


class _Runs:
    def exec_(self) -> int:
        return self.exec()


class _AnswersWithPath:
    """The static questions of QFileDialog; Qt's own window, since a test cannot press buttons of the desktop's."""

    @staticmethod
    def getOpenFileName(parent: Any = None, title: str = "", folder: str = "", kinds: str = "") -> str:
        options = QtWidgets.QFileDialog.Option.DontUseNativeDialog
        return QtWidgets.QFileDialog.getOpenFileName(parent, title, folder, kinds, options=options)[0]

    @staticmethod
    def getExistingDirectory(parent: Any = None, title: str = "", folder: str = "") -> str:
        options = QtWidgets.QFileDialog.Option.DontUseNativeDialog | QtWidgets.QFileDialog.Option.ShowDirsOnly
        return QtWidgets.QFileDialog.getExistingDirectory(parent, title, folder, options)


def _normalised(signature: str) -> str:
    text = QtCore.QMetaObject.normalizedSignature(signature)
    return text if isinstance(text, str) else bytes(text).decode()


def python_qt(name: str, base: type) -> type:
    """The PythonQt form of a Qt class."""
    mixins = (_Runs,) if issubclass(base, QtWidgets.QDialog) else ()
    if base is QtWidgets.QFileDialog:
        mixins = (_AnswersWithPath, *mixins)
    return type(name, (PythonQtObject, *mixins, base), {"__doc__": base.__doc__})


class UiLoader(QtUiTools.QUiLoader):
    """Builds a ``.ui`` file from shimmed classes; one that Slicer would not know is an error."""

    classes: ClassVar[dict[str, type]] = {}

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._made: list[QtWidgets.QWidget] = []

    def createWidget(self, class_name: str, parent: Any = None, name: str = "") -> QtWidgets.QWidget:
        if class_name not in self.classes:
            _ERRORS.append(LookupError(f"{name}: there is no widget class {class_name}"))
            class_name = "QWidget"
        widget = self.classes[class_name](parent)
        widget.setObjectName(name)
        self._made.append(widget)
        return widget

    def load(self, file: QtCore.QIODevice, parent: Any = None) -> QtWidgets.QWidget:
        widget = super().load(file, parent)
        if widget is not None:
            # Python's half of a widget lives as long as somebody holds it; in PythonQt it lives with the widget.
            widget._held = self._made
        self._made = []
        return widget


@lru_cache(maxsize=1)
def qt_module() -> types.ModuleType:
    """The module ``qt``: one namespace for QtCore, QtGui and QtWidgets."""
    module = types.ModuleType("qt")
    for part in (QtCore, QtGui, QtWidgets):
        for name in dir(part):
            if not name.startswith("Q"):
                continue
            value = getattr(part, name)
            shimmed = isinstance(value, type) and issubclass(value, QtCore.QObject) and name != "QApplication"
            setattr(module, name, python_qt(name, value) if shimmed and _can_be_derived(value) else value)
    UiLoader.classes.update(
        {name: kind for name, kind in vars(module).items() if isinstance(kind, type) and _is_widget(kind)}
    )
    module.QUiLoader = UiLoader
    return module


def _can_be_derived(kind: type) -> bool:
    return _is_widget(kind) or kind in (
        QtCore.QTimer,
        QtCore.QSettings,
        QtGui.QShortcut,
        QtGui.QAction,
        QtGui.QActionGroup,
        QtWidgets.QButtonGroup,
    )


def _is_widget(kind: type) -> bool:
    return issubclass(kind, QtWidgets.QWidget)


@dataclass
class Shim:
    """What a test asks of the installed shim."""

    application: QtWidgets.QApplication
    main_window: QtWidgets.QMainWindow
    errors: list[BaseException] = field(default_factory=lambda: _ERRORS)

    def process_events(self) -> None:
        self.application.processEvents()

    def show(self, widget: QtWidgets.QWidget, width: int = 400) -> None:
        """Put a panel into the main window, as Slicer docks it, and give it the keyboard."""
        area = QtWidgets.QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(widget)
        self.main_window.setCentralWidget(area)
        self.main_window.resize(width, 900)
        self.main_window.show()
        self.main_window.activateWindow()
        self.process_events()

    def picture(self, widget: QtWidgets.QWidget, path: Path) -> None:
        """Write what the widget looks like as PNG."""
        self.process_events()
        if not widget.grab().save(str(path)):
            raise OSError(f"{path} could not be written")


@contextmanager
def installed(scene: Any, folder: Path) -> Iterator[Shim]:
    """``import qt, ctk, slicer`` as in the application, for the length of the block.

    Parameters
    ----------
    scene : vtkMRMLScene
        What ``slicer.mrmlScene`` is.
    folder : path
        For the user's settings.
    """
    from . import slicer_shim

    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["vertenet"])
    QtCore.QSettings.setDefaultFormat(QtCore.QSettings.Format.IniFormat)
    QtCore.QSettings.setPath(
        QtCore.QSettings.Format.IniFormat, QtCore.QSettings.Scope.UserScope, str(folder / "settings")
    )
    application.setOrganizationName("shim")
    application.setApplicationName("SlicerShim")
    window = qt_module().QMainWindow()
    window.objectName = "qSlicerMainWindow"
    _ERRORS.clear()
    modules = {"qt": qt_module(), "ctk": slicer_shim.ctk_module(), **slicer_shim.slicer_modules()}
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        with slicer_shim.application_in_slicer(application, scene, folder):
            yield Shim(application, window)
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
        window.close()
        shiboken6.delete(window)  # now, or the next test's search for the main window finds this one
