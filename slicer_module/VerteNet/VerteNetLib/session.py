"""A reader's session: what happens between the panels, the scene and the label server. Nothing here knows Slicer.

Every method returns at once. What takes time runs in the background, and ends in `Session.message` and in a call of
whoever subscribed. Methods that a situation does not allow (`states.allows`) say so and do nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

from vertenet.errors import VerteNetError
from vertenet.measure.aac import Grade, Wall
from vertenet.radiograph import Spacing
from vertenet.spine import CORNERS, STANDARD_LEVELS, Level, Side, Spine

from .answers import Proposal, Sample
from .board import Message
from .connection import Connection
from .deidentify import installation_secret
from .export import export
from .i18n import _
from .identity import annotator_name
from .interfaces import LoadedImage, Progress, Server
from .label_text import label_text
from .library import Origin
from .local_server import PROGRAM_KEY, LocalServer, find_program
from .session_state import SessionState, Statistics
from .states import Action
from .upload import prepare_upload
from .words import about_connection, about_proposal, about_refusal, sentences
from .work import Work

#: Keys of the user's settings.
URL_KEY, TOKEN_KEY, CERTIFICATE_KEY = "server/url", "server/token", "server/certificate"

__all__ = ["CERTIFICATE_KEY", "TOKEN_KEY", "URL_KEY", "Message", "Session", "Statistics"]


class Session(SessionState):
    """One reader at one window.

    Parameters
    ----------
    stage : Stage
    settings : Settings
        Address, token and reader's name are read from and kept in it.
    jobs : Jobs
        Polled by the application.
    folder : Path
        The user's: drafts, unsent labels and fetched images live in it. Sessions may share it.
    connect : callable
        Makes a server of a connection.
    haste : float
        A lost server is looked for, and a training watched, so many times as often as usual.
    """

    # The server

    def connect(self, url: str, token: str = "", verify: Union[bool, str] = True) -> None:
        """Connect, and keep address and token in the settings once that worked."""

        def remember() -> None:
            self.settings.set(URL_KEY, url)
            self.settings.set(TOKEN_KEY, token)
            self.settings.set(CERTIFICATE_KEY, verify if isinstance(verify, str) else "")

        self._connect(url, token, verify, "", remember)

    def disconnect(self) -> None:
        if self._may(Action.DISCONNECT):
            self._watch.forget()
            self._link.close()
            self._board.inform(_("Not connected."))

    def start_local_server(self, studies: Path) -> None:
        """Serve a folder of images from this computer, and connect to that."""
        if not self._may(Action.START_SERVER):
            return
        studies = Path(studies).resolve()
        local = LocalServer(find_program(self.settings.get(PROGRAM_KEY)) or "", studies)
        self._local = local

        def started(url: str) -> None:
            self._connect(url, "", True, f"folder:{studies}", lambda: None)

        self.jobs.start(_("Starting the server on this computer"), local.start, started, self._board.fail)

    def stop_local_server(self) -> None:
        if not self._may(Action.STOP_SERVER):
            return
        local, self._local = self._local, None
        self._watch.forget()
        self._link.close()

        def stopped(_nothing: None) -> None:
            self._board.inform(_("The server on this computer was stopped."))

        self.jobs.start(_("Stopping the server"), lambda _progress: local.stop(), stopped, self._board.fail)

    def refresh(self) -> None:
        """Ask the server quietly how things stand."""
        self._link.refresh()
        self._watch.look()
        self._watch.look_at_versions()

    def cancel(self) -> None:
        """Stop what runs in the foreground."""
        self.jobs.cancel()

    # The image

    def next_image(self, strategy: str = "hybrid") -> None:
        """Fetch and show the image that the server wants annotated next."""
        if not self._may(Action.NEXT_IMAGE):
            return
        store, library = self._link.store, self._library

        def work(server: Server, progress: Progress) -> Optional[tuple[Sample, Path]]:
            sample = server.next_sample(strategy)
            return None if sample is None else (sample, library.fetch(server, Origin(store, sample.image_id), progress))

        def show(found: Optional[tuple[Sample, Path]]) -> None:
            if found is None:
                self._board.inform(_("No image is left: all are labelled, put aside, or on other desks."))
            else:
                sample, path = found
                self._show(path, sample.image_id, Origin(store, sample.image_id), sample.scores)

        self._link.run(_("Asking for the next image"), work, show)

    def use_volume(self, volume_id: str) -> None:
        """Work on a volume of the scene; one that came from a server is still that server's image."""
        if self._may(Action.USE_VOLUME) and self.put_away():
            try:
                image = self.stage.adopt(volume_id)
                file = self.stage.source_file()
                self._begin(image, self._library.origin_of(file), "" if file is None else str(file), {})
            except VerteNetError as error:
                self._board.fail(error)

    def upload(self, consented: bool, burned_in_checked: bool = False) -> None:
        """Send the image to the server, without the patient; see `deidentify`."""
        if not self._may(Action.UPLOAD):
            return
        if not consented:
            self._board.warn(_("The image stays on this computer until you agree to send it."))
            return
        store = self._link.store
        try:
            secret = installation_secret(self.settings)
            prepared = prepare_upload(self.stage, self.folder / "uploads", secret, burned_in_checked)
        except (VerteNetError, OSError) as error:
            self._board.fail(error)
            return

        def sent(image_id: str) -> None:
            self._desk.belongs_to(Origin(store, image_id))
            self._board.inform(_("The image is on the server as {image}.").format(image=image_id))
            self._link.refresh()

        self._link.run(_("Sending the image"), prepared.send, sent)

    def set_spacing(self, spacing: Optional[Spacing]) -> None:
        """What a pixel measures, as the reader knows it; None: as the file says, or unknown."""
        if self._may(Action.SET_SPACING):
            self.stage.set_spacing(spacing)
            self._desk.change(spacing=spacing)
            self._board.changed()

    # Landmarks

    def auto_landmark(self, anterior: str = "file") -> None:
        """Ask the model. ``anterior``: file, auto, left or right."""
        if not self._may(Action.AUTO_LANDMARK):
            return
        work = self._desk.work
        parameters: dict[str, Any] = {"anterior": anterior}
        if work.spacing is not None and work.spacing.is_isotropic:
            parameters["spacing_mm"] = work.spacing.row

        def ask(server: Server, _progress: Progress) -> Proposal:
            return server.infer(work.image_id, parameters, work.size)

        self._link.run(_("The model looks at the image"), ask, self._proposed)

    def start_by_hand(self, anterior: Side) -> None:
        """24 points without a position, to be placed."""
        if self._may(Action.START_BY_HAND):
            nowhere = np.full((len(STANDARD_LEVELS), len(CORNERS), 2), np.nan)
            self.stage.landmarks.show(Spine.from_array(nowhere, anterior=anterior))
            self._desk.touched()
            self._board.inform(_("Place the points, from T12 to L5."))

    def swap(self) -> None:
        """Show the model's other reading of the levels; again: the first one."""
        if self._may(Action.SWAP):
            work = self._desk.work
            other = work.proposal.reading.spine if work.swapped else work.alternative
            self.stage.landmarks.replace(other)
            self._desk.change(swapped=not work.swapped)
            name = _("first") if work.swapped else _("second")
            self._board.inform(_("This is the model's {which} reading.").format(which=name))

    # The reading

    def set_score(self, level: Union[Level, str], wall: Union[Wall, str], grade: Grade) -> None:
        """Grade a wall of the aorta: 0 to 3, `UNREADABLE`, or None to take a grade back."""
        if self._may(Action.SCORE):
            try:
                self._desk.change(aac=self.aac.with_grade(level, wall, grade))
            except VerteNetError as error:
                self._board.fail(error)
            else:
                self._board.changed()

    def export(self, folder: Path) -> Sequence[Path]:
        """Write the reading, the landmarks, a table and a picture; their paths, none where that failed."""
        if not self._may(Action.EXPORT):
            return ()
        work = self._desk.work
        try:
            reading, markups = self.reading(), self._label(work)
            paths = export(reading, markups, work.image_id or work.name, Path(folder), self.stage.view.capture)
        except (VerteNetError, OSError) as error:
            self._board.fail(error)
            return ()
        names = ", ".join(path.name for path in paths)
        self._board.inform(_("Written to {folder}: {names}").format(folder=folder, names=names))
        return paths

    # Labels

    def submit(self, tag: str = "final", comment: str = "") -> None:
        """Hand the label in. It is kept first, and sent now or when the server can be reached."""
        if not self._may(Action.SUBMIT):
            return
        work = self._desk.work
        try:
            reading, markups = self.reading(), self._label(work)
            submission = self._post.add(work, tag, markups, reading, annotator_name(self.settings), comment)
            self._desk.submitted(submission.submission_id)
        except (VerteNetError, OSError) as error:
            self._board.fail(error)
            return
        self._spent[work.origin] = work.minutes
        self._post.send_or_wait()

    def skip(self, reason: str) -> None:
        """Put the image aside, with a reason; the server offers it to this reader no more."""
        if not self._may(Action.SKIP):
            return
        work = self._desk.work

        def skipped(_nothing: None) -> None:
            self._desk.discard()
            self.stage.release()
            self._board.inform(_("{image} was put aside.").format(image=work.image_id))

        self._link.run(_("Putting the image aside"), lambda server, _p: server.skip(work.image_id, reason), skipped)

    def send_unsent(self) -> None:
        if self._may(Action.SEND_UNSENT):
            self._post.send_or_wait()

    def restore_draft(self, key: str) -> None:
        """Show the image of a draft with what was made of it; it is fetched again where it is gone."""
        work = self._drafts.get(key)
        if work is None:
            self._board.warn(_("That work is not kept any more."))
        elif work.file and Path(work.file).is_file():
            self._show(Path(work.file), work.name, work.origin, {})
        elif work.image_id and work.store == self._link.store and self._link.online and not self.jobs.busy:
            self._link.run(
                _("Fetching {image}").format(image=work.image_id),
                lambda server, progress: self._library.fetch(server, work.origin, progress),
                lambda path: self._show(path, work.name, work.origin, {}),
            )
        elif work.image_id:
            self._board.warn(_("Connect to {server} first: it has the image.").format(server=work.store))
        else:
            self._board.warn(_("Load the image {image} and choose it as volume.").format(image=work.name))

    # The model

    def train(self, options: Optional[Mapping[str, Any]] = None) -> None:
        """Begin a round of retraining, see docs/retraining.md for its options."""
        if self._may(Action.TRAIN):
            chosen = dict(options or {})
            label = _("Starting the training")
            self._link.run(label, lambda server, _p: server.start_training(chosen), lambda _none: self._watch.begun())

    def stop_training(self) -> None:
        """End the round; the served model stays."""
        if self._may(Action.STOP_TRAINING):
            label = _("Stopping the training")
            self._link.run(label, lambda server, _p: server.stop_training(), lambda _none: self._watch.stopped())

    def roll_back(self, version: str) -> None:
        """Serve another version of the model from now on."""
        if not self._may(Action.ROLL_BACK):
            return

        def served(_nothing: None) -> None:
            self._board.inform(_("The server uses {version} now.").format(version=version))
            self._watch.look_at_versions()
            self._link.refresh()

        self._link.run(_("Changing the version"), lambda server, _p: server.rollback(version), served)

    def put_away(self) -> bool:
        """Keep the work on the present image, and let go of it; whether another one may come."""
        try:
            self._desk.put_away()
        except OSError as error:
            self._board.fail(error)
            return False
        return True

    def close(self) -> None:
        """Keep the work, end the connection, and stop the local server that this session started."""
        try:
            self._desk.close()
        finally:
            self._polling()
            self._watch.forget()
            self._link.close()
            if self._local is not None:
                self._local.stop()

    def _may(self, action: Action) -> bool:
        if self.allows(action):
            return True
        self._board.warn(_("That is not possible now: {action}.").format(action=action))
        return False

    def _connect(
        self, url: str, token: str, verify: Union[bool, str], store: str, connected: Callable[[], None]
    ) -> None:
        if not self._may(Action.CONNECT):
            return
        self._watch.forget()
        try:
            connection = Connection(url, token, verify, annotator_name(self.settings), store)
        except VerteNetError as error:
            self._board.fail(error)
            return

        def done() -> None:
            connected()
            self._board.show(about_connection(self._link.info))
            self._watch.look()
            self._watch.look_at_versions()
            self._post.send_quietly()

        self._link.open(connection, done)

    def _show(self, path: Path, name: str, origin: Optional[Origin], scores: Mapping[str, Any]) -> None:
        if self.put_away():
            try:
                image = self.stage.load(path, name)
                self._begin(image, origin, str(path), scores)
            except VerteNetError as error:
                self._board.fail(error)

    def _begin(self, image: LoadedImage, origin: Optional[Origin], file: str, scores: Mapping[str, Any]) -> None:
        self._scores = scores
        if self._desk.begin(image, origin, file):
            self._board.inform(_("Your unfinished work on {image} was taken up again.").format(image=image.name))
        elif image.warnings:
            self._board.warn(sentences(image.warnings))
        else:
            self._board.inform(_("{image} is ready.").format(image=image.name))

    def _label(self, work: Work) -> str:
        """The label file of the work as it is now."""
        proposed = None if work.proposal is None else work.proposal.reading.spine
        geometry = self.stage.image.geometry
        return label_text(work.spine, geometry, work.image_id or work.name, work.size, proposed)

    def _proposed(self, proposal: Proposal) -> None:
        reading, landmarks = proposal.reading, self.stage.landmarks
        if reading.quality is not None and not reading.quality.typical:
            self._desk.change(proposal=proposal, swapped=False)
            self._board.show(about_refusal(reading.quality.reasons))
            return
        place = landmarks.show if landmarks.spine() is None else landmarks.replace
        place(reading.spine)
        self._desk.change(proposal=proposal, swapped=False)
        self._board.show(about_proposal(reading))
