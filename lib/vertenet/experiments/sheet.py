"""The sheet of an evaluation: a picture of each annotated image, pages of them, and a gallery."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from ..errors import VerteNetError
from ..learning.cases import Case
from ..reading import Reading
from ..report import GalleryEntry, write_gallery
from ..report.sheet import OUTCOME_WORDS, SheetCase, draw_case, write_pages
from .comparison import Comparison
from .data import Cohort
from .evaluate import READINGS, UNREFUSED, Evaluation
from .predict import reading_file

PAGES = "sheet"


def write_sheet(
    evaluation: Evaluation,
    comparison: Comparison,
    folder: Path,
    *,
    report: Callable[[int], None] = lambda images: None,
) -> Path:
    """Write ``sheet/*.png``, ``sheet/page-*.png`` and ``gallery.html``; returns the gallery's path.

    What is judged is the first way of reading; where that refuses, what was found with refusals off is drawn as well.
    """
    cohort, names = Cohort(evaluation.source), [variant.name for variant in evaluation.variants]
    table = comparison.of(names[0])
    other = next((i for i, name in enumerate(names) if name.endswith(UNREFUSED)), None)
    (folder / PAGES).mkdir(parents=True, exist_ok=True)
    entries, pictures = [], []
    for index in range(len(cohort)):
        case = cohort.case(index)
        rows = table[table["image"] == case.name]
        facts = _facts(rows)
        try:
            radiograph = case.radiograph()
        except VerteNetError as error:
            entries.append(GalleryEntry(case.name, facts=facts, problem=error.sentence))
            report(1)
            continue
        reading = Reading.load(reading_file(folder / READINGS, case.name, 0))
        unrefused = None if other is None else Reading.load(reading_file(folder / READINGS, case.name, other))
        picture = folder / PAGES / f"{case.name}.png"
        draw_case(
            SheetCase(
                _title(case),
                radiograph,
                case.spine,
                case.centres,
                reading,
                rows["outcome"].iloc[0],
                unrefused,
                [", ".join(f"{name}: {value}" for name, value in facts.items() if name not in ("set", "outcome"))],
            ),
            picture,
        )
        pictures.append(picture)
        entries.append(GalleryEntry(case.name, reading, picture, facts))
        report(1)
    write_pages(pictures, folder / PAGES)
    introduction = f"{comparison.title}. Left the truth, right what was found: names that are right green, wrong red."
    return write_gallery(entries, folder / "gallery.html", title="Truth and prediction", introduction=introduction)


def _title(case: Case) -> str:
    parts = [case.name, case.set, "naming doubtful" if case.doubtful else ""]
    return ", ".join(part for part in parts if part)


def _facts(rows: pd.DataFrame) -> dict[str, str]:
    """What the table says of an image, for its line in the gallery."""
    first = rows.iloc[0]
    vertebrae = rows[rows["named"] != ""].drop_duplicates("level")
    error = rows.loc[rows["level_right"], "error_source_px"].median()
    return {
        "set": first["set"] + (", naming doubtful" if first["doubtful"] else ""),
        "outcome": OUTCOME_WORDS[first["outcome"]][0],
        "rightly named": f"{int(vertebrae['level_right'].sum())} of {len(vertebrae)}",
        "names lie": _place_of_names(first["names_off"]),
        "median corner error": "–" if pd.isna(error) else f"{error:.1f} px",
    }


def _place_of_names(off: float) -> str:
    """Where the names of the whole spine lie; ``off``: the levels towards the feet that they must be moved by."""
    if pd.isna(off) or off == 0:
        return "–" if pd.isna(off) else "where they belong"
    levels = "1 level" if abs(off) == 1 else f"{abs(off):.0f} levels"
    return f"{levels} too {'high' if off < 0 else 'low'}"
