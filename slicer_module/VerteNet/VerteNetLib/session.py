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
from vertenet.measure.matching import named_alike, pixel_size
from vertenet.spine import CORNERS, STANDARD_LEVELS, Level, Side, Spine, Transition

from .answers import Comparison, Consensus, Proposal
from .board import Message
from .export import export
from .i18n import _
from .identity import annotator_name
from .image_side import ImageSide
from .interfaces import Progress, Server
from .label_text import label_text
from .prefetch import BLINDED, Wish
from .questions import about_grade
from .server_side import CERTIFICATE_KEY, TOKEN_KEY, URL_KEY
from .session_state import Statistics
from .sitting import SKIPPED, SUBMITTED
from .states import Action
from .words import about_comparison, about_consensus, about_proposal, about_refusal, sentences
from .work import Work

__all__ = ["CERTIFICATE_KEY", "TOKEN_KEY", "URL_KEY", "Message", "Session", "Statistics", "Wish"]

#: Tags of labels that a person answers for: the first one's, and the second one's.
FINAL, REVIEWED = "final", "reviewed"


class Session(ImageSide):
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

    # Landmarks

    def auto_landmark(self, anterior: str = "file", then: Callable[[], None] = lambda: None) -> None:
        """Ask the model. ``anterior``: file, auto, left or right; ``then`` is called when its answer is shown."""
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
                then()
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
            other, first = self.alternative, self._desk.work.proposal.reading.spine
            self.stage.landmarks.replace(other)
            self._desk.change(swapped=other is not first, levels_checked=False)
            name = _("first") if other is first else _("second")
            self._board.inform(_("This is the model's {which} reading.").format(which=name))

    def shift_levels(self, steps: int) -> None:
        """Rename every vertebra ``steps`` levels towards the feet."""
        if self._may(Action.EDIT):
            self.stage.landmarks.shift_levels(steps)
            self._desk.change(levels_checked=False)

    def set_transition(self, transition: Transition) -> None:
        """Say what the end of the lumbar spine is like."""
        if self._may(Action.EDIT):
            self.stage.landmarks.set_transition(transition)
            self._desk.change(levels_checked=False)

    def confirm_levels(self) -> None:
        """The vertebrae are named as they should be: from here on the naming is the reader's."""
        if self._may(Action.CONFIRM_LEVELS):
            self._desk.change(levels_checked=True)
            self._board.inform(_("The levels are confirmed."))

    # The reading

    def set_score(self, level: Union[Level, str], wall: Union[Wall, str], grade: Grade) -> bool:
        """Grade a wall of the aorta: 0 to 3, `UNREADABLE`, or None to take a grade back; whether that was done."""
        if self._may(Action.SCORE):
            if self.levels_open and grade is not None:
                self._board.warn(_("Levels first: Y confirms the names that are shown, S takes the other ones."))
                return False
            try:
                self._desk.grade(self.aac.with_grade(level, wall, grade))
            except VerteNetError as error:
                self._board.fail(error)
                return False
            doubt = about_grade(str(level), str(wall), grade, self.stage.overlays.crop())
            if doubt:
                self._board.warn(doubt)
            elif self.message is not None and self.message.text == self._doubt:
                self._board.inform(_("The grade is kept."))
            else:
                self._board.changed()
            self._doubt = doubt
            return True
        return False

    def undo(self) -> None:
        """Take back the last change of grades or landmarks."""
        if self._may(Action.UNDO) and self.can_undo:
            self._travel(self._desk.undo)

    def redo(self) -> None:
        if self._may(Action.UNDO) and self.can_redo:
            self._travel(self._desk.redo)

    def _travel(self, step: Callable[[], None]) -> None:
        """Undo or redo; other names of the vertebrae than those that were confirmed are asked about again."""
        before = self.stage.landmarks.spine()
        step()
        after = self.stage.landmarks.spine()
        if before is not None and after is not None and not named_alike(after, before, pixel_size(self._spacing)):
            self._desk.change(levels_checked=False)
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

    def submit(self, tag: str = "", comment: str = "") -> None:
        """Hand the label in, a second reading as such. It is kept first, and sent now or when there is a server."""
        handed_in = self._may(Action.SUBMIT) and self._hand_in(tag or self._tag(), comment)
        if handed_in and self._post.holds(self._desk.work.submitted):
            self._post.send_or_wait()
        elif handed_in:
            text = _("The label of {image} is on the server already.")
            self._board.inform(text.format(image=self._desk.work.image_id))

    def submit_and_next(self, wish: Wish) -> None:
        """Hand the label in and go on; it is sent meanwhile."""
        if self._may(Action.SUBMIT) and self._hand_in(self._tag(), ""):
            if not self._link.online:
                self._post.send_or_wait()  # says that the label is kept here
            self.go_on(wish)

    def _tag(self) -> str:
        return REVIEWED if self.second else FINAL

    def _hand_in(self, tag: str, comment: str) -> bool:
        """Keep the label on the way to the server; whether it is there or on its way."""
        work, faults = self._desk.work, self.stage.landmarks.faults()
        if faults:  # no server takes such a label, and later its reader is gone
            self._board.warn(sentences([*faults, _("Correct this before you submit, or mark what cannot be placed")]))
            return False
        if self._post.has_taken(work, tag, comment):
            return True
        try:
            reading, markups = self.reading(), self._label(work)
            submission = self._post.add(work, tag, markups, reading, annotator_name(self.settings), comment)
        except (VerteNetError, OSError) as error:
            self._board.fail(error)
            return False
        try:
            self._desk.submitted(submission.submission_id)
        except OSError as error:  # the label itself is kept
            self._board.fail(error)
        self._note(SUBMITTED)
        self._spent[work.origin] = work.minutes
        return True

    def skip(self, reason: str) -> None:
        """Put the image aside, with a reason; the server offers it to this reader no more."""
        if not self._may(Action.SKIP):
            return
        work = self._desk.work

        def skipped(_nothing: None) -> None:
            self._note(SKIPPED)
            self._desk.discard()
            self.stage.release()
            self._board.inform(_("{image} was put aside.").format(image=work.image_id))

        self._link.run(_("Putting the image aside"), lambda server, _p: server.skip(work.image_id, reason), skipped)

    def send_unsent(self) -> None:
        if self._may(Action.SEND_UNSENT):
            self._post.send_or_wait()

    # Second readings

    def compare(self) -> None:
        """Show what everybody says of the image; in a blinded reading after one's own label was handed in."""
        if not self._may(Action.COMPARE):
            return
        work = self._desk.work
        if work.second == BLINDED and self._sitting.result(work.key) != SUBMITTED:
            self._board.warn(_("This is a blinded reading: submit yours first, then compare."))
            return

        def came(found: Comparison) -> None:
            if self._is_on_desk(work.key):
                self._comparison = found
                self._board.show(about_comparison(found))

        label = _("Fetching the readings of {image}").format(image=work.image_id)
        self._link.run(label, lambda server, _p: server.comparison(work.image_id), came)

    def make_consensus(self) -> None:
        """Let the server make one label out of everybody's; points that are too far apart are left open."""
        if not self._may(Action.COMPARE):
            return
        image_id = self._desk.work.image_id

        def made(consensus: Consensus) -> None:
            self._board.show(about_consensus(consensus))
            self._link.refresh()

        self._link.run(_("Making the consensus"), lambda server, _p: server.make_consensus(image_id), made)

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

    def _label(self, work: Work) -> str:
        """The label file of the work as it is now."""
        proposed = None if work.proposal is None else work.proposal.reading.spine
        geometry = self.stage.image.geometry
        return label_text(work.spine, geometry, work.image_id or work.name, work.size, proposed)

    def _proposed(self, proposal: Proposal) -> None:
        reading, landmarks = proposal.reading, self.stage.landmarks
        if reading.quality is not None and not reading.quality.typical:
            self._desk.change(proposal=proposal, swapped=False, levels_checked=False)
            self._board.show(about_refusal(reading.quality.reasons))
            return
        place = landmarks.show if landmarks.spine() is None else landmarks.replace
        place(reading.spine)
        self._desk.change(proposal=proposal, swapped=False, levels_checked=False)
        self._board.show(about_proposal(reading))
