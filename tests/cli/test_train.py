"""The command train: recipes and the options that change them, the bar, and Ctrl-C."""

import json
import signal

import pytest
from typer.testing import CliRunner

from vertenet.cli.commands import app
from vertenet.cli.training_view import stop_on_signals, training_view
from vertenet.learning import read_recipe
from vertenet.networks import load_weights

RECIPE = {
    "options": {"input_size": [128, 128], "parts": [[], [], []]},
    "steps": 50,
    "batch": 2,
    "threads": 1,
    "device": "cpu",
    "seed": 7,
    "data": {"phantoms": 2, "difficulty": "easy", "validation_phantoms": 1},
}


def test_a_recipe_file_is_run_with_the_options_that_change_it_and_its_folder_runs_again(tmp_path):
    (tmp_path / "mine.json").write_text(json.dumps(RECIPE))
    first, again = tmp_path / "first", tmp_path / "again"
    common = ["--cache", str(tmp_path / "cache"), "--workers", "0"]
    change = ["--recipe", str(tmp_path / "mine.json"), "--steps", "2", "--accumulate", "2", *common]
    done = CliRunner().invoke(app, ["train", "--out", str(first), *change])
    assert done.exit_code == 0, done.output
    assert "Step 2, epoch" in done.stderr
    assert "100% done" in done.stderr
    assert "images a second, about 0:00:00 left" in done.stderr
    assert done.stdout.startswith("Score 0.")
    assert str(first / "weights.safetensors") in done.stdout
    kept = read_recipe(first / "recipe.json")
    assert (kept.steps, kept.accumulate, kept.seed, kept.data.phantoms) == (2, 2, 7, 2)
    repeat = ["train", "--out", str(again), "--recipe", str(first / "recipe.json"), *common]
    assert CliRunner().invoke(app, repeat).exit_code == 0
    assert (
        load_weights(first / "weights.safetensors")[1].sha256 == load_weights(again / "weights.safetensors")[1].sha256
    )


@pytest.fixture
def heard():
    """SIGINT as at a terminal: in the background, where CI runs, it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_is_heard_once_as_a_wish_and_then_as_ever(heard):
    with stop_on_signals() as should_stop:
        assert not should_stop()
        signal.raise_signal(signal.SIGINT)
        assert should_stop()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_bar_takes_rows_with_and_without_figures():
    row = {"step": 10, "epoch": 0.5, "loss": 3.0, "seconds_left": 61.0, "progress": 0.1}
    with training_view() as show:
        show(row)
        show({**row, "step": 20, "levels_right": 0.5, "sdr_4px": 0.25, "score": 0.375})
        show({**row, "step": 30})
