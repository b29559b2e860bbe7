"""A few labelled images beside phantoms: their weight, the refiner, and who judges."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from typer.testing import CliRunner

from vertenet.annotation import Annotation, save
from vertenet.cli.commands import app
from vertenet.inference.refine import refiner_of
from vertenet.learning import Data, Recipe, read_recipe
from vertenet.learning.cases import annotated_cases, case_samples
from vertenet.learning.crossfit import ENOUGH_PERSONS, folds_of, persons_to_fold
from vertenet.learning.finetuning import (
    JUDGING_SHARE,
    MOST_REPEATS,
    Material,
    crops_of_all,
    fold_recipe,
    network_minutes,
)
from vertenet.learning.run import run_training
from vertenet.networks import Card, build, load_weights, save_weights
from vertenet.phantom import generate, write

SIZE = (128, 128)
SEEDS = (50, 51, 52, 53)


@pytest.fixture(scope="module")
def annotated(tmp_path_factory):
    """Four images that a person annotated."""
    folder = tmp_path_factory.mktemp("annotated")
    for seed in SEEDS:
        phantom = generate(seed, difficulty="easy", crop=None)
        image = write(phantom, folder, name=f"scan{seed}")
        image.with_name(f"scan{seed}.truth.json").unlink()
        rows, columns = phantom.radiograph.pixels.shape
        save([Annotation(phantom.truth.spine, image.name, rows, columns)], folder / f"scan{seed}.mrk.json")
    return folder


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """Random weights with a refiner beside them."""
    folder = tmp_path_factory.mktemp("start")
    torch.manual_seed(0)
    for network, options, path in (
        ("vertenet-lite", {"input_size": SIZE, "parts": ((), (), ())}, folder / "small.safetensors"),
        ("refiner", {"width": 4, "decoder": 8}, refiner_of(folder / "small.safetensors")),
    ):
        made = build(network, **options)
        save_weights(made, path, Card.of(made, name=network, training_data="nothing", synthetic_only=True))
    return folder / "small.safetensors"


@pytest.fixture(scope="module")
def material(annotated):
    cases = tuple(annotated_cases(annotated))
    samples = case_samples(cases, SIZE)
    others = samples[[0] * 60]
    return Material(cases, samples, (others,), crops_of_all(cases), crops_of_all(cases[:1] * 8))


def test_labelled_images_are_the_share_that_is_asked_for(material):
    for share, total in ((None, 64), (0.5, 120), (0.4, 60 + 40), (0.99, 60 + 4 * MOST_REPEATS)):
        assert len(material.source(share)) == total
    crops = material.mixed_crops(0.5)
    assert len(crops) == pytest.approx(2 * len(material.other_crops), abs=len(material.crops) / 2)


def test_alone_they_are_not_repeated(material):
    assert len(replace(material, others=()).source(0.5)) == 4
    assert len(replace(material, other_crops=None).mixed_crops(0.5)) == len(material.crops)


def test_who_judges_is_in_nothing_that_is_learned(material):
    out = {"scan51.png", "scan53.png"}
    rest = material.without(out)
    assert {case.person for case in rest.cases} == {"scan50.png", "scan52.png"}
    assert (rest.labelled.images == material.labelled.images[[0, 2]]).all()
    assert set(rest.crops.persons) == {"scan50.png", "scan52.png"}
    cases, samples = material.of(out)
    assert [case.person for case in cases] == ["scan51.png", "scan53.png"]
    assert (samples.images == material.labelled.images[[1, 3]]).all()


def test_every_person_is_in_one_fold_and_new_ones_change_little():
    persons = [f"p{n}" for n in range(9)]
    folds = folds_of([*persons, "p0"], 4)
    assert sorted(person for fold in folds for person in fold) == persons
    assert sorted(map(len, folds)) == [2, 2, 2, 3]
    assert folds == folds_of(reversed(persons), 4)
    assert len(folds_of(persons[:3], 4)) == 3


def test_who_was_learned_before_or_is_not_needed_does_not_judge(material):
    cases = material.cases
    names = sorted(case.person for case in cases)
    assert persons_to_fold(cases, [], ()) == names
    assert persons_to_fold(cases, [], names[:1]) == names[1:]
    assert persons_to_fold(cases[:1], [], ()) == []
    many = [replace(cases[0], person=f"held{n}") for n in range(ENOUGH_PERSONS)]
    assert persons_to_fold(cases, many[:-1], ()) == names
    assert persons_to_fold(cases, many, ()) == []


def test_folds_share_the_minutes():
    for refined in (False, True):
        recipe = Recipe(minutes=network_minutes(5, refined=refined, judged=True), steps=300)
        whole = 1 / (1 - 1 / 6) if refined else 1
        folds = [fold_recipe(recipe, 4)] * 4
        assert (recipe.minutes + sum(fold.minutes for fold in folds)) * whole == pytest.approx(5)
        assert sum(fold.steps for fold in folds) == pytest.approx(300 * JUDGING_SHARE / (1 - JUDGING_SHARE), abs=4)
    assert network_minutes(5, refined=False, judged=False) == 5
    assert network_minutes(None, refined=True, judged=True) is None


def test_the_command_fine_tunes_both_stages_and_its_card_says_how_persons_judged(annotated, start, tmp_path):
    recipe = replace(
        read_recipe("fine-tuning"),
        options={"input_size": list(SIZE), "parts": [[], [], []]},
        device="cpu",
        threads=1,
        data=replace(read_recipe("fine-tuning").data, phantoms=2, validation_phantoms=2, difficulty="easy", folds=2),
    )
    (tmp_path / "mine.json").write_text(json.dumps(recipe.to_dict()))
    out = tmp_path / "run"
    command = ["train", "--data", annotated, "--start-from", start, "--recipe", tmp_path / "mine.json", "--out", out]
    done = CliRunner().invoke(app, list(map(str, [*command, "--steps", 2, "--batch", 2, "--workers", 0])))
    assert done.exit_code == 0, done.output
    _, card = load_weights(out / "weights.safetensors")
    judged = card.metrics["judged"]
    # Three of four persons are learned and cross-fitted, and the one held back judges with them.
    assert (judged["cross_fitted"]["persons"], judged["cross_fitted"]["folds"]) == (4, 2)
    assert judged["phantoms"]["images"] == 2
    assert judged["sentence"].startswith("Cross-fitted over 4 persons (2 short trainings)")
    assert "Cross-fitted over 4 persons" in " ".join(done.output.split())
    refiner, refiner_card = load_weights(refiner_of(out / "weights.safetensors"))
    assert "fine-tuned from a refiner" in refiner_card.training_data
    assert not refiner_card.synthetic_only
    before = load_weights(refiner_of(start))[0].state_dict()
    assert any((before[name] != value).any() for name, value in refiner.state_dict().items())
    assert not (out / "folds").exists()
    assert not (out / "refiner").exists()


def test_without_a_share_nothing_is_judged_and_no_refiner_comes(annotated, start, tmp_path):
    recipe = Recipe(
        options={"input_size": SIZE, "parts": ((), (), ())},
        steps=1,
        batch=2,
        warmup=1,
        threads=1,
        device="cpu",
        start_from=str(start),
        data=Data(folder=str(annotated)),
    )
    weights = run_training(recipe, tmp_path / "out", workers=0)
    assert "judged" not in Card.read(weights.with_suffix(".json")).metrics
    assert not refiner_of(weights).exists()
