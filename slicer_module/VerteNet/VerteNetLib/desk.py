"""The one image that is being worked on, and what is kept of it: a draft file a moment after every change."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from typing import Any, Optional

from vertenet.measure.aac import Aac24
from vertenet.spine import Spine

from .answers import Origin
from .board import Board
from .drafts import Drafts
from .history import History
from .interfaces import LoadedImage, Stage, Unsubscribe
from .jobs import Jobs
from .outbox import describe_damaged
from .work import Work, key_of

#: How soon after a change the draft is written, seconds; a drag is many changes.
SAVE_S = 0.7


class Desk:
    """Keeps `work` and the landmarks of the stage together.

    Parameters
    ----------
    stage, jobs, board, drafts
    """

    def __init__(self, stage: Stage, jobs: Jobs, board: Board, drafts: Drafts) -> None:
        self._stage, self._jobs, self._board, self._drafts = stage, jobs, board, drafts
        self._work: Optional[Work] = None
        self._kept: tuple[Any, ...] = ()
        #: The landmarks as they were last seen.
        self._spine: Optional[Spine] = None
        self._begun = time.monotonic()
        #: Grows with every image that is put on the desk, also with the same one again.
        self.turn = 0
        self._grades: History[Aac24] = History()
        #: The latest change of landmarks that was seen.
        self._moment = 0
        self._timer: Optional[Unsubscribe] = None
        self._following = stage.landmarks.subscribe(self.touched)

    @property
    def work(self) -> Optional[Work]:
        """The work as it is now, landmarks included; None without an image."""
        if self._work is None or self._stage.image is None:
            return None
        spine = self._stage.landmarks.spine()
        work = replace(self._work, spine=spine, minutes=self._minutes())
        return work if work.content == self._kept else replace(work, submitted="")

    def begin(self, image: LoadedImage, origin: Optional[Origin], file: str = "") -> bool:
        """Start with an image that was just put on the stage; whether unfinished work on it was taken up again."""
        # Whatever fails below: never the work of one image on another.
        self._stop_timer()
        self._work, self._kept = None, ()
        pixels = "" if origin else hashlib.sha256(self._stage.radiograph().pixels.tobytes()).hexdigest()
        work = Work(image.name, (image.rows, image.columns), origin, pixels, file)
        draft = self._drafts.get(work.key)
        self._tell_damaged()
        if draft is None or draft.size != work.size:
            self._take(work)
            return False
        self._take(replace(draft, origin=origin, file=file))
        if draft.spacing is not None:
            self._stage.set_spacing(draft.spacing)
        if draft.spine is not None and self._stage.landmarks.spine() is None:
            self._stage.landmarks.show(draft.spine)
        self._kept = self.work.content
        return not draft.is_empty

    def change(self, **fields: Any) -> None:
        """Replace parts of the work that are not landmarks."""
        if self._work is not None:
            self._work = replace(self._work, **fields)
            self.touched()

    def grade(self, score: Aac24) -> None:
        """Replace the grades; `undo` takes that back."""
        if self._work is not None and score != self._work.aac:
            self._grades.remember(self._work.aac)
            self._stage.landmarks.forget_undone()
            self.change(aac=score)

    @property
    def can_undo(self) -> bool:
        return bool(self._grades.last or self._stage.landmarks.last_change())

    @property
    def can_redo(self) -> bool:
        return bool(self._grades.next or self._stage.landmarks.next_change())

    def undo(self) -> None:
        """Take back what was done last, to the grades or to the landmarks."""
        if self._grades.last > self._stage.landmarks.last_change():
            self.change(aac=self._grades.back(self._work.aac))
        else:
            self._stage.landmarks.undo()

    def redo(self) -> None:
        """Make again what was undone last."""
        of_grades, of_landmarks = self._grades.next, self._stage.landmarks.next_change()
        if of_grades and (not of_landmarks or of_grades < of_landmarks):
            self.change(aac=self._grades.forward(self._work.aac))
        else:
            self._stage.landmarks.redo()

    def touched(self) -> None:
        """Something changed: keep it soon."""
        moment = self._stage.landmarks.last_change()
        if moment > self._moment:  # something new, and not what was undone made again
            self._moment = moment
            self._grades.forget_undone()
        self._spine = self._stage.landmarks.spine() or self._spine
        if self._timer is None and self._work is not None:
            self._timer = self._jobs.after(SAVE_S, self._save_in_time)

    def save(self) -> None:
        """Keep the work now. Raises OSError."""
        work = self.work
        if work is None and self._work is not None:  # the scene was closed before this was asked
            work = replace(self._work, spine=self._spine, minutes=self._minutes(), submitted="")
        if work is None or work.content == self._kept or (work.is_empty and not self._kept):
            return
        self._drafts.save(work)
        self._kept = work.content

    def submitted(self, submission_id: str) -> None:
        """The work as it is now is in the outbox under this id."""
        self._work = replace(self.work, submitted=submission_id)
        self._kept = self._work.content
        self._drafts.save(self._work)

    def arrived(self, submission_id: str, origin: Origin) -> None:
        """A label is on the server: its draft is not needed any more, unless the work went on."""
        work = self.work
        key = key_of(origin)
        on_desk = work is not None and work.key == key
        kept = work if on_desk else self._drafts.get(key)
        if kept is not None and kept.submitted == submission_id:
            self._drafts.remove(key)

    def belongs_to(self, origin: Origin) -> None:
        """The image of this computer has become one of a server's."""
        before = self._work.key
        self._work = replace(self._work, origin=origin, pixels_sha256="")
        self._kept = ()
        self.save()
        self._drafts.remove(before)

    def put_away(self) -> None:
        """Let go of the image; what was made of it is kept. Raises OSError."""
        self.save()
        self._stop_timer()
        self._work, self._kept = None, ()

    def discard(self) -> None:
        """Let go of the image and of the work on it."""
        if self._work is not None:
            self._drafts.remove(self._work.key)
        self._stop_timer()
        self._work, self._kept = None, ()

    def close(self) -> None:
        self._following()
        self.put_away()

    def _take(self, work: Work) -> None:
        self._stop_timer()
        self._work, self._kept, self._begun = work, (), time.monotonic()
        self.turn += 1
        self._grades = History()
        self._spine = self._stage.landmarks.spine()

    def _minutes(self) -> float:
        return self._work.minutes + (time.monotonic() - self._begun) / 60

    def _save_in_time(self) -> None:
        self._timer = None
        try:
            self.save()
        except OSError as error:
            self._board.fail(error)
        self._board.changed()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer()
            self._timer = None

    def _tell_damaged(self) -> None:
        if self._drafts.damaged:
            self._board.warn(describe_damaged(self._drafts.damaged))
            self._drafts.damaged.clear()
