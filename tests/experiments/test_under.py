"""A cohort measured under perturbations: every image once under each, its truth moved, a set for each."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

import vertenet.cli.experiments  # noqa: F401  (registers its commands)
from vertenet.cli.common import app
from vertenet.errors import OptionError
from vertenet.experiments.data import Cohort, Source
from vertenet.networks import Card, build, save_weights


def test_every_image_comes_once_under_each_change_with_its_truth_moved():
    cohort = Cohort(Source(phantoms=2, difficulty="easy", under=("plain", "stretch-columns")))
    plain = Cohort(Source(phantoms=2, difficulty="easy"))
    assert [entry.name for entry in cohort] == [f"{e.name}, {u}" for u in ("plain", "stretch-columns") for e in plain]
    assert len({entry.person for entry in cohort}) == 2
    first, stretched = cohort.case(1), cohort.case(3)
    assert (first.set, stretched.set) == ("plain", "stretch-columns")
    np.testing.assert_array_equal(first.radiograph().pixels, plain.case(1).radiograph().pixels)
    x = {case.set: case.spine["L3"]["SA"].x for case in (first, stretched)}
    assert x["stretch-columns"] == pytest.approx(1.3 * x["plain"], abs=0.5)
    assert stretched.radiograph().columns == round(1.3 * first.radiograph().columns)
    assert cohort.fingerprint != plain.fingerprint
    assert cohort.describe().endswith("no patient, each under plain, stretch-columns")


def test_an_unknown_change_is_refused_at_once():
    with pytest.raises(OptionError, match="melt"):
        Source(phantoms=2, under=("melt",))


def test_the_command_line_gives_a_row_for_each_change_and_goes_on_where_it_was(tmp_path):
    torch.manual_seed(0)
    network = build("nfdp", input_size=(256, 256))
    weights = tmp_path / "weights.safetensors"
    save_weights(network, weights, Card.of(network, name="any", training_data="nothing", synthetic_only=True))
    command = ["evaluate", "--model", str(weights), "--phantoms", "2", "--difficulty", "easy", "--split", "validation"]
    command += ["--under", "plain,median", "--resamples", "50", "--out", str(tmp_path / "out")]
    for _ in range(2):
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, done.output
    table = pd.read_csv(tmp_path / "out" / "tables" / "sets.csv")
    assert set(table["set"]) == {"plain", "median", "all"}
    assert (table.loc[table["set"] == "median", "images"] == 2).all()
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text())["source"]["under"] == ["plain", "median"]
