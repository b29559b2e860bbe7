"""All that panels read of a session: what is possible now, what was said, how far things are."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from vertenet.errors import GeometryError
from vertenet.measure.aac import Aac24
from vertenet.measure.matching import named_alike, pixel_size
from vertenet.radiograph import Spacing
from vertenet.reading import Reading
from vertenet.spine import Spine

from .answers import (
    Comparison,
    ModelVersion,
    Origin,
    Proposal,
    Sample,
    ServerInfo,
    Submission,
    TrainingProgress,
)
from .assessment import assess_work
from .board import Board, Message
from .client import Client
from .connection import Connection
from .desk import Desk
from .drafts import Draft, Drafts
from .i18n import _
from .identity import READER_KEY
from .interfaces import Server, Settings, Stage, Unsubscribe
from .jobs import Jobs
from .library import Library
from .link import RECONNECT_S, Link
from .local_server import PROGRAM_KEY, LocalServer, find_program
from .outbox import Outbox
from .post import Post
from .prefetch import Prefetch
from .questions import before_sending
from .sitting import OPEN, Case, Sitting
from .states import Action, Phase, Situation, allows
from .training_watch import POLL_S, TrainingWatch


@dataclass(frozen=True)
class Statistics:
    """``labelled``: images whose label arrived since the session began; ``left``: images without a final label on the
    server (None: not connected); ``minutes_per_image``: median, None before the first one."""

    labelled: int
    left: Optional[int]
    minutes_per_image: Optional[float]


class SessionState:
    """The parts of a session, and what can be read of them; see `session.Session`."""

    def __init__(
        self,
        stage: Stage,
        settings: Settings,
        jobs: Jobs,
        folder: Path,
        connect: Callable[[Connection], Server] = Client,
        haste: float = 1.0,
    ) -> None:
        self.stage, self.settings, self.jobs, self.folder = stage, settings, jobs, folder
        self._board = Board()
        self._drafts = Drafts(folder / "drafts")
        self._library = Library(folder / "images")
        self._desk = Desk(stage, jobs, self._board, self._drafts)
        self._link = Link(jobs, self._board, connect, self._found_again, self._replaced, RECONNECT_S / haste)
        self._post = Post(Outbox(folder / "outbox"), self._link, self._board, self._arrived)
        self._watch = TrainingWatch(jobs, self._board, self._link, POLL_S / haste)
        self._local: Optional[LocalServer] = None
        self._scores: Mapping[str, Any] = {}
        #: Everybody's readings of the present image, where they were asked for.
        self._comparison: Optional[Comparison] = None
        #: What was said of the latest grade.
        self._doubt = ""
        #: Origin to minutes, of labels on their way and of those that arrived.
        self._spent: dict[Origin, float] = {}
        self._done: set[Origin] = set()
        self._sitting = Sitting()
        self._prefetch = Prefetch(self._link, self._library)
        #: Whether the image after the present one is fetched while that is read.
        self.ahead = False
        self._polling = jobs.listeners.subscribe(self._board.changed)

    # What is shown

    @property
    def situation(self) -> Situation:
        work, store = self._desk.work, self._link.store
        phase = Phase.NO_IMAGE if work is None else Phase.IMAGE if work.spine is None else Phase.EDITING
        installed = find_program(self.settings.get(PROGRAM_KEY)) is not None
        return Situation(
            online=self._link.online,
            phase=phase,
            busy=self.jobs.busy,
            on_server=work is not None and bool(work.image_id) and store in ("", work.store),
            unsent=self.unsent,
            training=self._watch.is_running,
            can_train=self.info is not None and self.info.trains,
            alternative=work is not None and work.alternative is not None,
            local_server=(self._local is not None and self._local.is_running) if installed else None,
        )

    def allows(self, action: Action) -> bool:
        return allows(self.situation, action)

    def subscribe(self, changed: Callable[[], None]) -> Unsubscribe:
        """``changed`` is called in the main thread after anything changed."""
        return self._board.listeners.subscribe(changed)

    @property
    def message(self) -> Optional[Message]:
        return self._board.message

    @property
    def progress(self) -> Optional[tuple[str, Optional[float]]]:
        """What runs in the foreground, and the share of it that is done where known."""
        return self.jobs.progress

    @property
    def info(self) -> Optional[ServerInfo]:
        return self._link.info

    @property
    def connection(self) -> Optional[Connection]:
        return self._link.connection

    @property
    def sample(self) -> Optional[Sample]:
        """The image on the server that is being worked on."""
        work = self._desk.work
        return Sample(work.image_id, self._scores) if work is not None and work.image_id else None

    @property
    def proposal(self) -> Optional[Proposal]:
        work = self._desk.work
        return None if work is None else work.proposal

    @property
    def training(self) -> Optional[TrainingProgress]:
        return self._watch.progress

    @property
    def versions(self) -> tuple[ModelVersion, ...]:
        return self._watch.versions

    @property
    def unsent(self) -> int:
        """Labels that wait for this server, or for any while there is none."""
        return self._post.count()

    @property
    def statistics(self) -> Statistics:
        spent = [minutes for origin, minutes in self._spent.items() if origin in self._done]
        left = None if self.info is None else max(0, self.info.total - self.info.labelled)
        return Statistics(len(self._done), left, statistics.median(spent) if spent else None)

    @property
    def sitting(self) -> Sitting:
        return self._sitting

    @property
    def number_of_cases(self) -> int:
        """Of this sitting, as far as it can be known: images looked at, and those that are left on the server."""
        left = self.statistics.left or 0
        return max(len(self._sitting), len(self._done) + left)

    @property
    def minutes(self) -> float:
        """Spent on the present image."""
        work = self._desk.work
        return 0.0 if work is None else work.minutes

    @property
    def levels_checked(self) -> bool:
        work = self._desk.work
        return work is not None and work.levels_checked

    @property
    def levels_open(self) -> bool:
        """The model is not sure of the levels, and nobody has said yet that they are right."""
        work = self._desk.work
        asked = work is not None and work.proposal is not None and work.spine is not None
        return asked and not work.levels_checked and not work.proposal.reading.levels.certain

    @property
    def alternative(self) -> Optional[Spine]:
        """The naming that the model offers beside the one on the screen; None where it has one only."""
        work = self._desk.work
        if work is None or work.alternative is None:
            return None
        # By what is on the screen: a swap may have been undone.
        is_second = work.spine is not None and named_alike(work.spine, work.alternative, pixel_size(self._spacing))
        return work.proposal.reading.spine if is_second else work.alternative

    @property
    def _spacing(self) -> Optional[Spacing]:
        image = self.stage.image
        return None if image is None else image.spacing

    @property
    def second(self) -> str:
        """Which kind of second reading this is, see `prefetch.Wish`; empty for a first one."""
        work = self._desk.work
        return "" if work is None else work.second

    @property
    def comparison(self) -> Optional[Comparison]:
        """Everybody's readings of the image on the screen, after `Session.compare`."""
        return self._comparison

    @property
    def beside(self) -> tuple[Optional[Spine], bool]:
        """What is drawn beside the landmarks: another reader's, with outlines, or the model's other naming."""
        if self._comparison is not None and self._comparison.others:
            return self._comparison.others[-1].spine, True
        return (self.alternative if self.levels_open else None), False

    @property
    def aac(self) -> Aac24:
        work = self._desk.work
        return Aac24() if work is None else work.aac

    @property
    def turn(self) -> int:
        """Another number for each image that comes on the desk, also for the same one again."""
        return self._desk.turn

    @property
    def can_undo(self) -> bool:
        return self._desk.can_undo

    @property
    def can_redo(self) -> bool:
        return self._desk.can_redo

    def questions(self) -> Sequence[str]:
        """Sentences on what is open or contradicts itself, to be asked before the label is sent."""
        return before_sending(self.aac, self.stage.overlays.crop(), self.levels_open)

    @property
    def reader(self) -> str:
        return self.settings.get(READER_KEY)

    @reader.setter
    def reader(self, name: str) -> None:
        before = self.reader
        self.settings.set(READER_KEY, name.strip())
        if before not in ("", name.strip()):  # somebody else sits down
            self._sitting = Sitting()
            self._prefetch.forget()
        self._board.changed()

    @property
    def notes(self) -> str:
        work = self._desk.work
        return "" if work is None else work.notes

    @notes.setter
    def notes(self, text: str) -> None:
        self._desk.change(notes=text)

    def reading(self) -> Reading:
        """Everything that follows from the landmarks as they are now, with grades and notes.

        Raises
        ------
        VerteNetError
            There is no image, or there are no landmarks.
        """
        work = self._desk.work
        if work is None or work.spine is None:
            raise GeometryError(_("there are no landmarks yet"), remedy=_("Let the model place them, or start by hand"))
        return assess_work(self.stage.radiograph(), work.spine, work, self.reader)

    def changed(self) -> None:
        """Something that panels show was changed beside the session, such as a setting."""
        self._board.changed()

    def rejected(self) -> Sequence[str]:
        """Sentences: labels that the server refused, each with its reason and the file that keeps it."""
        return self._post.rejected()

    def drafts(self) -> Sequence[Draft]:
        """Work that was kept and has not arrived, newest first."""
        kept = []
        for draft in self._drafts.all():
            # Its label may have arrived when nobody listened: after "stop", or from another window.
            if draft.submitted and not self._post.holds(draft.submitted):
                self._drafts.remove(draft.key)
            else:
                kept.append(draft)
        return kept

    def _note(self, result: str = OPEN) -> None:
        """Remember for the sitting what was made of the image on the screen."""
        if self._desk.work is not None:
            self._sitting.note(self._case(result))

    def _case(self, result: str = OPEN) -> Case:
        crop = self.stage.overlays.crop()
        return Case(self._desk.work, self.stage.image.volume_id, () if crop is None else crop.segments, result)

    def _found_again(self) -> None:
        """The server answers again after it was gone."""
        self._board.inform(_("The server answers again."))
        self._watch.look()
        self._post.send_quietly()

    def _replaced(self) -> None:
        """Another store answers where the server was."""
        self._watch.forget()
        self._prefetch.forget()

    def _arrived(self, submission: Submission) -> None:
        """A label is on the server. It may be of an earlier session, and then took no time of this one."""
        origin = Origin(self._link.store, submission.image_id, submission.image_sha256)
        self._desk.arrived(submission.submission_id, origin)
        self._done.add(origin)
        self._watch.look()  # enough labels start a round by themselves
