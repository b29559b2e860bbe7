"""Many images, one model: a reading of each, and a list of those that could not be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .annotation import markups
from .errors import ImageReadError, OptionError, VerteNetError
from .filenames import stem_of
from .files import write_text
from .imaging import read
from .imaging.fingerprint import pixels_sha256
from .measure import DEFAULT_FACTOR
from .radiograph import Radiograph
from .reading import Reading
from .report.overlay import draw_overlay
from .report.tables import results_row, write_results_csv

if TYPE_CHECKING:  # landmarks that are already there are written without torch
    from .inference import Predictor

#: Files beside images that are certainly none; skipped when a folder is given.
NOT_IMAGES = (".json", ".csv", ".txt", ".md", ".mat", ".html", ".py", ".safetensors", ".sr.dcm", ".gsps.dcm")


@dataclass(frozen=True)
class Outcome:
    """What became of one image: its reading, or the sentence that says why there is none."""

    path: Path
    stem: str
    reading: Reading | None = None
    error: str | None = None


def find_images(arguments: Iterable[str | Path]) -> list[Path]:
    """Files as they are given, folders as the files in them (sorted, `NOT_IMAGES` and hidden ones left out).

    Raises
    ------
    OptionError
        Nothing was found.
    """
    found: list[Path] = []
    for argument in map(Path, arguments):
        if argument.is_dir():
            inside = sorted(p for p in argument.iterdir() if p.is_file())
            found += [p for p in inside if not p.name.lower().endswith(NOT_IMAGES) and not p.name.startswith(".")]
        else:
            found.append(argument)
    if not found:
        raise OptionError("there is no image to read", remedy="Name image files or a folder that holds some")
    return found


def output_stems(paths: Sequence[Path]) -> list[str]:
    """A distinct name for each image's results: without its ending, with it or a number where that is another's too."""
    stems: list[str] = []
    without = [stem_of(path.name) for path in paths]
    for path, short in zip(paths, without):
        name = short if without.count(short) == 1 else path.name
        stem, n = name, 2
        while stem in stems:
            stem, n = f"{name}-{n}", n + 1
        stems.append(stem)
    return stems


def predict_images(
    paths: Sequence[Path],
    predictor: Predictor,
    out: Path,
    *,
    anterior: str | None = None,
    spacing: float | None = None,
    factor: float = DEFAULT_FACTOR,
    report: Callable[[Outcome], None] = lambda outcome: None,
    also: Callable[[Path, Radiograph, Reading, str], object] | None = None,
) -> list[Outcome]:
    """Read every image and write its results to ``out``; one that fails is listed and the rest go on.

    Per image ``<stem>.mrk.json`` (Slicer Markups), ``<stem>.reading.json`` and ``<stem>.overlay.png``; for all
    ``results.csv``, failed images included with their sentence.

    Parameters
    ----------
    anterior : {"left", "right", "auto"}, optional
        See `Predictor.__call__`.
    spacing : float, optional
        Millimetres a pixel, overriding the file's.
    report : callable
        Called after each image.
    also : callable, optional
        Writes more of an image: called with its path, itself, its reading and the stem of its results.
    """
    outcomes, rows = [], []
    for path, stem in zip(paths, output_stems(paths)):
        try:
            radiograph = read(path, spacing=spacing)
            reading = predictor(radiograph, anterior=anterior, factor=factor)
            write_results(radiograph, reading, out, stem, pixels_sha256(path))
            if also is not None:
                also(path, radiograph, reading, stem)
            outcome = Outcome(path, stem, reading=reading)
        except VerteNetError as error:
            outcome = Outcome(path, stem, error=_naming(error, path))
        except MemoryError:
            outcome = Outcome(path, stem, error=f"{path}: the image does not fit into memory.")
        outcomes.append(outcome)
        rows.append(results_row(outcome.reading, name=path.name, error=outcome.error))
        report(outcome)
    write_results_csv(rows, out / "results.csv")
    return outcomes


def write_results(radiograph: Radiograph, reading: Reading, out: Path, stem: str, pixels: str | None = None) -> None:
    """Markups, reading and overlay of one image, each all or nothing; ``pixels`` is the hash of the image's."""
    out.mkdir(parents=True, exist_ok=True)
    size = (radiograph.rows, radiograph.columns)
    text = markups.dumps(reading.spine, radiograph.geometry, image=radiograph.name, size=size, pixels_sha256=pixels)
    write_text(out / f"{stem}.mrk.json", text)
    write_text(out / f"{stem}.reading.json", reading.to_json())
    draw_overlay(radiograph.with_anterior(reading.spine.anterior), reading, out / f"{stem}.overlay.png")


def _naming(error: VerteNetError, path: Path) -> str:
    """The error's sentence, with the file's name in it whatever the room that raised it knew."""
    if path.name in error.sentence:
        return error.sentence
    return ImageReadError(error.problem, subject=path, remedy=error.remedy).sentence
