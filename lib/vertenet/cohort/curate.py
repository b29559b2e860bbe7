"""A folder a patient out of whatever came: images are copied, never changed or moved, each once."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from ..errors import VerteNetError
from ..files import beside, sha256_of
from ..imaging.sniff import kind_of
from .folder import CohortFolder
from .header import header_of
from .names import safe_name, safe_place
from .reader import Job
from .sources import find_items

#: Of ``curated.csv``: a row an image of the inputs.
COLUMNS = (
    *("path", "outcome", "file", "patient", "sop_instance_uid", "manufacturer", "scanner", "study_month", "modality"),
    *("protocol", "orientation", "error"),
)
#: Where images go whose header names no patient; each keeps its folder.
NO_PATIENT = "no-patient"


def curate_images(
    inputs: Sequence[str],
    out: Path,
    key: bytes,
    *,
    listed: Callable[[int], None] = lambda images: None,
    done: Callable[[], None] = lambda: None,
) -> Counter[str]:
    """Copy every image to ``<out>/<patient>/<month>_<SOPInstanceUID>.dcm`` and list them in ``curated.csv``.

    The pseudonym is that of ``vertenet cohort``. An image that is no DICOM or names no patient goes to
    ``no-patient/`` under its own path. A file whose bytes are another's already is a duplicate and not copied again;
    two that differ are both kept. Started again, what is there already is not copied again.

    Returns
    -------
    Counter
        Of outcomes: copied, there already, duplicate, failed.

    Raises
    ------
    OptionError
        There is no image, or another run is writing to ``out``.
    """
    found = find_items(inputs, besides=out)
    listed(len(found.items))
    folder = CohortFolder(out)
    rows, copied = [], {}
    with folder.held():
        for item in found.items:
            rows.append(_curated(Job(item, ""), out, key, copied, folder.scratch))
            done()
        with beside(out / "curated.csv") as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
        shutil.rmtree(folder.settings.parent, ignore_errors=True)
    return Counter(row["outcome"] for row in rows)


def _curated(job: Job, out: Path, key: bytes, copied: dict[tuple[str, str], str], scratch: Path) -> dict[str, object]:
    item = job.item
    try:
        with item.file(scratch) as path:
            kind_of(path)
            header = header_of(path, key)
            cells = {**header.cells(), "protocol": header.protocol, "orientation": header.orientation}
            digest, patient = sha256_of(path), header.patient or NO_PATIENT
            row = {"path": item.path, "patient": patient, **cells}
            if (patient, digest) in copied:
                return {**row, "outcome": "duplicate", "file": copied[patient, digest]}
            target, there = _target(out, _name(header, item, patient), digest)
            if not there:
                with beside(target) as temporary:
                    shutil.copyfile(path, temporary)
            copied[patient, digest] = target.relative_to(out).as_posix()
            return {**row, "outcome": "there already" if there else "copied", "file": copied[patient, digest]}
    except (VerteNetError, OSError) as error:
        said = error.sentence if isinstance(error, VerteNetError) else str(error)
        return {"path": item.path, "outcome": "failed", "error": said}


def _name(header, item, patient: str) -> str:
    if header.sop_instance_uid and header.patient:
        return f"{patient}/{header.study_month or 'no-date'}_{safe_name(header.sop_instance_uid)}.dcm"
    return "/".join(filter(None, (patient, safe_place(item.folder), safe_name(item.name))))


def _target(out: Path, name: str, digest: str) -> tuple[Path, bool]:
    """Where a file of this hash goes (with its hash where its name is another's), and whether it is there already."""
    target = out / name
    if not target.exists():
        return target, False
    if sha256_of(target) == digest:
        return target, True
    target = target.with_name(f"{target.stem}-{digest[:12]}{target.suffix}")
    return target, target.exists()
