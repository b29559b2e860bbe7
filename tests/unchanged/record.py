"""What the program says of sixty files, written down so that two states of the code can be compared to the digit.

    python -m tests.unchanged.record landmarks     the committed record: what follows from given landmarks
    python -m tests.unchanged.record model FILE    what the present weights read, to compare two checkouts by hand

The first depends on neither weights nor drawing, so it is a test (`test_unchanged`). Write it anew where a figure or a
sentence is meant to change, and say in the commit which and why.
"""

from __future__ import annotations

import gzip
import json
import math
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.damaged import make_damaged
from vertenet.assess import assess
from vertenet.errors import VerteNetError
from vertenet.evaluation.landmark_table import landmark_rows
from vertenet.imaging import read
from vertenet.measure import crop_sentence
from vertenet.phantom import generate, write
from vertenet.phantom.truth import PhantomTruth
from vertenet.reading import Reading
from vertenet.report.tables import results_row
from vertenet.report.words import remarks
from vertenet.spine import Corner, Spine, Status

SAMPLES = Path(__file__).parents[2] / "sample_data"
RECORD = Path(__file__).with_name("readings.json.gz")
DAMAGED, PHANTOMS = 24, 24
#: Time and version differ between two runs; positions of given landmarks are no result.
LEFT_OUT = {"created", "software", "latency_s"}
#: Of the 500 samples of a corridor's edge every so manieth is kept.
EVERY = 50
#: Digits that a figure is compared to: what a sum's order may change lies beyond.
DIGITS = 9


def cases(folder: Path) -> Iterator[tuple[str, object]]:
    """Name and record of each of the 60 files: samples under three sets of landmarks each, and damaged files."""
    for path in sorted(p for p in SAMPLES.iterdir() if p.suffix in (".png", ".jpg", ".dcm")):
        truth = PhantomTruth.from_json((SAMPLES / f"{path.stem}.truth.json").read_text(encoding="utf-8"))
        radiograph = read(path, anterior=truth.anterior)
        for how, spine in variants(truth.spine).items():
            reading = assess(radiograph, spine)
            yield f"{path.stem} {how}", told(reading, truth.spine)
    for path in make_damaged(folder / "damaged", DAMAGED, seed=14, folders=False):
        yield path.name, refused(path, folder)


def variants(spine: Spine) -> dict[str, Spine]:
    """The true landmarks, those of a careless reader one level off, and some that are incomplete."""
    rng = np.random.default_rng(7)
    careless = spine.map_points(lambda xy: xy + rng.normal(0, 1.5, xy.shape))
    gaps = {"L2": ("SA",), "L5": ("IA", "IP", "SP")}
    vertebrae = tuple(
        replace(v, points={**v.points, **dict.fromkeys(gaps.get(str(v.level), ()), Corner(status=Status.UNEVALUABLE))})
        for v in spine
    )
    return {"true": spine, "one off": careless.shifted(1), "incomplete": replace(spine, vertebrae=vertebrae)}


def model_cases(folder: Path) -> Iterator[tuple[str, object]]:
    """The same of what the present weights read: samples, phantoms, damaged files."""
    from vertenet.inference import Predictor

    predictor = Predictor("vertenet-lite")
    paths = sorted(p for p in SAMPLES.iterdir() if p.suffix in (".png", ".jpg", ".dcm"))
    for seed in range(PHANTOMS):
        scanner = ("hologic-horizon", "ge-prodigy-de", "ge-prodigy-se", "hologic-4500a")[seed % 4]
        paths.append(write(generate(9_100 + seed, scanner=scanner), folder, name=f"phantom-{seed:02d}"))
    for path in paths:
        truth = PhantomTruth.from_json((path.with_name(f"{path.stem}.truth.json")).read_text(encoding="utf-8"))
        reading = predictor(read(path))
        yield path.stem, {"spine": reading.spine.to_dict(), **told(reading, truth.spine)}
    for path in make_damaged(folder / "damaged", DAMAGED, seed=14, folders=False):
        yield path.name, refused(path, folder)


def told(reading: Reading, truth: Spine) -> dict:
    """Figures, sentences and tables of one reading, ready for JSON."""
    data = {key: value for key, value in reading.to_dict().items() if key not in LEFT_OUT | {"spine"}}
    data["crop"] = {**data["crop"], "edge": data["crop"]["edge"][::EVERY], "lost": data["crop"]["lost"][::EVERY]}
    table = landmark_rows(reading, truth, image=reading.image.name).drop(columns="latency_s")
    shared = [name for name in table.columns if table[name].nunique(dropna=False) == 1]
    row = {key: value for key, value in results_row(reading).items() if key not in LEFT_OUT}
    return plain(
        {
            "reading": data,
            "crop sentence": crop_sentence(reading.crop, reading.image.spacing),
            "remarks": [[remark.text, remark.tone] for remark in remarks(reading)],
            "results": {key: value for key, value in row.items() if value is not None},
            "image": table[shared].iloc[0].to_dict(),
            "landmarks": table.drop(columns=shared).to_dict("list"),
        }
    )


def refused(path: Path, folder: Path) -> str:
    """The sentence with which a file is refused."""
    try:
        read(path)
    except VerteNetError as error:
        return error.sentence.replace(str(folder), "")
    return "it was read"


def plain(value):
    """The value as JSON gives it back, numbers to `DIGITS` significant digits."""
    if isinstance(value, dict):
        return {str(key): plain(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(member) for member in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else str(value)
    return value


def gathered(gather) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        return dict(gather(Path(folder)))


def save(found: dict, path: Path) -> None:
    path.write_bytes(gzip.compress(json.dumps(found, sort_keys=True).encode(), mtime=0))


def load(path: Path) -> dict:
    return json.loads(gzip.decompress(path.read_bytes()))


def main(arguments: list[str]) -> None:
    if arguments == ["landmarks"]:
        save(gathered(cases), RECORD)
    elif len(arguments) == 2 and arguments[0] == "model":
        save(gathered(model_cases), Path(arguments[1]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
