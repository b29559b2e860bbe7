"""Names that may become parts of paths: image ids, label tags, and the endings of files."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from vertenet.errors import OptionError

#: Endings of the files that count as images, longest first where one ends with another.
IMAGE_EXTENSIONS = (".nii.gz", ".nii", ".nrrd", ".mha", ".dcm", ".png", ".jpg", ".jpeg", ".tif", ".tiff")
LABEL_EXTENSION = ".mrk.json"

#: A model's landmarks, an annotator's, a reviewer's, and what two annotators' became.
ORIGINAL, FINAL, REVIEWED, CONSENSUS = "original", "final", "reviewed", "consensus"
#: Tags that make an image count as labelled, the one that training believes first in front.
DONE = (CONSENSUS, REVIEWED, FINAL)

_TAG = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LONGEST_ID = 128
#: Bytes of an id beside which a label file, its temporary name and that of a refused one fit into the 255 of a name.
_LONGEST_SERVED = 210
_PREAMBLE = 128


def check_tag(tag: object) -> str:
    """``tag``, where it is a plain word: 1 to 64 letters, digits, dashes or underscores.

    Raises
    ------
    OptionError
        It is not; a tag names a folder, and ``../..`` would be one as well.
    """
    tag = getattr(tag, "value", tag)  # MONAI Label passes members of its enumeration
    if not (isinstance(tag, str) and _TAG.fullmatch(tag)):
        raise OptionError(f"the label tag {tag!r} is not a plain word", remedy="Use original, final or reviewed")
    return tag


def check_new_id(image_id: object) -> str:
    """``image_id``, where a file may be named after it.

    Letters and digits of any script, spaces and ``. _ - @ + = , ( )``; at most 128 bytes; it starts with a letter or
    digit, so that it is neither hidden nor an option, and does not end with a dot or a space.

    Raises
    ------
    OptionError
        It has another form: a path, above all.
    """
    plain = (
        isinstance(image_id, str)
        and re.fullmatch(r"[^\W_][\w .@+=,()-]*", image_id) is not None
        and not image_id.endswith((".", " "))
        and len(image_id.encode()) <= _LONGEST_ID
        and not any(unicodedata.category(letter).startswith("C") for letter in image_id)
    )
    if not plain:
        raise OptionError(
            f"the image id {str(image_id)[:80]!r} cannot be a file's name",
            remedy="Use letters, digits, dots, dashes and underscores, starting with a letter or digit",
        )
    return image_id


def why_not_served(image_id: str) -> str | None:
    """Why nothing can be asked or kept under this id, as a clause; None where it can.

    An id comes from a file's name, which may be anything but ``/`` and NUL. It goes into addresses, answers, the
    database and the names of label files.
    """
    try:
        size = len(image_id.encode())
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    if size > _LONGEST_SERVED:
        return f"its name is too long: {size} bytes before the ending, but {_LONGEST_SERVED} are possible"
    if any(unicodedata.category(letter) == "Cc" for letter in image_id):
        return "its name holds a control character, such as a new line or a tab"
    if "/" in image_id or "\\" in image_id:
        return "its name holds a slash or backslash"
    if image_id in ("", ".", ".."):
        return "its name is a folder's"
    return None


def shown(file: str) -> str:
    """A file's name as text that can be written anywhere: what cannot is shown as ``\\x`` and its number."""
    plain = file.replace("\\", "\\\\").encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(f"\\x{ord(c):02x}" if unicodedata.category(c) in ("Cc", "Cs") else c for c in plain)


def split_name(file: str) -> tuple[str, str]:
    """Id and ending of a file's name: (``1.2.840.113``, ``.dcm``); the ending is empty where it is none of ours."""
    for ending in (LABEL_EXTENSION, *IMAGE_EXTENSIONS):
        if file.lower().endswith(ending) and len(file) > len(ending):
            return file[: -len(ending)], file[-len(ending) :]
    return file, ""


def has_dicom_preamble(path: Path) -> bool:
    """Whether a file opens as a DICOM file (PS3.10, section 7.1); scanners often export them without an ending."""
    try:
        with path.open("rb") as file:
            return file.read(_PREAMBLE + 4)[_PREAMBLE:] == b"DICM"
    except OSError:
        return False
