"""The labelled images as a zip that ``vertenet train --data`` reads: images, landmarks and a table, side by side."""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vertenet.annotation import markups
from vertenet.learning.cases import CASES_TABLE, UNKNOWN_SCANNER
from vertenet.reading import RESEARCH_USE
from vertenet.spine import Spine

from .facts import ImageFacts
from .history import Revision
from .names import LABEL_EXTENSION, split_name

COLUMNS = ("image", "person", "scanner", "image_id", "tag", "annotator", "revision", "label_sha256")


@dataclass(frozen=True, eq=False)
class ArchivedCase:
    """One image for the archive: its file, the landmarks that count, and all that ever was said of it.

    ``reading`` is the one that came with ``revision``, in its published form; None where none did.
    """

    path: Path
    facts: ImageFacts
    person: str
    spine: Spine
    revision: Revision
    history: tuple[Revision, ...]
    reading: Mapping[str, Any] | None = None


def write_archive(cases: Sequence[ArchivedCase]) -> Path:
    """A new temporary zip file; whoever receives it deletes it.

    Beside each image lies its ``.mrk.json``, which says which pixels it was made on. Names have no dots but that of the
    ending, so that no program cuts them elsewhere; ``cases.csv`` tells ids, persons (pseudonyms) and scanners, and
    ``history.json`` who did what to each label, and from which model's proposal; ``readings.json`` what was measured
    and scored with it. Image files are copied as they are: a DICOM header's patient data go with them.
    """
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    taken: set[str] = set()
    histories, readings = {}, {}
    with tempfile.NamedTemporaryFile(prefix="vertenet-dataset-", suffix=".zip", delete=False) as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for case in cases:
                stem = _free_stem(case.revision.image_id, taken)
                name = stem + (split_name(case.path.name)[1].lower() or ".dcm")
                archive.write(case.path, name)
                size = (case.facts.rows, case.facts.columns)
                pixels = case.revision.pixels_sha256
                text = markups.dumps(case.spine, case.facts.geometry, image=name, size=size, pixels_sha256=pixels)
                archive.writestr(f"{stem}{LABEL_EXTENSION}", text)
                r = case.revision
                scanner = case.facts.scanner or UNKNOWN_SCANNER
                writer.writerow([name, case.person, scanner, r.image_id, r.tag, r.annotator, r.number, r.sha256])
                histories[name] = [asdict(revision) for revision in case.history]
                if case.reading is not None:
                    readings[name] = case.reading
            archive.writestr(CASES_TABLE, table.getvalue())
            for file_name, said in (("history.json", histories), ("readings.json", readings)):
                archive.writestr(file_name, json.dumps({"notice": RESEARCH_USE, "images": said}, indent=1))
        return Path(file.name)


def _free_stem(image_id: str, taken: set[str]) -> str:
    plain = re.sub(r"[^\w-]+", "-", image_id).strip("-") or "image"
    stem, number = plain, 2
    while stem.casefold() in taken:
        stem, number = f"{plain}-{number}", number + 1
    taken.add(stem.casefold())
    return stem
