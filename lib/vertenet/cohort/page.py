"""The pages of a cohort: what is to be looked at first, and quality by scanner and month."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import SchemaError
from ..reading import Reading
from ..report.gallery import GalleryEntry, Section, write_gallery
from ..report.tables import printable
from .dicomweb import is_url
from .journal import Journal
from .summary import Group, Summary, scanner_of

#: Images of one page.
A_PAGE = 200
HEADS = ("images", "usable", "failed", "refused", "uncertain", "cropped", "median quality")


def write_pages(
    journal: Journal, paths: Sequence[str], out: Path, summary: Summary, passed_over: Mapping[str, int]
) -> None:
    """Write ``index.html`` and, for further images, ``index-2.html`` and so on, the most urgent images first."""
    ordered, root = look_first_order(journal, paths), _common_folder(paths)
    parts = [ordered[start : start + A_PAGE] for start in range(0, len(ordered), A_PAGE)] or [[]]
    names = ["index.html", *(f"index-{number}.html" for number in range(2, len(parts) + 1))]
    for number, (name, part) in enumerate(zip(names, parts)):
        write_gallery(
            (_entry(record, out, root) for record in journal.records(part)),
            out / name,
            title="Cohort: look at this first" if number == 0 else f"Cohort, page {number + 1} of {len(names)}",
            introduction=_introduction(summary, passed_over, root) if number == 0 else "",
            sections=quality_sections(summary) if number == 0 else (),
            pages=names,
        )
    for old in out.glob("index-*.html"):
        if old.name not in names:
            old.unlink()


def look_first_order(journal: Journal, paths: Sequence[str]) -> list[str]:
    """Paths, the most urgent first; of equal urgency the least certain naming and the least typical image first."""
    keys = {}
    for record in journal.records(paths):
        row = record["row"]
        keys[record["path"]] = (
            row.get("look_first_rank", 99),
            row.get("levels_margin", 0.0),
            row.get("quality_score", 0.0),
        )
    return sorted(paths, key=keys.__getitem__)


def quality_sections(summary: Summary) -> list[Section]:
    """Quality by scanner, by month, and by both where both differ."""
    parts = [
        ("Quality by scanner", "scanner", summary.by_scanner),
        ("Quality by month", "month", summary.by_month),
    ]
    if len(summary.by_scanner) > 1 and len(summary.by_month) > 1:
        both = {f"{scanner}, {month}": group for (scanner, month), group in summary.by_scanner_and_month.items()}
        parts.append(("Quality by scanner and month", "scanner, month", both))
    sections = [
        Section(title, (head, *HEADS), [_row(name, groups[name]) for name in sorted(groups)], open=head == "scanner")
        for title, head, groups in parts
    ]
    rows = [(kind, reason, str(n)) for kind, found in summary.reasons.items() for reason, n in found.most_common()]
    return [*sections, Section("Reasons", ("what", "reason", "images"), rows)]


def _row(name: str, group: Group) -> tuple[str, ...]:
    counted = group.to_dict()
    shares = (f"{counted[kind]} ({counted[kind] / group.images:.0%})" for kind in HEADS[1:-1])
    quality = counted["median_quality"]
    return (name, str(group.images), *shares, "" if quality is None else f"{quality:.2f}")


def _common_folder(paths: Sequence[str]) -> str:
    """The folder that all images lie in, with a slash at its end; empty where there is none, and of a server."""
    if not paths or any(map(is_url, paths)):
        return ""
    return os.path.commonpath([path.rpartition("/")[0] + "/" for path in paths]).rstrip("/") + "/"


def _introduction(summary: Summary, passed_over: Mapping[str, int], root: str) -> str:
    found = summary.all.to_dict()
    said = (
        f"{found['images']} images: {found['usable']} usable, {found['failed']} could not be read, {found['refused']} "
        f"refused, {found['uncertain']} with uncertain levels, {found['cropped']} with a cropped aorta. Usable: read, "
        "levels certain, aorta not found to be cropped."
    )
    if passed_over:
        said += " Passed over as no images: " + ", ".join(f"{n} {ending}" for ending, n in passed_over.items()) + "."
    return f"{said} Images are named from {printable(root)}." if root else said


def _entry(record: Mapping, out: Path, root: str) -> GalleryEntry:
    row, place = record["row"], record["place"]
    files = {ending: out / f"{row.get('results', place)}{ending}" for ending in record["files"]}
    reading = None
    problem = row.get("error") or ""
    if ".reading.json" in files:
        try:
            reading = Reading.load(files[".reading.json"])
        except SchemaError as error:  # somebody moved or changed it; the page says so and the others are shown
            problem = error.sentence
    shown = (("look first", row.get("look_first")), ("scanner", scanner_of(row)), ("month", row.get("study_month")))
    facts = {name: str(value or "") for name, value in shown}
    picture = files.get(".thumbnail.jpg") or files.get(".overlay.png")
    names = {".overlay.png": "overlay", ".mrk.json": "markups", ".reading.json": "reading"}
    links = {names[ending]: path for ending, path in files.items() if ending in names}
    return GalleryEntry(
        row["path"].removeprefix(printable(root)),
        reading,
        picture,
        facts,
        links,
        problem,
        full=files.get(".overlay.png"),
    )
