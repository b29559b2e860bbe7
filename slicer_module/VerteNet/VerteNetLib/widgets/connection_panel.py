"""Where the server is, who it is, and a server on this computer."""

from __future__ import annotations

from pathlib import Path

from vertenet.errors import OptionError

from ..connection import DEFAULT_URL
from ..i18n import _
from ..interfaces import Settings
from ..local_server import PROGRAM_KEY
from ..session import CERTIFICATE_KEY, TOKEN_KEY, URL_KEY, Session
from ..states import Action, Situation
from . import dialogs, forms
from .controls import Controls, Tell

#: Key of the user's settings; the session keeps what belongs to a connection once that worked.
STUDIES_KEY = "server/studies"


class ConnectionPanel:
    """Server address and token; both are kept in the user's settings alone."""

    def __init__(self, session: Session, settings: Settings, tell: Tell) -> None:
        self._session = session
        self._settings = settings
        self.root, self.ui = forms.load("ConnectionPanel")
        self.controls = Controls(session, tell)
        ui, button = self.ui, self.controls.button
        ui.urlEdit.text = settings.get(URL_KEY, DEFAULT_URL)
        ui.tokenEdit.text = settings.get(TOKEN_KEY)
        ui.certificateEdit.text = settings.get(CERTIFICATE_KEY)
        ui.studiesEdit.text = settings.get(STUDIES_KEY)
        ui.programEdit.text = settings.get(PROGRAM_KEY)
        button(ui.connectButton, Action.CONNECT, self._connect)
        button(ui.disconnectButton, Action.DISCONNECT, session.disconnect)
        button(ui.startServerButton, Action.START_SERVER, self._start_server)
        button(ui.stopServerButton, Action.STOP_SERVER, session.stop_local_server)
        button(ui.certificateButton, Action.CONNECT, self._choose_certificate)
        button(ui.studiesButton, Action.START_SERVER, self._choose_studies)
        for field in (ui.urlEdit, ui.tokenEdit, ui.certificateEdit):
            self.controls.field(field, Action.CONNECT)
            field.connect("returnPressed()", ui.connectButton.click)
        button(ui.programButton, Action.CONNECT, self._choose_program)
        self.controls.field(ui.studiesEdit, Action.START_SERVER)
        # Not START_SERVER: that waits for the package, and this field says where it is.
        self.controls.field(ui.programEdit, Action.CONNECT)
        ui.programEdit.connect("editingFinished()", self._set_program)

    def refresh(self, situation: Situation) -> None:
        info = self._session.info
        if not situation.online or info is None:
            text = _("○ Not connected. Work that you submit now is kept on this computer.")
        else:
            text = _("● Connected to {name} {version}: {labelled} of {total} images are labelled.").format(
                name=info.name, version=info.version, labelled=info.labelled, total=info.total
            )
        self.ui.connectionStateLabel.text = text
        self.controls.refresh(situation)

    def _connect(self) -> None:
        ui = self.ui
        self._session.connect(ui.urlEdit.text.strip() or DEFAULT_URL, ui.tokenEdit.text, self._verify())

    def _verify(self) -> bool | str:
        return self.ui.certificateEdit.text.strip() or True

    def _start_server(self) -> None:
        folder = self.ui.studiesEdit.text.strip()
        if not folder:
            raise OptionError(
                _("No folder with images is chosen"), remedy=_("Choose the folder whose images the server shall serve")
            )
        self._settings.set(STUDIES_KEY, folder)
        self._session.start_local_server(Path(folder))

    def _set_program(self) -> None:
        program = self.ui.programEdit.text.strip()
        if program != self._settings.get(PROGRAM_KEY):
            self._settings.set(PROGRAM_KEY, program)
            self._session.changed()

    def _choose_program(self) -> None:
        path = dialogs.choose_file(self.root, _("The program vertenet"), _("All files ({all})").format(all="*"))
        if path:
            self.ui.programEdit.text = path
            self._set_program()

    def _choose_certificate(self) -> None:
        kinds = _("Certificates ({names});;All files ({all})").format(names="*.pem *.crt *.cer", all="*")
        path = dialogs.choose_file(self.root, _("Certificate of the authority"), kinds)
        if path:
            self.ui.certificateEdit.text = path

    def _choose_studies(self) -> None:
        folder = dialogs.choose_folder(self.root, _("Folder with images"), self.ui.studiesEdit.text)
        if folder:
            self.ui.studiesEdit.text = folder
