"""Questions that need an answer before something happens.

Where Slicer runs its tests nobody is there to answer: then nothing opens, and the answer is the one that changes
nothing. A window that was answered is deleted; its parent would keep it otherwise.
"""

from __future__ import annotations

import logging
from typing import Any, Optional

import qt
import slicer

from ..i18n import _
from . import forms

#: Text of the last entry of the reasons to skip, for which the user writes something.
OTHER = "other"


def confirm(parent: Any, question: str, yes: str) -> bool:
    """Ask before something that is not taken back easily; ``yes`` is the text of the button that does it."""
    box = _question(parent, question)
    accept = box.addButton(yes, qt.QMessageBox.AcceptRole)
    box.setDefaultButton(box.addButton(qt.QMessageBox.Cancel))
    _run(box)
    return box.clickedButton() == accept


def ask_side(parent: Any) -> Optional[str]:
    """Which side of the image the front of the body faces: ``left``, ``right`` or None for no answer."""
    box = _question(parent, _("Which side of the image does the front of the body face?"))
    left = box.addButton(_("Left"), qt.QMessageBox.AcceptRole)
    right = box.addButton(_("Right"), qt.QMessageBox.AcceptRole)
    box.addButton(qt.QMessageBox.Cancel)
    _run(box)
    answer = box.clickedButton()
    return "left" if answer == left else "right" if answer == right else None


def ask_consent(parent: Any, image: str, server: str) -> bool:
    """Whether an image may leave this computer; both statements must be ticked first."""
    dialog, ui = forms.load("ConsentDialog")
    dialog.setParent(parent, qt.Qt.Dialog)
    ui.consentLabel.text = _(
        "The pixels of {image} and the size of a pixel are sent to {server}, and nothing else that the file says: "
        "no name, no date, no number. What is written into the image itself goes with it."
    ).format(image=image, server=server)

    def follow() -> None:
        ui.sendButton.enabled = ui.consentBox.checked and ui.burnedInBox.checked

    for box in (ui.consentBox, ui.burnedInBox):
        box.connect("toggled(bool)", lambda _checked: follow())
    follow()
    ui.sendButton.connect("clicked()", dialog.accept)
    ui.keepButton.connect("clicked()", dialog.reject)
    return _run(dialog) == qt.QDialog.Accepted


def ask_reason(parent: Any) -> Optional[str]:
    """Why an image is put aside, in words for those who look after the images; None where it is not."""
    dialog, ui = forms.load("SkipDialog")
    dialog.setParent(parent, qt.Qt.Dialog)
    reasons = [
        _("metal over the spine"),
        _("the spine is not in the image"),
        _("the image is too poor"),
        _("levels cannot be told"),
    ]
    forms.fill(ui.reasonCombo, {**{reason: reason for reason in reasons}, OTHER: _("something else")})

    def follow() -> None:
        ui.reasonEdit.enabled = ui.reasonCombo.currentData == OTHER
        ui.putAsideButton.enabled = ui.reasonCombo.currentData != OTHER or bool(ui.reasonEdit.text.strip())

    ui.reasonCombo.connect("currentIndexChanged(int)", lambda _place: follow())
    ui.reasonEdit.connect("textChanged(QString)", lambda _text: follow())
    follow()
    ui.putAsideButton.connect("clicked()", dialog.accept)
    ui.stayButton.connect("clicked()", dialog.reject)
    if _run(dialog) != qt.QDialog.Accepted:
        return None
    return ui.reasonEdit.text.strip() if ui.reasonCombo.currentData == OTHER else ui.reasonCombo.currentData


def choose_file(parent: Any, title: str, kinds: str) -> str:
    """Path of an existing file, empty where none was chosen. ``kinds``: Qt's filter of names."""
    return "" if _nobody_is_there(title) else qt.QFileDialog.getOpenFileName(parent, title, "", kinds)


def choose_folder(parent: Any, title: str, before: str) -> str:
    """Path of an existing folder, empty where none was chosen. ``before``: where to begin."""
    return "" if _nobody_is_there(title) else qt.QFileDialog.getExistingDirectory(parent, title, before)


def _question(parent: Any, text: str) -> Any:
    box = qt.QMessageBox(parent)
    box.windowTitle = "VerteNet"
    box.text = text
    box.icon = qt.QMessageBox.Question
    return box


def _run(dialog: Any) -> int:
    """Wait for the answer, which can be read from the window until control is back in the application's loop."""
    answer = qt.QDialog.Rejected if _nobody_is_there(dialog.windowTitle) else dialog.exec_()
    dialog.deleteLater()
    return answer


def _nobody_is_there(title: str) -> bool:
    if slicer.app.testingEnabled():
        logging.info("Slicer is testing itself: %s is not asked.", title)
        return True
    return False
