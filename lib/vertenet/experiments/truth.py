"""The cases of a folder to measure on: landmarks of any kind, partial truth, and the sets that tables tell apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..annotation.truth_table import TRUTH_TABLE, PartialTruth, read_truth_table
from ..errors import AnnotationError
from ..imaging import ImageFolder
from ..imaging.identity import identity_of
from ..learning.archive import unpacked
from ..learning.cases import CASES_TABLE, UNKNOWN_SCANNER, Case, annotated_cases, cases_table

#: What the column ``naming`` of ``cases.csv`` may say: whether the names of the truth are beyond doubt.
CERTAIN, DOUBTFUL = "certain", "doubtful"


def cases_to_measure(folder: Path) -> list[Case]:
    """The annotated images of a folder, or of a zip of one, and those of its ``truth.csv``, by name.

    What the table says of an image is its truth, whatever else lies beside it. ``cases.csv`` may have, beside person
    and scanner, the columns ``set`` (what tables tell apart), ``naming`` (``certain`` or ``doubtful``) and
    ``anterior`` (``left`` or ``right``, for truth whose corners do not tell it).

    Raises
    ------
    AnnotationError
        No image has landmarks, a table is damaged, or it speaks of an image that is not there.
    AmbiguousNameError
        What a table calls an image could be two.
    """
    folder = unpacked(folder)
    images = ImageFolder(folder)
    table = cases_table(folder / CASES_TABLE, images)
    truths = _partial_truths(folder / TRUTH_TABLE, images)
    cases = {case.name: case for case in annotated_cases(folder, needed=not truths)}
    for name, truth in truths.items():
        cases[name] = _case(folder, images, name, truth, table.get(name, {}))
    return [_in_its_set(cases[name], table.get(name, {}), folder / CASES_TABLE) for name in sorted(cases)]


def _partial_truths(path: Path, images: ImageFolder) -> dict[str, PartialTruth]:
    """What the table says, by the image that its names mean; nothing where there is no table."""
    found: dict[str, PartialTruth] = {}
    for name, truth in (read_truth_table(path) if path.is_file() else {}).items():
        image = images.find(name)
        if image is None:
            raise AnnotationError(f"the folder has no image {name!r}", subject=path, remedy="Give its full name")
        if image in found:
            raise AnnotationError(f"two of its names are of the image {image}", subject=path, remedy="Keep one")
        found[image] = truth
    return found


def _case(folder: Path, images: ImageFolder, name: str, truth: PartialTruth, row: dict[str, str]) -> Case:
    spine = truth.spine
    side = truth.anterior or row.get("anterior") or None
    if side not in (None, "left", "right"):
        raise AnnotationError(
            f"anterior of {name} is {side!r}", subject=folder / CASES_TABLE, remedy="Write left or right"
        )
    header = identity_of(folder / name)
    if side is not None:
        spine = replace(spine, anterior=side)
    return Case(
        name,
        row.get("person") or header.person or name,
        row.get("scanner") or header.scanner or UNKNOWN_SCANNER,
        spine,
        spine,
        lambda: images[name],
        centres=truth.centres,
        side_known=side is not None,
    )


def _in_its_set(case: Case, row: dict[str, str], table: Path) -> Case:
    naming = row.get("naming") or CERTAIN
    if naming not in (CERTAIN, DOUBTFUL):
        raise AnnotationError(
            f"naming of {case.name} is {naming!r}", subject=table, remedy=f"Write {CERTAIN} or {DOUBTFUL}"
        )
    return replace(case, set=row.get("set") or "", doubtful=naming == DOUBTFUL)
