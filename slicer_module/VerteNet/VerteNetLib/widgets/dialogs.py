"""Questions that need an answer before something happens."""

from __future__ import annotations

from typing import Any, Optional

import qt

from ..i18n import _
from . import forms

#: Text of the last entry of the reasons to skip, for which the user writes something.
OTHER = "other"


def confirm(parent: Any, question: str, yes: str) -> bool:
    """Ask before something that is not taken back easily; ``yes`` is the text of the button that does it."""
    box = qt.QMessageBox(parent)
    box.windowTitle = "VerteNet"
    box.text = question
    box.icon = qt.QMessageBox.Question
    accept = box.addButton(yes, qt.QMessageBox.AcceptRole)
    box.setDefaultButton(box.addButton(qt.QMessageBox.Cancel))
    box.exec_()
    return box.clickedButton() == accept


def ask_side(parent: Any) -> Optional[str]:
    """Which side of the image the front of the body faces: ``left``, ``right`` or None for no answer."""
    box = qt.QMessageBox(parent)
    box.windowTitle = "VerteNet"
    box.text = _("Which side of the image does the front of the body face?")
    box.icon = qt.QMessageBox.Question
    left = box.addButton(_("Left"), qt.QMessageBox.AcceptRole)
    right = box.addButton(_("Right"), qt.QMessageBox.AcceptRole)
    box.addButton(qt.QMessageBox.Cancel)
    box.exec_()
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
    return dialog.exec_() == qt.QDialog.Accepted


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
    if dialog.exec_() != qt.QDialog.Accepted:
        return None
    return ui.reasonEdit.text.strip() if ui.reasonCombo.currentData == OTHER else ui.reasonCombo.currentData
