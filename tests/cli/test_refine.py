"""The command that trains the refiner: from a folder of phantoms to weights that a Refiner loads."""

import pytest
from typer.testing import CliRunner

from vertenet.cli import refine  # noqa: F401  (registers its command)
from vertenet.cli.common import app
from vertenet.errors import OptionError
from vertenet.inference.refine import Refiner
from vertenet.phantom import generate, write


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantoms")
    for seed in (1, 2):
        write(generate(seed, scanner="ge-prodigy-de", difficulty="easy"), folder)
    return folder


def call(*arguments):
    return CliRunner().invoke(app, ["train-refiner", *map(str, arguments)])


def test_a_folder_of_phantoms_becomes_a_refiner_that_owns_up_to_them(folder, tmp_path):
    done = call("--data", folder, "--out", tmp_path / "run", "--steps", 2, "--batch", 2)
    assert done.exit_code == 0, done.output
    refiner = Refiner.load(tmp_path / "run/weights.safetensors")
    assert refiner.card.synthetic_only
    assert refiner.card.training_data == "2 synthetic phantom images"
    assert refiner.card.metrics["steps"] == 2


@pytest.mark.parametrize("option", ["--steps", "--batch", "--minutes", "--learning-rate", "--threads"])
def test_a_number_that_makes_no_sense_is_refused(folder, tmp_path, option):
    done = call("--data", folder, "--out", tmp_path / "run", option, 0)
    assert isinstance(done.exception, OptionError)
    assert option in str(done.exception)
