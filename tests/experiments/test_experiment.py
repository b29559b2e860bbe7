"""An experiment from the command line to the report: two small networks, eight easy phantoms, two steps."""

import json
import shutil
from dataclasses import replace

import pandas as pd
import pytest
from typer.testing import CliRunner

import vertenet.cli.experiments  # noqa: F401  (registers its commands)
from vertenet.cli.common import app
from vertenet.errors import OptionError
from vertenet.experiments.comparison import read_experiment
from vertenet.experiments.data import Cohort, Source
from vertenet.experiments.evaluate import Evaluation, evaluate, make_variants, phantom_source
from vertenet.experiments.plan import open_experiment, read_plan
from vertenet.experiments.run import run_experiment
from vertenet.phantom import generate, write

COUNT = 8


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    """A folder of phantoms of which each person has two."""
    folder = tmp_path_factory.mktemp("phantoms")
    names = [write(generate(seed, difficulty="easy"), folder, name=f"case{seed}").name for seed in range(COUNT)]
    lines = [f"{name},person{i // 2}" for i, name in enumerate(names)]
    (folder / "cases.csv").write_text("\n".join(["image,person", *lines]) + "\n")
    return folder


def ablate(phantoms, out, networks="vertenet-lite,nfdp", *more):
    options = ["--steps", "2", "--batch", "2", "--input-size", "256x256", "--folds", "2", "--run-folds", "1"]
    command = ["ablate", "--data", str(phantoms), "--out", str(out), "--networks", networks, *options]
    return CliRunner().invoke(app, [*command, "--jobs", "2", "--resamples", "20", *more])


@pytest.fixture(scope="module")
def experiment(phantoms, tmp_path_factory):
    folder = tmp_path_factory.mktemp("experiment")
    result = ablate(phantoms, folder)
    assert result.exit_code == 0, result.output
    return folder


def test_one_command_leaves_tables_plots_and_a_report(experiment):
    tables = {path.stem for path in (experiment / "tables").glob("*.csv")}
    assert tables >= {
        "accuracy",
        "distances",
        "detection",
        "levels",
        "differences",
        "by-level",
        "by-corner",
        "by-grade",
    }
    assert tables >= {"by-scanner", "cost", "weights"}
    for name in tables:
        assert (experiment / "tables" / f"{name}.md").read_text().startswith("| ")
        assert r"\begin{tabular}" in (experiment / "tables" / f"{name}.tex").read_text()
    plots = {path.stem for path in (experiment / "plots").glob("*.png")}
    assert plots >= {"cumulative-error", "error-by-level", "error-by-corner", "error-by-scanner", "cost"}
    page = (experiment / "report.html").read_text()
    assert page.count("data:image/png;base64,") == len(plots)
    assert "http" not in page.replace("http-equiv", "")
    assert "{{" not in page


def test_every_table_says_what_it_rests_on(experiment):
    weights = json.loads((experiment / "nfdp/fold-0.json").read_text())["weights_sha256"][:12]
    assert weights in (experiment / "tables/weights.md").read_text()
    for path in (experiment / "tables").glob("*.csv"):
        table = pd.read_csv(path)
        assert table["notice"].str.contains("Research use only").all()
        assert table["data"].str.contains("synthetic").all()
        assert table["conditions"].str.contains("2 steps of 2 images").all()
    text = (experiment / "tables/accuracy.md").read_text()
    assert "4 test synthetic images, no patient, 2 persons" in text


def test_both_methods_were_tested_on_the_same_images_of_people_they_never_saw(experiment):
    folds = pd.read_csv(experiment / "folds.csv")
    tested = set(folds.loc[folds["fold"] == 0, "image"])
    comparison = read_experiment(experiment)
    for method in ("vertenet-lite", "nfdp"):
        assert set(comparison.of(method)["image"]) == tested
        record = json.loads((experiment / method / "fold-0.json").read_text())
        assert record["test_images"] == len(tested) == 4
        # Of the two persons of the other fold one watches and one is learnt from.
        assert record["training_images"] == 2
        assert record["images_seen"] == 4
    assert folds.groupby("person")["fold"].nunique().max() == 1


def test_a_method_with_maps_is_decoded_both_ways_and_one_with_points_is_not(experiment):
    comparison = read_experiment(experiment)
    assert comparison.methods == ("vertenet-lite", "vertenet-lite, levels", "nfdp")
    assert comparison.primary == ("vertenet-lite", "nfdp")


def test_millimetres_of_phantoms_come_from_their_truth(experiment):
    table = read_experiment(experiment).of("nfdp")
    known = table.dropna(subset=["error_mm"])
    assert len(known) == table["error_source_px"].notna().sum() > 0
    assert (known["error_mm"] < known["error_source_px"]).all()


def test_running_again_trains_nothing(experiment):
    files = sorted([*experiment.glob("*/fold-0/*"), *experiment.glob("*/predictions/*"), *experiment.glob("samples/*")])
    before = [path.stat().st_mtime_ns for path in files]
    assert run_experiment(read_plan(experiment), experiment) == {}
    assert [path.stat().st_mtime_ns for path in files] == before


def test_a_method_may_join_later_and_another_budget_may_not(experiment, tmp_path):
    shutil.copy(experiment / "experiment.json", tmp_path)
    plan = read_plan(experiment)
    joined = open_experiment(replace(plan, methods=("guidenet",)), tmp_path)
    assert joined.methods == ("vertenet-lite", "nfdp", "guidenet")
    assert read_plan(tmp_path) == joined
    with pytest.raises(OptionError, match=r"holds another experiment: recipe steps is 2 there and 3 here"):
        open_experiment(replace(plan, recipe=replace(plan.recipe, steps=3)), tmp_path)


def test_a_run_that_fails_is_listed_and_the_rest_goes_on(experiment, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(experiment, copy)
    (copy / "nfdp/predictions/fold-0.csv").unlink()
    (copy / "nfdp/fold-0/weights.safetensors").write_bytes(b"damaged")
    failed = run_experiment(read_plan(copy), copy)
    assert [str(task) for task in failed] == ["nfdp, fold 0"]
    assert "weights.safetensors: the weights are not those of their card" in next(iter(failed.values()))
    comparison = read_experiment(copy)
    assert comparison.failures["method"].tolist() == ["nfdp"]
    assert "vertenet-lite" in comparison.methods
    assert any("Not finished" in note and "nfdp" in note for note in comparison.notes)


def test_a_cohort_is_known_by_its_cases(phantoms):
    first, second = Cohort(Source(str(phantoms))), Cohort(Source(phantoms=COUNT, difficulty="easy", first_seed=0))
    assert first.fingerprint != second.fingerprint
    assert first.fingerprint == Cohort(Source(str(phantoms))).fingerprint
    assert first.synthetic
    assert len(second) == COUNT
    assert second.case(3).name == second[3].name


def test_evaluation_goes_on_where_it_was_killed(experiment, phantoms, tmp_path):
    weights = experiment / "vertenet-lite/fold-0/weights.safetensors"
    variants = tuple(make_variants(weights, ("levels", "top-six")))
    evaluation = Evaluation(weights, Source(str(phantoms)), variants)
    whole = evaluate(evaluation, tmp_path).table
    assert set(whole["method"]) == {"levels", "top-six"}
    assert whole["image"].nunique() == COUNT
    path = tmp_path / "predictions.csv"
    lines = path.read_text().splitlines(keepends=True)
    # In the middle of a line of the fifth image.
    path.write_text("".join(lines[: 1 + 4 * 48 + 20]) + lines[1 + 4 * 48 + 20][:30])
    counted = []
    again = evaluate(evaluation, tmp_path, report=counted.append).table
    assert counted == [4] + [1] * (COUNT - 4)
    pd.testing.assert_frame_equal(again.drop(columns="latency_s"), whole.drop(columns="latency_s"))
    with pytest.raises(OptionError, match="holds another evaluation: variants differ"):
        evaluate(replace(evaluation, variants=variants[:1]), tmp_path)


def test_evaluation_of_phantoms_from_the_command_line(experiment, tmp_path):
    weights = experiment / "nfdp/fold-0/weights.safetensors"
    command = ["evaluate", "--model", str(weights), "--phantoms", "2", "--difficulty", "easy", "--split", "validation"]
    result = CliRunner().invoke(app, [*command, "--out", str(tmp_path), "--resamples", "20", "--facing"])
    assert result.exit_code == 0, result.output
    table = pd.read_csv(tmp_path / "tables/levels.csv")
    assert table["method"].tolist() == ["points", "points, side detected"]
    assert table["anterior_right"].isna().tolist() == [True, False]
    assert table["data"].str.contains("seeds 800000 to 800001").all()
    assert "Weights: nfdp-fold-0" in (tmp_path / "report.html").read_text()


def test_the_reserved_phantoms_are_no_more_than_there_are():
    with pytest.raises(OptionError, match="the test split has 1000 phantoms, not 1001"):
        phantom_source(1001, "default", "test")
    assert phantom_source(1000, "default", "test").first_seed == 900_000


def test_an_experiment_needs_one_source_of_images(tmp_path):
    result = CliRunner().invoke(app, ["ablate", "--out", str(tmp_path)])
    assert isinstance(result.exception, OptionError)
    assert "either a folder of annotated images or a number of phantoms" in str(result.exception)
    result = CliRunner().invoke(app, ["ablate", "--phantoms", "3", "--out", str(tmp_path), "--networks", "nonet"])
    assert "there is no network 'nonet'" in str(result.exception)


def test_what_found_no_point_is_compared_all_the_same(experiment, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(experiment, copy)
    errors = ["dx", "dy", "error_px", "error_source_px", "error_mm", "error_heights", "aligned_dx", "aligned_dy"]
    for methods in (["nfdp"], ["nfdp", "vertenet-lite"]):
        for method in methods:
            path = copy / method / "predictions/fold-0.csv"
            table = pd.read_csv(path)
            blank = dict.fromkeys([*errors, "aligned_px", "confidence", "radius_80", "radius_90", "radius_95"])
            table.assign(found=False, level_right=False, levels_right=False, **blank).to_csv(path, index=False)
        result = CliRunner().invoke(app, ["compare", str(copy), "--resamples", "20"])
        assert result.exit_code == 0, result.output
        assert "nfdp" in result.stdout
        assert "–" in result.stdout
