"""``make demo``: serve the sample images, ask for their landmarks through the REST API, compare with the truth.

Starts ``vertenet serve`` on a free loopback port over a copy of the samples (MONAI Label writes into the folder it
serves), talks to it with MONAI Label's own client, writes Markups, readings, overlays and a gallery, and stops it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from monailabel.client import MONAILabelClient
from monailabel.client.client import MONAILabelClientException
from rich.console import Console
from rich.table import Column, Table

from vertenet.errors import OptionError, VerteNetError
from vertenet.evaluation import LandmarkScore, score_landmarks
from vertenet.files import write_text
from vertenet.imaging import read
from vertenet.measure.crop import CropState
from vertenet.measure.matching import pixel_size
from vertenet.phantom import PhantomTruth
from vertenet.reading import RESEARCH_USE, Reading
from vertenet.report import GalleryEntry, draw_overlay, write_gallery
from vertenet.server.background import BackgroundServer
from vertenet.server.store import IMAGE_EXTENSIONS


@dataclass(frozen=True, eq=False)
class Case:
    """A sample: its name, its image and what is true of it."""

    name: str
    image: Path
    truth: PhantomTruth


@dataclass(frozen=True, eq=False)
class Result:
    """What came back for a case: a reading and its score, or the sentence that says why not."""

    case: Case
    reading: Reading | None = None
    score: LandmarkScore | None = None
    error: str = ""

    @property
    def crop_right(self) -> bool | None:
        """None where the crop could not be assessed."""
        if self.reading.crop.state is CropState.NOT_ASSESSED:
            return None
        return (self.reading.crop.state is CropState.CROPPED) == self.case.truth.crop.cropped


def find_cases(folder: Path) -> list[Case]:
    """The images of a folder that have a ``.truth.json`` beside them; raises `OptionError` when there is none."""
    if not folder.is_dir():
        raise OptionError("there is no such folder", subject=str(folder), remedy="Give --samples a folder of images")
    cases = []
    for path in sorted(folder.iterdir()):
        ending = next((e for e in IMAGE_EXTENSIONS if path.name.lower().endswith(e)), None)
        if ending is None:
            continue
        name = path.name[: -len(ending)]
        truth = folder / f"{name}.truth.json"
        if truth.is_file():
            cases.append(Case(name, path, PhantomTruth.from_json(truth.read_text("utf-8"))))
    if not cases:
        raise OptionError("there is no image with a .truth.json beside it", subject=str(folder))
    return cases


def ask_server(url: str, cases: list[Case], out: Path) -> Iterator[Result]:
    """Landmarks of each case through the REST API; Markups, reading and overlay go to ``out``."""
    with tempfile.TemporaryDirectory() as downloads:
        client = MONAILabelClient(url, tmpdir=downloads)
        for case in cases:
            try:
                markups, answer = client.infer("vertenet", case.name, {})
            except MONAILabelClientException as error:
                yield Result(case, error=_sentence(error))
                continue
            reading = Reading.from_dict(answer)
            shutil.copyfile(markups, out / f"{case.name}.mrk.json")
            write_text(out / f"{case.name}.reading.json", reading.to_json())
            radiograph = read(case.image, anterior=reading.spine.anterior)
            draw_overlay(radiograph, reading, out / f"{case.name}.overlay.png", truth=case.truth.spine)
            shape, size = (case.truth.rows, case.truth.columns), pixel_size(case.truth.spacing)
            yield Result(case, reading, score_landmarks(reading.spine, case.truth.spine, shape, size))


def _sentence(error: MONAILabelClientException) -> str:
    """The server's sentence out of the client's message (``Status: 422; Response: {...}``)."""
    text = str(error.msg)
    try:
        return json.loads(text[text.index("{") :])["detail"]
    except (ValueError, KeyError):
        return text


def result_table(results: list[Result]) -> Table:
    case = Column("case", no_wrap=True)
    table = Table(case, "median px", "mean px", "levels right", "crop", "crop right", title="VerteNet demo")
    for result in results:
        if result.reading is None:
            table.add_row(result.case.name, "failed", style="red")
            continue
        errors = result.score.errors.ravel()
        table.add_row(
            result.case.name,
            *_median_and_mean(errors),
            _yes_no(result.score.levels_right),
            result.reading.crop.state.value,
            _yes_no(result.crop_right),
        )
    done = [result for result in results if result.reading is not None]
    if done:
        pooled = np.concatenate([result.score.errors.ravel() for result in done])
        table.add_section()
        table.add_row(
            f"all {len(results)}",
            *_median_and_mean(pooled),
            f"{sum(result.score.levels_right for result in done)} of {len(results)}",
            "",
            f"{sum(bool(result.crop_right) for result in done)} of {len(results)}",
        )
    return table


def _median_and_mean(errors: np.ndarray) -> tuple[str, str]:
    return (f"{np.median(errors):.2f}", f"{errors.mean():.2f}") if errors.size else ("-", "-")


def _yes_no(value: bool | None) -> str:
    return {True: "[green]yes[/green]", False: "[red]no[/red]", None: "[yellow]not assessed[/yellow]"}[value]


def gallery_entry(result: Result) -> GalleryEntry:
    """The case's overlay, files and comparison with the truth; files lie beside the page."""
    name, truth = result.case.name, result.case.truth
    if result.reading is None:
        return GalleryEntry(name, problem=result.error)
    median, mean = _median_and_mean(result.score.errors.ravel())
    crop = {True: "right", False: "wrong", None: "not assessed"}[result.crop_right]
    return GalleryEntry(
        name,
        result.reading,
        picture=f"{name}.overlay.png",
        facts={
            "scanner": truth.scanner,
            "median / mean error, px": f"{median} / {mean}",
            "levels right": "yes" if result.score.levels_right else "no",
            "true crop": f"{'cropped' if truth.crop.cropped else 'clear'} ({crop})",
        },
        links={"markups": f"{name}.mrk.json", "reading": f"{name}.reading.json"},
    )


def demo(samples: Path, out: Path, console: Console) -> int:
    """Run the demo; the exit code is 0 when every request was answered."""
    cases = find_cases(samples)
    out.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="vertenet-demo-") as studies:
        for case in cases:
            shutil.copy(case.image, studies)
        console.print(f"Starting the MONAI Label server over {len(cases)} synthetic samples ...")
        command = [sys.executable, "-m", "vertenet.cli", "serve", "--studies", studies, "--port", "0"]
        with BackgroundServer(command) as server:
            console.print(f"It answers on {server.url} after {time.monotonic() - started:.0f} s.")
            results = []
            for result in ask_server(server.url, cases, out):
                results.append(result)
                console.print(
                    f"  {result.case.name}: {result.error or f'{result.reading.latency_s:.2f} s'}", markup=False
                )
    gallery = write_gallery(
        map(gallery_entry, results), out / "index.html", title="VerteNet demo", introduction=INTRODUCTION
    )
    console.print(result_table(results))
    console.print("Errors: absolute differences of coordinates, pixels of the 1024 x 512 normalised frame.")
    console.print(f"Gallery: {gallery}\n")
    console.print(HOW_TO_CONNECT, markup=False, highlight=False, soft_wrap=True)
    console.print(f"{RESEARCH_USE} The samples are synthetic; so was what the model learned from.")
    failed = [result for result in results if result.reading is None]
    return 1 if failed else 0


INTRODUCTION = (
    "Synthetic images with exact truth (hollow squares), read through the server's REST API. Errors are absolute "
    "differences of coordinates in pixels of the 1024 x 512 normalised frame."
)

HOW_TO_CONNECT = """To work with your own images in 3D Slicer:
  1. vertenet serve --studies FOLDER_OF_IMAGES --port 8000
  2. In Slicer, add slicer_module/VerteNet to the additional module paths, restart, open "VerteNet spine landmarks".
  3. Enter http://127.0.0.1:8000 as the server, press Connect, then "Next image from the server", then Auto-landmark.
  docs/slicer.md goes on from there."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=Path, default=Path("sample_data"), help="images with .truth.json")
    parser.add_argument("--out", type=Path, default=Path("demo_output"), help="folder for the results")
    arguments = parser.parse_args()
    try:
        return demo(arguments.samples.resolve(), arguments.out.resolve(), Console())
    except VerteNetError as error:
        Console(stderr=True, soft_wrap=True).print(error.sentence, markup=False)
        return 2


if __name__ == "__main__":
    sys.exit(main())
