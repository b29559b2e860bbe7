"""Labels of the images of a folder: taken in, kept apart, compared, and counted on."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from monailabel.interfaces.exception import ImageNotFoundException, LabelNotFoundException

from vertenet import annotation
from vertenet.annotation import markups
from vertenet.errors import AnnotationError, OptionError, VerteNetError
from vertenet.files import clear_unfinished
from vertenet.measure.consensus import Agreement, compare_all, consensus
from vertenet.spine import Spine

from .. import plain
from ..audit import note
from ..identity import annotator_of
from ..state import DATABASE, state_folder
from .check import CheckedLabel, check_label
from .database import Database
from .enclosures import Enclosure, Enclosures, SubmissionConflictError
from .facts import ImageFacts
from .history import Action, History, Origin, Revision
from .images import ImageEntry, ImageIndex
from .mirror import LabelFiles
from .names import CONSENSUS, FINAL, ORIGINAL, REVIEWED
from .takeover import ImportReport, NamedImages, StockIndex, found_origin
from .truth import tag_for

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FinalLabel:
    """The label of an image that counts: its consensus, else the newest reviewed or final one.

    ``pixels_sha256`` says which pixels it was made on, None where nobody noted it.
    """

    image_id: str
    image_path: Path
    label_path: Path
    annotator: str
    revision: int
    pixels_sha256: str | None


@dataclass(frozen=True)
class Kept:
    """What became of a submission; ``repeated``: it had been kept before, and nothing was added."""

    revision: Revision
    repeated: bool = False


class LabelStore:
    """Landmark labels of radiographs, and who did what to them when.

    Labels are Markups, checked when they come (`check_label`). Each submission is a revision in the database and stays
    there; when `submit` returns, it is on the disk. Annotators' labels of one image are kept apart;
    ``labels/<tag>/<id>.mrk.json`` holds the newest. Several processes may use the same folder at once. What a stock
    MONAI Label left in the folder is taken over on the first start.

    Parameters
    ----------
    studies : str
        The folder of images; made if missing.
    read_only : bool
        Accept neither images nor labels.
    conf : mapping, optional
        ``--conf`` pairs of the command line; ``state`` names another folder for the database.

    Raises
    ------
    SchemaError
        The database, or the stock index that is to be taken over, is damaged.
    """

    def __init__(
        self,
        studies: str,
        *,
        read_only: bool = False,
        conf: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = Path(studies).expanduser().resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._read_only = read_only
        self._database = Database(state_folder(self.folder, conf) / DATABASE)
        #: A UUID that stays with the folder's database, see `Database`.
        self.identity = self._database.value("identity")
        self._images = ImageIndex(self.folder, self._database)
        if not read_only:
            clear_unfinished(self.folder)
        self._history = History(self._database)
        self._enclosures = Enclosures(self._database)
        self._files = LabelFiles(self.folder, self._database)
        if not self._database.value("taken over"):
            self._take_over()
        self.refresh()

    def refresh(self) -> None:
        """Look at the folder anew: images, label files that somebody put there, label files that are missing."""
        self._images.scan()
        if not self._read_only:
            self._take_found_labels()
            self._files.write_all()

    def check(self, *, thorough: bool = False) -> None:
        """Raises `StoreError` unless images can be read and labels be kept; ``thorough``: all of the database is."""
        self._images.check_folder()
        self._database.check(thorough=thorough)

    def person_of(self, image_id: str) -> str:
        """Whose image it is: a pseudonym of the DICOM header's patient, else the image's own id."""
        return self._images.facts(image_id).person or image_id

    def submit(
        self,
        image_id: str,
        content: bytes,
        tag: str = FINAL,
        info: Mapping[str, Any] | None = None,
        *,
        action: Action = "submitted",
    ) -> Revision:
        """Keep a label and its history, as `keep` does, and return its revision."""
        return self.keep(image_id, content, tag, info, action=action).revision

    def keep(
        self,
        image_id: str,
        content: bytes,
        tag: str = FINAL,
        info: Mapping[str, Any] | None = None,
        *,
        action: Action = "submitted",
    ) -> Kept:
        """Keep a label, its history and the reading that came with it, all or nothing.

        Parameters
        ----------
        image_id : str
        content : bytes
            A Markups file.
        tag : str
            Not everybody may choose each, see `tag_for`; a model's label is always ``original``.
        info : mapping, optional
            What the client says beside it. ``annotator`` or ``client_id`` names who, where no token does; a
            ``submission`` with an id is kept once for each annotator and image, however often and from wherever it
            comes; ``reading`` is a `vertenet.reading.Reading` of the label's landmarks; ``image_sha256`` is that of the
            image file which the annotator saw.
        action : Action
            A label that is ``proposed`` is a model's, ``info["sha256"]`` says which one's.

        Raises
        ------
        ImageNotFoundException
            There is no such image.
        OptionError
            The tag, the annotator's name or the submission is no plain word; the tag is the server's alone.
        HTTPException
            403: the tag needs another role.
        AnnotationError
            The file is no valid label of this image, or the reading is of something else.
        SchemaError
            The reading does not follow its schema.
        SubmissionConflictError
            The submission was kept before with other content, or the annotator saw another image than this one.
        ImageReadError
            The image cannot be read, so that no label can be held against it.
        """
        self._refuse_if_read_only()
        tag, info, of_model = tag_for(tag, action), dict(info or {}), action == "proposed"
        enclosure, who = Enclosure.taken_from(info), annotator_of(info)
        plain.notes(info, f"the label of {image_id}")
        submission = (image_id, who, enclosure.submission, enclosure.digest(tag, content))
        # Before the label is held against its image, which may be gone since the submission was kept.
        known = self._enclosures.known(*submission)
        if known is not None:
            return self._repeated(image_id, known)
        facts = self._facts(image_id)
        enclosure.refuse_other_image(self._images.path(self._images.require(image_id)), image_id)
        label = check_label(content, facts, image_id, of_model=of_model)
        enclosure.refuse_other_pixels(label, facts, image_id)
        reading = enclosure.checked_reading(label, facts, image_id)
        origin = Origin(who, action, info=info, pixels_sha256=facts.pixels_sha256)
        with self._database.writing() as connection:
            # Again, now that nobody else writes: the same submission may have come twice at once.
            known = self._enclosures.known(*submission)
            if known is None:
                if of_model and info.get("sha256"):
                    self._history.propose(connection, image_id, label.proposed, info["sha256"], info.get("version"))
                revision = self._history.append(connection, image_id, tag, label, origin)
                self._enclosures.keep_submission(connection, *submission, revision.number)
                self._enclosures.keep_reading(connection, image_id, revision.number, reading)
        if known is not None:  # answered out here, for the file is written in a transaction of its own
            return self._repeated(image_id, known)
        self._files.write(image_id, tag)
        return Kept(revision)

    def remember_proposal(self, image_id: str, content: bytes, sha256: str, version: str | None = None) -> None:
        """Note what a model answered for an image, so that a later label can be told to have started from it.

        Raises
        ------
        ImageNotFoundException, AnnotationError, ImageReadError
            As for `keep`.
        """
        label = check_label(content, self._facts(image_id), image_id, of_model=True)
        with self._database.writing() as connection:
            self._history.propose(connection, image_id, label.proposed, sha256, version)

    def labels_of(self, image_id: str, tag: str | None = None) -> list[Revision]:
        """The current label of each annotator (and tag), oldest first; empty for an unknown image."""
        return self._history.current(image_id, getattr(tag, "value", tag))

    def revisions(self, image_id: str) -> list[Revision]:
        """The image's whole history, oldest first; also of an image that was removed."""
        return self._history.revisions(image_id)

    def content_of(self, image_id: str, number: int) -> bytes | None:
        """The label file of a revision; None for a removal or an unknown number."""
        return self._history.content(image_id, number)

    def reading_of(self, image_id: str, number: int) -> str | None:
        """The reading that came with a revision, JSON; None where none did."""
        return self._enclosures.reading(image_id, number)

    def revisions_with_reading(self, image_id: str) -> frozenset[int]:
        """Numbers of the image's revisions that came with a reading."""
        return self._enclosures.numbers(image_id)

    def spine_of(self, revision: Revision) -> Spine:
        """The landmarks of a revision, source pixels."""
        content = self.content_of(revision.image_id, revision.number)
        return check_label(content, self._facts(revision.image_id), revision.image_id, of_model=True).spine

    def label_file(self, image_id: str, tag: str) -> Path:
        """The file of the newest label of an image and tag, which exists; written anew where somebody removed it."""
        path = self._files.path(image_id, tag)
        if not path.is_file():
            self._files.write(image_id, tag)
        return path

    def final_labels(self) -> list[FinalLabel]:
        """One label for each labelled image: the consensus, else the newest final or reviewed label.

        Labels of other pixels than the image has now do not count, nor do a model's answers, whatever their tag.
        """
        chosen: dict[str, Revision] = {}
        for revision in self._of_these_pixels():
            held = chosen.get(revision.image_id)
            if revision.is_truth and (held is None or held.tag != CONSENSUS):
                chosen[revision.image_id] = revision
        files = {entry.image_id: self._images.path(entry) for entry in self._images.entries()}
        return [
            FinalLabel(i, files[i], self.label_file(i, r.tag), r.annotator, r.number, r.pixels_sha256)
            for i, r in chosen.items()
            if i in files
        ]

    def outdated_labels(self) -> list[Revision]:
        """Current labels of images whose file has other pixels now than when they were made; they count for nothing."""
        entries = {entry.image_id: entry for entry in self._images.entries()}
        return [r for r in self._history.current() if r.image_id in entries and self._is_outdated(r, entries)]

    def is_outdated(self, revision: Revision) -> bool:
        """Whether a revision was made on other pixels than those that its image has now."""
        entry = self._images.get(revision.image_id)
        return entry is not None and self._is_outdated(revision, {revision.image_id: entry})

    def _is_outdated(self, revision: Revision, entries: Mapping[str, ImageEntry]) -> bool:
        made_on = revision.pixels_sha256
        return made_on is not None and self._images.pixels_of(entries[revision.image_id]) not in (None, made_on)

    def _of_these_pixels(self) -> list[Revision]:
        """Every current label but for the outdated ones."""
        entries = {entry.image_id: entry for entry in self._images.entries()}
        return [r for r in self._history.current() if r.image_id not in entries or not self._is_outdated(r, entries)]

    def end_labels(self, image_id: str, tag: str) -> None:
        """End the current labels of an image and tag, all annotators'; the history keeps them.

        Raises
        ------
        LabelNotFoundException
            There is none.
        """
        self._refuse_if_read_only()
        if not self.labels_of(image_id, tag):
            raise LabelNotFoundException(f"There is no label {tag!r} of {image_id!r} here")
        with self._database.writing() as connection:
            self._history.remove(connection, image_id, tag, annotator_of())
        self._files.write(image_id, tag)

    def agreement(self, image_id: str) -> list[Agreement]:
        """How far the annotators of an image lie apart, each pair of them; empty below two annotators."""
        readings = {who: self.spine_of(revision) for who, revision in self._readings(image_id).items()}
        return compare_all(readings, self._facts(image_id).spacing)

    def make_consensus(self, image_id: str) -> tuple[Revision, tuple[str, ...]]:
        """Make one label out of the annotators' labels of an image, see `vertenet.measure.consensus`.

        Returns
        -------
        (Revision, tuple of str)
            The label with the tag ``consensus``, and the points that its readers do not agree on.

        Raises
        ------
        AnnotationError
            Fewer than two annotators, or their readings cannot be joined.
        """
        self._refuse_if_read_only()
        facts = self._facts(image_id)
        readings = self._readings(image_id)
        spines = {who: self.spine_of(revision) for who, revision in readings.items()}
        spine, undecided = consensus(spines, f"image {image_id}", facts.spacing)
        info = {"of": {who: revision.number for who, revision in readings.items()}, "undecided": list(undecided)}
        text = _label_text(spine, facts)
        return self.submit(image_id, text.encode(), CONSENSUS, info, action="consensus"), undecided

    def import_labels(self, path: Path, *, tag: str = FINAL, info: Mapping[str, Any] | None = None) -> ImportReport:
        """Take in a landmark file of any format of `vertenet.annotation`: MakeSense, COCO, the authors' .mat and CSV.

        Labels find their images by name; importing the same file again changes nothing.

        Raises
        ------
        AnnotationError
            The file as a whole cannot be read as landmarks.
        """
        self._refuse_if_read_only()
        self._images.scan()
        tag, images = tag_for(tag, "imported"), NamedImages(self._images)
        taken, unchanged, unmatched, refused = [], [], [], []
        for name, found in annotation.load(path, images=images).items():
            entry = images.find(name)
            if entry is None:
                unmatched.append(name)
                continue
            facts = images[name]
            pixels = facts.pixels_sha256
            origin = Origin(annotator_of(info), "imported", info={"file": path.name}, pixels_sha256=pixels)
            try:
                label = check_label(
                    _label_text(found.spine, facts, found.pixels_sha256).encode(), facts, entry.image_id
                )
                Enclosure.refuse_other_pixels(label, facts, entry.image_id)
            except (AnnotationError, SubmissionConflictError) as error:
                refused.append(error.sentence)
                continue
            revision = self._append_unknown(entry.image_id, tag, label, origin)
            if revision is None:
                unchanged.append(entry.image_id)
            else:
                taken.append(revision)
        return ImportReport(tuple(taken), tuple(unchanged), tuple(unmatched), tuple(refused))

    def _take_over(self) -> None:
        """Ids, notes and labels of a stock datastore; done again from the start if it is interrupted."""
        index = StockIndex.read(self.folder)
        if index is not None and not self._read_only:
            with self._database.writing() as connection:
                for image_id, file in index.files.items():
                    self._images.adopt(connection, image_id, file, index.image_info[image_id])
            for key, value in (("name", index.name), ("description", index.description)):
                self._database.set_value(key, value)
            self._images.scan()
            self._take_found_labels(index)
        self._database.set_value("taken over", "yes")

    def _take_found_labels(self, index: StockIndex | None = None) -> None:
        """Make revisions of label files that the history does not know; set aside those that are no labels."""
        for image_id, tag, path in self._files.found():
            content = path.read_bytes()
            if self._images.get(image_id) is None or self._history.knows(image_id, content):
                continue
            noted = {} if index is None else index.label_info.get((image_id, tag), {})
            try:
                facts = self._facts(image_id)
                label = check_label(content, facts, image_id, of_model=tag == ORIGINAL)
                Enclosure.refuse_other_pixels(label, facts, image_id)
            except VerteNetError as error:
                logger.warning("%s was not taken as a label: %s", path.name, error.sentence)
                if self.labels_of(image_id, tag):  # its place is another's
                    self._files.put_aside(path)
                continue
            origin = replace(found_origin(path, noted), pixels_sha256=label.pixels_sha256)
            self._append_unknown(image_id, tag, label, origin)

    def _append_unknown(self, image_id: str, tag: str, label: CheckedLabel, origin: Origin) -> Revision | None:
        """The new revision; None where the history of the image holds this very file already."""
        with self._database.writing() as connection:
            if self._history.knows(image_id, label.content):
                return None
            revision = self._history.append(connection, image_id, tag, label, origin)
        self._files.write(image_id, tag)
        return revision

    def _repeated(self, image_id: str, number: int) -> Kept:
        revision = self._history.revision(image_id, number)
        self._files.write(image_id, revision.tag)  # the disk may have been full when the label was kept
        note(tag=revision.tag, revision_before=number, revision_after=number, label_sha256=revision.sha256)
        return Kept(revision, repeated=True)

    def _readings(self, image_id: str) -> dict[str, Revision]:
        """The newest final or reviewed label of each annotator of the image as it is now."""
        entry = self._images.require(image_id)
        return {
            r.annotator: r
            for r in self.labels_of(image_id)
            if r.tag in (FINAL, REVIEWED) and r.is_truth and not self._is_outdated(r, {image_id: entry})
        }

    def _facts(self, image_id: str) -> ImageFacts:
        try:
            return self._images.facts(image_id)
        except FileNotFoundError as error:
            raise ImageNotFoundException(f"The file of the image {image_id!r} is gone") from error

    def _refuse_if_read_only(self) -> None:
        self._images.check_folder()
        if self._read_only:
            raise OptionError("this store is read-only", remedy="Ask who runs the server")


def _label_text(spine: Spine, facts: ImageFacts, pixels_sha256: str | None = None) -> str:
    """The Markups file of a label of the image of these facts, or of other pixels under its name."""
    size = (facts.rows, facts.columns)
    pixels = pixels_sha256 or facts.pixels_sha256
    return markups.dumps(spine, facts.geometry, image=facts.name, size=size, pixels_sha256=pixels)
