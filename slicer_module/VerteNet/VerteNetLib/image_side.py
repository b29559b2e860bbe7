"""The part of a session that deals with which image is on the screen: the next one, the one before, an own one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

from vertenet.errors import VerteNetError
from vertenet.filenames import stem_of
from vertenet.files import write_text
from vertenet.radiograph import Spacing

from .answers import Origin
from .deidentify import installation_secret
from .i18n import _
from .interfaces import LoadedImage, Progress, Server
from .outbox import Sent
from .prefetch import Ready, Wish
from .server_side import ServerSide
from .states import Action
from .upload import prepare_upload
from .words import sentences
from .work import Work


class ImageSide(ServerSide):
    """Shows images; see `session.Session`."""

    def next_image(self, strategy: str = "hybrid") -> None:
        """Fetch and show the image that the server wants annotated next, without landmarks."""
        self.go_on(Wish(strategy, landmarks=False))

    def go_on(self, wish: Wish) -> None:
        """To the next image: of this sitting where the reader had gone back, else the server's."""
        if self.jobs.busy:
            self._may(Action.NEXT_IMAGE)
            return
        later, ready = self._sitting.next, self._prefetch.peek(wish)
        if later is not None:
            self._show_case(later)
            self._post.send_quietly()
        elif ready is not None:  # also while the server cannot be reached
            self._show_ready(self._prefetch.take(wish), wish)
            self._post.send_quietly()
        elif not self._may(Action.NEXT_IMAGE):
            return
        elif self._prefetch.is_under_way(wish):
            self._wait_for_next(wish)
        else:
            self._fetch_next(wish)

    def previous_image(self) -> None:
        """Back to the image before in this sitting, with what was made of it."""
        if not self._may(Action.PREVIOUS_IMAGE):
            return
        case = self._sitting.previous
        if case is None:
            self._board.inform(_("This is the first image of this sitting."))
        else:
            self._show_case(case)

    def use_volume(self, volume_id: str) -> None:
        """Work on a volume of the scene; one that came from a server is still that server's image."""
        if self._may(Action.USE_VOLUME):
            self._show(lambda: self.stage.adopt(volume_id))

    def open_file(self, path: Path) -> None:
        """Work on an image file of this computer; it is added to the scene."""
        if self._may(Action.USE_VOLUME):
            self._show(lambda: self.stage.load(path, stem_of(path.name)))

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
                self._sitting.again(key, self._desk.work)
            self._board.inform(_("The image is on the server as {image}.").format(image=image_id))
            self._link.refresh()

        self._link.run(_("Sending the image"), prepared.send, sent)

    def set_spacing(self, spacing: Optional[Spacing]) -> None:
        """What a pixel measures, as the reader knows it; None: as the file says, or unknown."""
        if self._may(Action.SET_SPACING):
            self.stage.set_spacing(spacing)
            self._desk.change(spacing=spacing)
            self._board.changed()

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

    def write_sitting(self, path: Path) -> bool:
        """Write the summary of the sitting, CSV; whether that went well."""
        self._note()
        try:
            write_text(Path(path), self._sitting.table(self.reader))
        except OSError as error:
            self._board.fail(error)
            return False
        text = _("The summary of {count} images is in {file}.")
        self._board.inform(text.format(count=len(self._sitting), file=path))
        return True

    def _fetch_next(self, wish: Wish) -> None:
        """Ask the server in the foreground; labels that wait go first, or it might offer their images again."""
        link, outbox, prefetch, store = self._link, self._post.outbox, self._prefetch, self._link.store
        # An image for a second reading is not leased: one that was read or begun here would come again.
        done = self._sitting.image_ids(store) if wish.second else frozenset()

        def work(server: Server, progress: Progress) -> tuple[Sent, Optional[Ready]]:
            sent = outbox.send(server, store, progress)
            return sent, prefetch.fetch(server, progress, replace(wish, landmarks=False), done)

        def show(found: tuple[Sent, Optional[Ready]]) -> None:
            sent, ready = found
            self._post.sent(sent)
            if ready is None:
                self._nothing_left()
            else:
                self._show_ready(ready, wish)

        link.run(_("Asking for the next image"), work, show)

    def _wait_for_next(self, wish: Wish) -> None:
        turn = self.turn

        def came(ready: Optional[Ready]) -> None:
            if self.turn != turn or self.jobs.busy:
                return  # the reader went elsewhere meanwhile
            if ready is None:
                self._fetch_next(wish)
            else:
                self._show_ready(ready, wish)

        self._prefetch.when_it_came(came)
        self._post.send_quietly()
        self._board.inform(_("The next image is on its way."))

    def _nothing_left(self) -> None:
        self._board.inform(_("No image is left: all are labelled, put aside, or on other desks."))

    def _show_ready(self, ready: Ready, wish: Wish) -> None:
        """An image of the server, with what the model says of it where that is wished."""
        if not self._show(
            lambda: self.stage.load(ready.path, ready.sample.image_id), ready.origin, ready.sample.scores
        ):
            return
        if wish.second and not self._desk.work.second:
            self._desk.change(second=wish.second)
        if ready.others and self.stage.landmarks.spine() is None:
            self._show_other(ready)
        if not wish.landmarks or self.stage.landmarks.spine() is not None:
            self._look_ahead(wish)
            return
        proposal, image = ready.proposal, self.stage.image
        if proposal is not None and (proposal.reading.image.rows, proposal.reading.image.columns) == (
            image.rows,
            image.columns,
        ):
            self._proposed(proposal)
            self._look_ahead(wish)
        else:
            self.auto_landmark(wish.anterior, then=lambda: self._look_ahead(wish))

    def _show_other(self, ready: Ready) -> None:
        """A second reading that begins with the first reader's landmarks; his grades stay his."""
        other = ready.others[-1]
        self.stage.landmarks.show(other.spine)
        if ready.proposal is not None:
            self._desk.change(proposal=ready.proposal)
        self._board.inform(_("These are the landmarks of {reader}.").format(reader=other.annotator))

    def _look_ahead(self, wish: Wish) -> None:
        """Fetch the image after this one, where the reader wants that (`ahead`)."""
        if self.ahead and self._sitting.next is None:
            self._prefetch.begin(wish, self._sitting.image_ids(self._link.store))

    def _show_case(self, case: Any) -> None:
        """An image of this sitting again; its volume is in the scene, or its file is read again."""
        key = case.work.key
        if self._drafts.get(key) is None:
            try:
                self._drafts.save(case.work)
            except OSError as error:
                self._board.fail(error)
                return
        if self.stage.holds(case.volume_id):
            self._show(lambda: self.stage.adopt(case.volume_id), case.work.origin)
        else:
            self.restore_draft(key)

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

    def _is_on_desk(self, key: str) -> bool:
        """Whether the image that something was asked about is still the one on the screen."""
        work = self._desk.work
        return work is not None and work.key == key

    def _show(
        self,
        show: Callable[[], LoadedImage],
        origin: Optional[Origin] = None,
        scores: Optional[Mapping[str, Any]] = None,
    ) -> bool:
        """Go on with another image; where it cannot be shown, the present one stays, and so does the work on it.

        Whether it is shown.
        """
        try:
            self._note()
            self._desk.save()
            image = show()
            file = self.stage.source_file()
            origin = origin or self._library.origin_of(file)
            taken_up = self._desk.begin(image, origin, "" if file is None else str(file))
        except (VerteNetError, OSError) as error:
            self._board.fail(error)
            return False
        self._scores, self._doubt, self._comparison = scores or {}, "", None
        self._sitting.shown(self._case())
        if taken_up:
            self._board.inform(_("Your unfinished work on {image} was taken up again.").format(image=image.name))
        elif image.warnings:
            self._board.warn(sentences(image.warnings))
        else:
            self._board.inform(_("{image} is ready.").format(image=image.name))
        return True
