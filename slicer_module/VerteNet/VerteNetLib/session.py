"""A reader's session: what happens between the panels, the scene and the label server. Nothing here knows Slicer.

Every method returns at once. What takes time runs in the background, and ends in `Session.message` and in a call of
whoever subscribed. Methods that a situation does not allow (`states.allows`) say so and do nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

from vertenet.errors import VerteNetError
from vertenet.measure.aac import Grade, Wall
from vertenet.radiograph import Spacing
from vertenet.spine import CORNERS, STANDARD_LEVELS, Level, Side, Spine

from .answers import Origin, Proposal, Sample
from .board import Message
from .deidentify import installation_secret
from .export import export
from .i18n import _
from .identity import annotator_name
from .interfaces import LoadedImage, Progress, Server
from .label_text import label_text
from .questions import about_grade
from .server_side import CERTIFICATE_KEY, TOKEN_KEY, URL_KEY, ServerSide
from .session_state import Statistics
from .states import Action
from .upload import prepare_upload
from .words import about_proposal, about_refusal, sentences
from .work import Work

__all__ = ["CERTIFICATE_KEY", "TOKEN_KEY", "URL_KEY", "Message", "Session", "Statistics"]


class Session(ServerSide):
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

    # The image

    def next_image(self, strategy: str = "hybrid") -> None:
        """Fetch and show the image that the server wants annotated next."""
        if not self._may(Action.NEXT_IMAGE):
            return
        link, library = self._link, self._library

        def work(server: Server, progress: Progress) -> Optional[tuple[Sample, Path, Origin]]:
            sample = server.next_sample(strategy)
            if sample is None:
                return None
            return (sample, *library.fetch(server, link.origin(sample.image_id), progress))

        def show(found: Optional[tuple[Sample, Path, Origin]]) -> None:
            if found is None:
                self._board.inform(_("No image is left: all are labelled, put aside, or on other desks."))
            else:
                sample, path, origin = found
                self._show(lambda: self.stage.load(path, sample.image_id), origin, sample.scores)

        self._link.run(_("Asking for the next image"), work, show)

    def use_volume(self, volume_id: str) -> None:
        """Work on a volume of the scene; one that came from a server is still that server's image."""
        if self._may(Action.USE_VOLUME):
            self._show(lambda: self.stage.adopt(volume_id))

    def open_file(self, path: Path) -> None:
        """Work on an image file of this computer; it is added to the scene."""
        if self._may(Action.USE_VOLUME):
            self._show(lambda: self.stage.load(path, path.name.split(".")[0] or path.name))

    def upload(self, consented: bool, burned_in_checked: bool = False) -> None:
        """Send the image to the server, without the patient; see `deidentify`."""
        if not self._may(Action.UPLOAD):
            return
        if not consented:
            self._board.warn(_("The image stays on this computer until you agree to send it."))
            return
        link, key = self._link, self._desk.work.key
        try:
            secret = installation_secret(self.settings)
            prepared = prepare_upload(self.stage, self.folder / "uploads", secret, burned_in_checked)
        except (VerteNetError, OSError) as error:
            self._board.fail(error)
            return

        def sent(uploaded: tuple[str, str]) -> None:
            image_id, sha256 = uploaded
            if self._is_on_desk(key):
                self._desk.belongs_to(replace(link.origin(image_id), sha256=sha256))
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
            return server.infer(work.image_id, parameters, work.size, work.origin.sha256)

        def answered(proposal: Proposal) -> None:
            if self._is_on_desk(work.key):
                self._proposed(proposal)
            else:
                self._board.warn(_("The image that the model was asked about is not on the screen any more."))

        self._link.run(_("The model looks at the image"), ask, answered)

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
                self._desk.grade(self.aac.with_grade(level, wall, grade))
            except VerteNetError as error:
                self._board.fail(error)
                return
            doubt = about_grade(str(level), str(wall), grade, self.stage.overlays.crop())
            if doubt:
                self._board.warn(doubt)
            elif self.message is not None and self.message.text == self._doubt:
                self._board.inform(_("The grade is kept."))
            else:
                self._board.changed()
            self._doubt = doubt

    def undo(self) -> None:
        """Take back the last change of grades or landmarks."""
        if self._may(Action.UNDO) and self.can_undo:
            self._desk.undo()
            self._board.changed()

    def redo(self) -> None:
        if self._may(Action.UNDO) and self.can_redo:
            self._desk.redo()
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
        work, faults = self._desk.work, self.stage.landmarks.faults()
        if faults:  # no server takes such a label, and later its reader is gone
            self._board.warn(sentences([*faults, _("Correct this before you submit, or mark what cannot be placed")]))
            return
        if self._post.has_taken(work, tag, comment):
            if self._post.holds(work.submitted):
                self._post.send_or_wait()
            else:
                self._board.inform(_("The label of {image} is on the server already.").format(image=work.image_id))
            return
        try:
            reading, markups = self.reading(), self._label(work)
            submission = self._post.add(work, tag, markups, reading, annotator_name(self.settings), comment)
        except (VerteNetError, OSError) as error:
            self._board.fail(error)
            return
        try:
            self._desk.submitted(submission.submission_id)
        except OSError as error:  # the label itself is kept
            self._board.fail(error)
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
        if not self._may(Action.RESTORE_DRAFT):
            return
        work = self._drafts.get(key)
        file = Path(work.file) if work is not None and work.file else None
        if work is None:
            self._board.warn(_("That work is not kept any more."))
        elif file is not None and file.is_file() and work.origin in (None, self._library.origin_of(file)):
            self._show(lambda: self.stage.load(file, work.name), work.origin)
        elif work.origin and work.store == self._link.store and self._link.online:
            self._fetch_again(work)
        elif work.origin:
            self._board.warn(_("Connect to {server} first: it has the image.").format(server=work.origin.server))
        else:
            self._board.warn(_("Load the image {image} and choose it as volume.").format(image=work.name))

    def _fetch_again(self, work: Work) -> None:
        """Show the image of a draft whose file is gone from this computer."""

        def show(fetched: tuple[Path, Origin]) -> None:
            path, origin = fetched
            if origin == work.origin:
                self._show(lambda: self.stage.load(path, work.name), origin)
            else:
                text = _("The server has another image as {image} now. The work on the earlier one is kept.")
                self._board.warn(text.format(image=work.image_id))

        label = _("Fetching {image}").format(image=work.image_id)
        self._link.run(label, lambda server, progress: self._library.fetch(server, work.origin, progress), show)

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
        """Keep the work on the present image, and let go of it; whether that could be kept."""
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

    def _is_on_desk(self, key: str) -> bool:
        """Whether the image that something was asked about is still the one on the screen."""
        work = self._desk.work
        return work is not None and work.key == key

    def _show(
        self,
        show: Callable[[], LoadedImage],
        origin: Optional[Origin] = None,
        scores: Optional[Mapping[str, Any]] = None,
    ) -> None:
        """Go on with another image; where it cannot be shown, the present one stays, and so does the work on it."""
        try:
            self._desk.save()
            image = show()
            file = self.stage.source_file()
            origin = origin or self._library.origin_of(file)
            taken_up = self._desk.begin(image, origin, "" if file is None else str(file))
        except (VerteNetError, OSError) as error:
            self._board.fail(error)
            return
        self._scores = scores or {}
        if taken_up:
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
