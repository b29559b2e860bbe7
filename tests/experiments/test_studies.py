"""The three study commands from end to end: tables that agree with each other, pictures, a page, sentences."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

import vertenet.cli.studies  # noqa: F401  (registers the commands)
from vertenet.cli.common import app
from vertenet.errors import AnnotationError, OptionError
from vertenet.experiments.crop_items import TUNING_SEED, Label, folder_items, phantom_items, read_labels, split_persons
from vertenet.experiments.study_page import escape_latex, number, with_interval
from vertenet.learning import TEST_SEEDS

SAMPLES = Path(__file__).parents[2] / "sample_data"
HEADER = "image,reader,condition,region,score\n"


def run(*arguments) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None:
        raise result.exception
    return result.stdout


@pytest.fixture(scope="module")
def readings(tmp_path_factory):
    """Two readers who differ by one here and there, less often with guides; one score is unreadable."""
    lines = []
    for i in range(14):
        for segment, base in (("L1", i % 3), ("L2", i % 4), ("L3", i % 7), ("L4", (2 * i) % 7)):
            for condition, every in (("without", 3), ("with", 6)):
                lines.append(f"i{i},A <1>,{condition},{segment},{base}")
                lines.append(f"i{i},B & Co,{condition},{segment},{min(base + (i % every == 0), 6)}")
    lines[0] = lines[0][:-1]
    path = tmp_path_factory.mktemp("readings") / "readings.csv"
    path.write_text(HEADER + "\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def agreement(readings, tmp_path_factory):
    out = tmp_path_factory.mktemp("agreement")
    return out, run("agreement", readings, "--out", out, "--resamples", 100)


def test_agreement_writes_tables_pictures_and_a_page_that_names_them(agreement):
    out, said = agreement
    assert "1 of them unreadable" in " ".join(said.split())
    page = (out / "agreement.html").read_text(encoding="utf-8")
    for name in ("agreement", "kappa", "icc", "bland-altman", "differences"):
        assert all((out / f"{name}.{suffix}").stat().st_size > 100 for suffix in ("csv", "md", "tex"))
        assert f'href="{name}.csv"' in page
    for name in ("kappa", "scores", "bland-altman"):
        assert f'src="{name}.png"' in page
        with Image.open(out / f"{name}.png") as picture:
            assert picture.width > 500
    assert "Research use only" in page
    assert "A &lt;1&gt;" in page
    assert "<1>" not in page
    assert r"B \& Co" in (out / "kappa.tex").read_text(encoding="utf-8")


def test_the_table_for_people_shows_the_numbers_of_the_csv(agreement):
    out, _ = agreement
    numbers = pd.read_csv(out / "agreement.csv")
    picked = numbers[
        (numbers.region == "L3") & (numbers.condition == "without") & (numbers.statistic == "kappa-quadratic")
    ].set_index("interval")
    assert set(picked.index) == {"normal", "clipped", "BCa"}
    row = picked.loc["BCa"]
    shown = f"{row.value:.2f} ({row.low:.2f} to {row.high:.2f})"
    line = next(
        t for t in (out / "agreement.md").read_text(encoding="utf-8").splitlines() if t.startswith("| L3 | without")
    )
    assert shown in line
    assert set(numbers[numbers.region == "L1"].images) == {13, 14}


def test_a_command_that_fails_writes_nothing(readings, tmp_path):
    with pytest.raises(OptionError, match="no readings by C"):
        run("agreement", readings, "--out", tmp_path / "out", "--readers", "A <1>,C")
    with pytest.raises(AnnotationError, match=r"none\.csv"):
        run("agreement", tmp_path / "none.csv", "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_planner_says_its_number_and_what_it_assumes():
    said = " ".join(run("plan-agreement", "--kappa", 0.7, "--width", 0.4, "--simulations", 200).split())
    assert said.startswith("Images: ")
    assert "latent" in said
    assert "a guess" in said
    said = run("plan-agreement", "--icc", 0.8, "--width", 0.2, "--readers", 3)
    assert said.splitlines()[0] == "Images: 36"
    shares = "50,20,10,10,10"
    said = run("plan-agreement", "--kappa", 0.5, "--kappa-with", 0.9, "--shares", shares, "--simulations", 200)
    assert "a guess" not in said
    assert "0: 50%" in " ".join(said.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "one of --kappa, --icc and --correlation"),
        (("--kappa", 0.7), "one of --width"),
        (("--kappa", 0.7, "--icc", 0.7, "--width", 0.2), "one of --kappa"),
        (("--icc", 0.7, "--kappa-with", 0.8), "--kappa-with needs --kappa"),
        (("--kappa", 0.7, "--width", 0.2, "--shares", "a,b"), "--shares is 'a,b'"),
        (("--kappa", 0.7, "--width", 0.2, "--weights", "cubic"), "--weights is 'cubic'"),
    ],
)
def test_options_that_do_not_go_together_are_said(arguments, said):
    with pytest.raises(OptionError, match=said):
        run("plan-agreement", *arguments)


@pytest.fixture(scope="module")
def crop_study(tmp_path_factory):
    """The sample images with their true landmarks, judged by their truth files."""
    folder = tmp_path_factory.mktemp("crop")
    lines = ["image,cropped"]
    for path in sorted(SAMPLES.glob("*.truth.json")):
        image = next(p for p in SAMPLES.glob(f"{path.name.split('.')[0]}.*") if p.suffix != ".json")
        lines.append(f"{image.name},{'yes' if json.loads(path.read_text())['crop']['cropped'] else 'no'}")
    labels = folder / "labels.csv"
    labels.write_text("\n".join(lines), encoding="utf-8")
    out = folder / "out"
    said = run("crop-study", "--data", SAMPLES, "--labels", labels, "--factors", "1.0,1.2", "--out", out)
    return out, said, labels


def test_the_crop_study_counts_every_case_once_and_its_tables_add_up(crop_study):
    out, said, _ = crop_study
    cases = list(csv.DictReader((out / "cases.csv").open(encoding="utf-8")))
    assert len(cases) == 12
    assert {row["person"] for row in cases if row["set"] == "tuning"}.isdisjoint(
        row["person"] for row in cases if row["set"] == "test"
    )
    table = pd.read_csv(out / "test.csv").set_index("rule")
    tested = [row for row in cases if row["set"] == "test"]
    assert table.loc["vertenet", "accuracy"] == sum(row["right"] == "yes" for row in tested) / len(tested)
    counts = table.loc["vertenet", ["true_positive", "false_negative", "false_positive", "true_negative"]].sum()
    assert counts + table.loc["vertenet", ["unsure_cropped", "unsure_clear"]].sum() == len(tested)
    sweep = pd.read_csv(out / "sweep.csv")
    assert len(sweep) == 2 * 2 * 2
    assert "McNemar" in said
    page = (out / "crop-study.html").read_text(encoding="utf-8")
    assert 'src="sweep.png"' in page
    assert "cases.csv" in page


def test_labels_that_do_not_fit_are_said(crop_study, tmp_path):
    _, _, labels = crop_study
    rows = labels.read_text(encoding="utf-8").splitlines()

    def with_line(line: str) -> Path:
        path = tmp_path / "labels.csv"
        path.write_text("\n".join([*rows, line]), encoding="utf-8")
        return path

    with pytest.raises(AnnotationError, match=r"line 14: cropped is 'perhaps'.*yes or no"):
        read_labels(with_line("new.png,perhaps"))
    with pytest.raises(AnnotationError, match="as above"):
        read_labels(with_line(rows[1]))
    with pytest.raises(AnnotationError, match=r"new\.png is labelled, but there is no such image"):
        folder_items(SAMPLES, read_labels(with_line("new.png,no")))
    (tmp_path / "labels.csv").write_text("file,cropped\n", encoding="utf-8")
    with pytest.raises(AnnotationError, match="'image' is missing"):
        read_labels(tmp_path / "labels.csv")


def test_a_person_is_in_one_half_only_and_either_half_has_both_kinds():
    labels = {path.name: Label(False) for path in SAMPLES.glob("*.png")}
    items = folder_items(SAMPLES, {name: Label(i % 2 == 0, f"person {i // 3}") for i, name in enumerate(labels)})
    tuning, test = split_persons(items, seed=3)
    assert {item.person for item in tuning}.isdisjoint(item.person for item in test)
    assert len(tuning) + len(test) == len(items)
    assert all(len({item.cropped for item in half}) == 2 for half in (tuning, test))
    assert [item.name for item in split_persons(items, seed=3)[0]] == [item.name for item in tuning]
    with pytest.raises(OptionError, match="two persons"):
        split_persons(items[:2])


def test_phantoms_to_tune_on_are_never_those_reserved_for_testing():
    tuning, test = (phantom_items(seed, 1, "easy") for seed in (TUNING_SEED, TEST_SEEDS.start))
    assert tuning[0].name == "easy-860000"
    assert TEST_SEEDS.start >= TUNING_SEED + 1000
    assert int(test[0].name.split("-")[1]) in TEST_SEEDS
    radiograph, spine = test[0].load()
    assert radiograph.name.endswith("900000")
    assert len(spine) == 6
    with pytest.raises(OptionError, match="are reserved"):
        phantom_items(TEST_SEEDS.start, len(TEST_SEEDS) + 1, "easy")


def test_the_study_needs_phantoms_or_labelled_images():
    with pytest.raises(OptionError, match="either --phantoms or --data"):
        run("crop-study", "--out", "unused")
    with pytest.raises(OptionError, match="go together"):
        run("crop-study", "--data", SAMPLES, "--out", "unused")


def test_words_for_numbers_and_for_latex():
    assert number(float("nan")) == "–"
    assert number(-0.256) == "−0.26"
    assert with_interval(0.5, (0.25, float("nan"))) == "0.50"
    assert with_interval(0.5, (0.25, 0.75), signed=True) == "+0.50 (+0.25 to +0.75)"
    assert escape_latex("50 % of A_1 − B & C") == r"50 \% of A\_1 $-$ B \& C"


def test_a_kappa_that_is_not_defined_is_a_dash_with_its_reason(tmp_path):
    """Two constants that differ in L1, one image in L2, full agreement in L3; nowhere an interval of no width."""
    lines = [f"i{i},{reader},,L1,{score}" for i in range(6) for reader, score in (("A", 2), ("B", 5))]
    lines += ["i0,A,,L2,3", "i0,B,,L2,3"]
    lines += [f"i{i},{reader},,L3,{i}" for i in range(6) for reader in "AB"]
    path = tmp_path / "readings.csv"
    path.write_text(HEADER + "\n".join(lines), encoding="utf-8")
    said = run("agreement", path, "--out", tmp_path / "out", "--resamples", 100)
    table = (tmp_path / "out" / "kappa.md").read_text(encoding="utf-8")
    for region, value, reason in (
        ("L1", "–", "each reader gave every image one score, and not all the same one"),
        ("L2", "–", "one image"),
        ("L3", "1.00", "standard error is zero"),
    ):
        rows = [line for line in table.splitlines() if line.startswith(f"| {region}")]
        assert len(rows) == 2
        for row in rows:
            assert row.split(" | ")[4] == value
            assert reason in row
    assert "to 0.00)" not in said + table
    assert "to 1.00)" not in table
    assert "1.00 to 1.00" not in table
    assert "0.00 to 0.00" not in table
