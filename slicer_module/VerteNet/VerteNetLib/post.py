"""Labels from the desk to the server: first into the outbox, then over the link, when there is one."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Optional

from vertenet.reading import Reading

from .answers import Submission
from .board import Board
from .connection import Connection
from .failures import FailureKind, ServerError
from .i18n import _
from .jobs import CancelledError
from .link import Link
from .outbox import Outbox, Sent, describe_damaged
from .work import Work


class Post:
    """Sends what is in the outbox, one transfer at a time.

    Parameters
    ----------
    outbox, link, board
    arrived : callable
        Called with each submission that the server has now.
    """

    def __init__(self, outbox: Outbox, link: Link, board: Board, arrived: Callable[[Submission], None]) -> None:
        self._outbox, self._link, self._board, self._arrived = outbox, link, board, arrived
        #: The connection over which labels are being sent.
        self._sending: Optional[Connection] = None
        self._again = False
        #: The last label of this session that was added and not refused.
        self._latest: Optional[Submission] = None
        self._outbox.waiting()
        self._tell_damaged()

    @property
    def outbox(self) -> Outbox:
        return self._outbox

    def count(self) -> int:
        """Labels that wait for this server, or for any while there is none."""
        return self._outbox.count(self._link.store or None)

    def add(self, work: Work, tag: str, markups: str, reading: Reading, annotator: str, comment: str) -> Submission:
        """Keep a label until the server has it. Raises OSError."""
        submission = Submission(
            str(uuid.uuid4()),
            work.image_id,
            tag,
            markups,
            reading.to_dict(),
            annotator,
            comment,
            work.origin.sha256,
        )
        self._outbox.add(submission, work.store)
        self._latest = submission
        return submission

    def has_taken(self, work: Work, tag: str, comment: str) -> bool:
        """Whether this very work was handed in already, and not refused: pressing twice makes no second label."""
        candidates = [entry.submission for entry in self._outbox.waiting(work.store)]
        candidates += [self._latest] if self._latest is not None else []
        wanted = (work.submitted, tag, comment)
        return any(wanted == (each.submission_id, each.tag, each.comment) for each in candidates)

    def holds(self, submission_id: str) -> bool:
        """Whether a label is still on this computer; one that was added and is not has arrived."""
        return self._outbox.holds(submission_id)

    def send_or_wait(self) -> None:
        """Send now where the server can be reached, and tell the user what became of it."""
        if self._link.online:
            self._send(quiet=False)
        else:
            self._board.warn(_("The label is kept on this computer; it is sent when the server can be reached again."))

    def send_quietly(self) -> None:
        """Send what waits for this server, if anything does, beside whatever the user does."""
        if self.count():
            self._send(quiet=True)

    def rejected(self) -> Sequence[str]:
        """Sentences on labels that servers refused."""
        return tuple(
            _("{image}: {problem} The label is kept in {path}.").format(
                image=entry.submission.image_id, problem=entry.problem, path=self._outbox.path_of_refused(entry)
            )
            for entry in self._outbox.refused()
        )

    def _send(self, *, quiet: bool) -> None:
        connection = self._link.connection
        if self._sending is connection:
            self._again = True
            return
        self._sending, self._again = connection, False
        store = self._link.store
        self._link.run(
            _("Sending labels"),
            lambda server, progress: self._outbox.send(server, store, progress),
            self._was_sent,
            self._interrupted,
            quiet=quiet,
        )

    def _was_sent(self, sent: Sent) -> None:
        self._sending = None
        self.sent(sent)
        if self._again:
            self.send_quietly()

    def sent(self, sent: Sent) -> None:
        """What became of labels, however they went: tell it, and those who wait for it."""
        for submission, _receipt in sent.accepted:
            self._arrived(submission)
        if self._latest in [entry.submission for entry in sent.refused]:
            self._latest = None
        if sent.failure is not None:
            self._link.noticed(sent.failure)
            self._board.fail(_waits(sent.failure))
        elif sent.refused:
            self._board.fail(_refused(sent))
        elif len(sent.accepted) == 1:
            (submission, receipt), *_rest = sent.accepted
            text = _("The label of {image} is on the server (revision {number}).")
            self._board.inform(text.format(image=submission.image_id, number=receipt.revision))
        elif sent.accepted:
            self._board.inform(_("{count} labels are on the server.").format(count=len(sent.accepted)))
        self._tell_damaged()
        if sent.accepted:
            self._link.refresh()

    def _interrupted(self, error: Exception) -> None:
        self._sending = None
        if isinstance(error, CancelledError):
            self._board.warn(_("Stopped. The label is kept on this computer, and can be sent later."))
        else:
            self._board.fail(error)

    def _tell_damaged(self) -> None:
        if self._outbox.damaged:
            self._board.warn(describe_damaged(self._outbox.damaged))
            self._outbox.damaged.clear()


def _waits(failure: ServerError) -> ServerError:
    remedy = _("The label is kept on this computer, and sent when the server takes it")
    return ServerError(failure.kind, f"{failure.sentence} {remedy}")


def _refused(sent: Sent) -> ServerError:
    entry = sent.refused[0]
    problem = _("The server did not take the label: {problem}").format(problem=entry.problem)
    remedy = _("Correct it and submit again; the refused label is kept too")
    return ServerError(FailureKind.REJECTED, problem, subject=entry.submission.image_id, remedy=remedy)
