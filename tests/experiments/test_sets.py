"""A folder of images with little truth, from the command line to the table of sets and the sheet of pictures.

What is predicted is the phantoms' own truth, so every figure can be said beforehand; one image is refused.
"""

import csv

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

import vertenet.cli.experiments  # noqa: F401  (registers its commands)
from vertenet.assess import assess
from vertenet.cli.common import app
from vertenet.errors import AnnotationError
from vertenet.experiments import predict
from vertenet.experiments.data import Cohort, Source
from vertenet.experiments.truth import cases_to_measure
from vertenet.inference.calibration import calibration_of
from vertenet.learning.cases import annotated_cases
from vertenet.networks import Card, build, save_weights
from vertenet.phantom import generate, write
from vertenet.reading import Levels, Quality
from vertenet.spine import LADDER, STANDARD_LEVELS, Spine

NAMES = ("corners", "centres", "partial", "shifted", "refused")
SETS = {"corners": "one", "centres": "one", "partial": "two", "shifted": "two", "refused": "two"}


@pytest.fixture(scope="module")
def truths():
    return {}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, truths):
    """Five phantoms; of the first the phantom's own truth, of the others what ``truth.csv`` says."""
    folder, rows = tmp_path_factory.mktemp("bench"), []
    for seed, name in enumerate(NAMES):
        phantom = generate(seed, difficulty="easy", crop=None)
        image = write(phantom, folder, name=name)
        spine = truths[image.name] = phantom.truth.spine
        assert all(vertebra.is_complete for vertebra in spine)
        if name == "corners":
            continue
        image.with_name(f"{name}.truth.json").unlink()
        for vertebra in spine:
            level = vertebra.level
            if name == "partial" and level != "T12":
                corners = ("SA", "SP") if level == "L5" else ("SA", "SP", "IA", "IP")
                rows += [(image.name, f"{level}-{corner}", *vertebra[corner].xy) for corner in corners]
            elif name == "shifted" and level != "L5":
                rows.append((image.name, LADDER[LADDER.index(level) + 1], *vertebra.centre))
            elif name in ("centres", "refused"):
                rows.append((image.name, str(level), *vertebra.centre))
    _write(folder / "truth.csv", ("image", "label", "x", "y"), rows)
    known = [(f"{name}.png", f"person-{name}", SETS[name], "doubtful" * (name == "partial"), "") for name in NAMES]
    _write(folder / "cases.csv", ("image", "person", "set", "naming", "anterior"), known)
    return folder


def _write(path, *lines):
    with path.open("w", newline="") as handle:
        csv.writer(handle).writerows([lines[0], *lines[1]])


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    network = build("nfdp", input_size=(256, 256))
    path = tmp_path_factory.mktemp("weights") / "weights.safetensors"
    save_weights(network, path, Card.of(network, name="any", training_data="nothing", synthetic_only=True))
    calibration_of(path).write_text("{}")
    return path


@pytest.fixture
def knowing(monkeypatch, truths):
    """A predictor that finds the phantoms' truth and refuses the last one where it is calibrated; the names it read."""
    asked = []

    class Knowing:
        def __init__(self, weights, *, decoder, refine, calibrated):
            self.refuses = calibrated is not False

        def __call__(self, radiograph, *, anterior=None):
            asked.append((radiograph.name, radiograph.anterior))
            spine, quality = truths[radiograph.name], Quality(True, 0.5)
            if self.refuses and radiograph.name == "refused.png":
                spine, quality = Spine((), "right").select(STANDARD_LEVELS), Quality(False, 0.0, ("No spine is seen",))
            levels = Levels(certain=quality.typical, margin=9.0)
            return assess(radiograph.with_anterior("right"), spine, levels=levels, quality=quality, latency_s=0.1)

    monkeypatch.setattr(predict, "Predictor", Knowing)
    return asked


def evaluate(weights, folder, out, *more):
    command = ["evaluate", "--model", str(weights), "--data", str(folder), "--out", str(out), "--resamples", "20"]
    return CliRunner().invoke(app, [*command, *more], env={"COLUMNS": "220"})


def test_the_figures_of_every_set_and_the_pictures(folder, weights, knowing, tmp_path):
    result = evaluate(weights, folder, tmp_path)
    assert result.exit_code == 0, result.output
    assert "SILENTLY WRONG" in result.output
    table = pd.read_csv(tmp_path / "tables/sets.csv").set_index(["method", "set"])
    assert table.index.get_level_values("method").unique().tolist() == ["points", "points, refusals off"]
    counts = ["named_right", "vertebrae", *(f"images_{name}" for name in ("right", "uncertain", "refused", "wrong"))]
    first, second = table.loc["points", counts], table.loc["points, refusals off", counts]
    assert first.loc["one"].tolist() == [12, 12, 2, 0, 0, 0]
    assert first.loc["two"].tolist() == [0, 11, 0, 0, 1, 1]  # L1 to L5 of the shifted, all of the refused
    assert first.loc["two, naming doubtful"].tolist() == [5, 5, 1, 0, 0, 0]
    assert first.loc["all of certain naming"].tolist() == [12, 23, 2, 0, 1, 1]
    assert first.loc["all"].tolist() == [17, 28, 3, 0, 1, 1]
    assert second.loc["two"].tolist() == [6, 11, 1, 0, 0, 1]
    all_ways = table.loc[("points", "all")]
    assert all_ways["named_median_source_px"] == pytest.approx(0, abs=1e-6)
    assert all_ways["images_wrong_low"] < 0.2 < all_ways["images_wrong_high"]
    assert "silently wrong (called certain" in (tmp_path / "tables/sets.md").read_text()

    red, green, orange = ((255, 90, 82), (105, 224, 107), (255, 180, 84))
    pictures = {name: tmp_path / f"sheet/{name}.png.png" for name in NAMES}
    assert _pixels(pictures["shifted"], red) > 300
    assert _pixels(pictures["shifted"], green) == 0
    assert _pixels(pictures["centres"], green) > 300
    assert _pixels(pictures["centres"], red) == 0
    assert _pixels(pictures["refused"], orange) > 50  # the word; what is dashed is right
    assert _pixels(pictures["refused"], green) > 300
    pages = sorted(path.name for path in (tmp_path / "sheet").glob("page-*.png"))
    assert pages == ["page-01.png", "page-02.png"]
    page = (tmp_path / "gallery.html").read_text()
    assert page.count("<article") == 5
    for words in ("SILENTLY WRONG", "0 of 5", "1 level too low", "two, naming doubtful", "sheet/shifted.png.png"):
        assert words in page

    before = len(knowing)
    assert evaluate(weights, folder, tmp_path).exit_code == 0
    assert len(knowing) == before  # everything was read already


def _pixels(path, colour):
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    return int((np.abs(pixels - colour).max(axis=2) < 12).sum())


def test_a_side_that_nobody_said_is_left_to_the_model(folder, weights, knowing, tmp_path):
    evaluate(weights, folder, tmp_path, "--refusals", "on", "--no-sheet")
    sides = dict(knowing)
    assert sides["centres.png"] is None
    assert sides["partial.png"] == sides["corners.png"] == "right"
    assert not (tmp_path / "gallery.html").exists()
    rows = pd.read_csv(tmp_path / "predictions.csv")
    assert rows.loc[rows["image"] == "centres.png", "anterior_right"].isna().all()


def test_nothing_is_learnt_from_partial_truth(folder):
    assert [case.name for case in annotated_cases(folder)] == ["corners.png"]
    assert len(Cohort(Source(str(folder)))) == 1
    assert len(Cohort(Source(str(folder), to_measure=True))) == len(NAMES)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("truth.csv", "centres.png", "absent.png", "no image 'absent.png'"),
        ("cases.csv", "doubtful", "perhaps", "naming of partial.png is 'perhaps'. Write certain or doubtful"),
    ],
)
def test_tables_that_say_the_impossible_are_refused(folder, tmp_path, file, old, new, said):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    text = (tmp_path / file).read_text()
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new))
    with pytest.raises(AnnotationError, match=said):
        cases_to_measure(tmp_path)


def test_the_content_of_an_evaluation_is_that_of_its_truth(folder, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    cohort = Cohort(Source(str(folder), to_measure=True))
    assert cohort.fingerprint == Cohort(Source(str(tmp_path), to_measure=True)).fingerprint
    text = (tmp_path / "cases.csv").read_text()
    (tmp_path / "cases.csv").write_text(text.replace("doubtful", "certain"))
    assert cohort.fingerprint != Cohort(Source(str(tmp_path), to_measure=True)).fingerprint
