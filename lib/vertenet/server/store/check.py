"""Which files are accepted as labels, and the sentences that refuse the others."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from vertenet.annotation import markups
from vertenet.annotation.markups_text import Note
from vertenet.annotation.names import parse_point, point_name
from vertenet.annotation.record import Known, parse_json
from vertenet.errors import AnnotationError, OptionError
from vertenet.imaging.sniff import sniff
from vertenet.measure.consistency import check
from vertenet.spine import STANDARD_LEVELS, Spine, Status

from .. import plain
from .facts import ImageFacts, OneImage
from .names import LABEL_EXTENSION

#: Points may lie this far (px) beyond the image's outermost pixel centres: half a pixel, and the rounding of viewers.
TOLERANCE_PX = 2.0
LARGEST_BYTES = 1 << 20

Points = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class CheckedLabel:
    """A label that may be kept.

    Attributes
    ----------
    content : bytes
        The file as it came.
    spine : Spine
        Source pixels.
    proposed : dict of str to (x, y)
        Where each present point was when its file was written, source pixels, as the points' descriptions tell; empty
        for a label drawn from nothing. A viewer keeps descriptions when points are moved.
    pixels_sha256 : str or None
        Of the pixels that the file says it was made on.
    """

    content: bytes
    spine: Spine
    proposed: Points
    pixels_sha256: str | None = None


def check_label(content: bytes, facts: ImageFacts, image_id: str, *, of_model: bool = False) -> CheckedLabel:
    """Accept a Markups file (``.mrk.json``) as the landmarks of an image, or say why not.

    Accepted are the points of `vertenet.spine` (``T12-SA`` ... ``L5-IP``, mid-endplate points ``-SM`` and ``-IM``, and
    the neighbouring levels T11, L6, S1) in one list, any of them absent, as long as one vertebra from T12 to L5 has its
    four corners. Present points lie within the image, `TOLERANCE_PX` aside; no vertebra is turned or crossed; levels
    follow each other from head to foot; the stated size, if any, is the image's.

    Parameters
    ----------
    content : bytes
    facts : ImageFacts
        Of the image.
    image_id : str
        For messages.
    of_model : bool
        A model's answer: shown as it is, so its plausibility and completeness are not judged.

    Raises
    ------
    AnnotationError
        The file is anything else; the sentence names the point.
    """
    subject = f"label of {image_id}"
    if len(content) > LARGEST_BYTES:
        raise AnnotationError(f"the file has {len(content)} bytes, and landmarks never need so many", subject=subject)
    with tempfile.TemporaryDirectory(prefix="vertenet-label-") as folder:
        path = Path(folder, f"label{LABEL_EXTENSION}")
        path.write_bytes(content)
        _refuse_other_kinds(path, content, subject)
        try:
            (annotation,) = markups.read(path, Known(images=OneImage(facts), names_needed=True)).values()
        except AnnotationError as error:
            # The temporary name would tell nobody anything.
            told = str(error.subject or "").replace(str(path), subject)
            raise AnnotationError(error.problem, subject=told, remedy=error.remedy) from error
    if annotation.size != (facts.rows, facts.columns):
        raise AnnotationError(
            f"the landmarks are for {annotation.columns} x {annotation.rows} pixels, "
            f"but the image has {facts.columns} x {facts.rows}",
            subject=subject,
        )
    if not of_model:
        _refuse_what_json_cannot_say(content, subject)
        _refuse_outside(annotation.spine, facts, subject)
        check(annotation.spine, subject)
        if not any(v.is_complete for v in annotation.spine if v.level in STANDARD_LEVELS):
            raise AnnotationError(
                "no vertebra from T12 to L5 has its four corners", subject=subject, remedy="Place at least one"
            )
    return CheckedLabel(content, annotation.spine, _proposed(content), annotation.pixels_sha256)


def _refuse_other_kinds(path: Path, content: bytes, subject: str) -> None:
    kind = "gzip" if content[:2] == b"\x1f\x8b" else sniff(path)
    if kind is not None:
        raise AnnotationError(
            f"the file is {kind} data, but labels here are landmarks, not segmentations",
            subject=subject,
            remedy=f"Submit the point list as a Markups file ({LABEL_EXTENSION})",
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AnnotationError("the file is no Markups file: it is not text (UTF-8)", subject=subject) from error
    if not text.strip():
        raise AnnotationError("the file is empty", subject=subject, remedy="Submit the point list with its points")
    if not isinstance(parse_json(text, subject).get("markups"), list):
        raise AnnotationError("the JSON is no Markups file: it has no list 'markups'", subject=subject)


def _refuse_what_json_cannot_say(content: bytes, subject: str) -> None:
    """The file goes out again as it came in, to programs that read less than Python does."""
    try:
        plain.parse(content, "the file")
    except OptionError as error:
        raise AnnotationError(error.problem, subject=subject) from error


def _refuse_outside(spine: Spine, facts: ImageFacts, subject: str) -> None:
    for name, corner in spine.named_points():
        inside_x = corner.x is None or -TOLERANCE_PX <= corner.x <= facts.columns - 1 + TOLERANCE_PX
        inside_y = corner.y is None or -TOLERANCE_PX <= corner.y <= facts.rows - 1 + TOLERANCE_PX
        if corner.is_present and not (inside_x and inside_y):
            raise AnnotationError(
                f"{name} at ({corner.x:.0f}, {corner.y:.0f}) lies outside the image of "
                f"{facts.columns} x {facts.rows} pixels",
                subject=subject,
                remedy="Move it, or mark it as not present",
            )


def _proposed(content: bytes) -> Points:
    proposed: Points = {}
    lists = parse_json(content.decode("utf-8-sig"), "label")["markups"]
    for markup in (markup for markup in lists if markup.get("type") == "Fiducial"):
        for point in markup.get("controlPoints", []):
            key, note = parse_point(point.get("label")), Note.parse(point.get("description"))
            if key is not None and note is not None and note.at and note.status is Status.PRESENT:
                proposed[point_name(*key)] = note.at
    return proposed
