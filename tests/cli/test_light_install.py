"""What is not installed is named, and is asked for only by what needs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import vertenet
from vertenet.annotation import markups
from vertenet.cli.extras import PACKAGES
from vertenet.imaging import read
from vertenet.phantom.truth import PhantomTruth

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

REPOSITORY = Path(__file__).resolve().parents[2]
MISSING = "import sys; sys.modules.update(dict.fromkeys({absent!r})); from vertenet.cli import main; main()"


def without(*absent: str, arguments=(), **environment):
    """Run ``vertenet`` as if some packages were not installed."""
    code = MISSING.format(absent=absent)
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=280,
        env={**os.environ, **environment},
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.fixture(scope="module")
def phantom(tmp_path_factory):
    """A synthetic image and its truth, made by the command, two in a row."""
    folder = tmp_path_factory.mktemp("phantoms")
    arguments = ("phantom", "--count", 2, "--seed", 3, "--scanner", "ge-prodigy-de", "--out", folder)
    done = without("torch", "SimpleITK", arguments=arguments)
    assert done.returncode == 0, done.stderr
    assert len(list(folder.glob("*.truth.json"))) == 2
    return sorted(folder.glob("*.png"))[1]


def test_a_phantom_needs_no_network(phantom):
    assert phantom.stat().st_size > 10_000


def test_help_without_the_packages_of_the_command_line_says_what_to_install():
    for absent in ("typer", "rich"):
        done = without(absent, arguments=["--help"])
        assert done.returncode == 2
        assert f"needs the package {absent}" in done.stderr
        assert "pip install 'vertenet[cli]'" in done.stderr


def test_a_command_without_its_packages_names_the_extra_that_brings_them():
    done = without("torch", arguments=["networks"])
    assert done.returncode == 2
    assert "needs the package torch" in done.stderr
    assert "pip install 'vertenet[network]'" in done.stderr
    assert vertenet.__version__ in without("torch", arguments=["--version"]).stdout


def test_heights_and_guides_are_measured_without_a_network(phantom, tmp_path):
    pytest.importorskip("SimpleITK")
    truth = PhantomTruth.from_json(phantom.with_name(f"{phantom.stem}.truth.json").read_text(encoding="utf-8"))
    landmarks = tmp_path / f"{phantom.stem}.mrk.json"
    landmarks.write_text(markups.dumps(truth.spine, read(phantom).geometry, midpoints=True), encoding="utf-8")
    for out in (tmp_path / "first", tmp_path / "second"):
        done = without("torch", arguments=["measure", "--image", phantom, "--landmarks", landmarks, "--out", out])
        assert done.returncode == 0, done.stderr
        assert "L4/L5" in done.stdout
        assert (out / f"{phantom.stem}.reading.json").is_file()


def test_every_package_that_can_be_missing_is_one_that_its_extra_brings():
    distributions = {"PIL": "pillow", "ignite": "pytorch-ignite", "sklearn": "scikit-learn"}
    listed = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extra, packages in PACKAGES.items():
        brought = {re.match(r"[\w-]+", words)[0] for words in listed["optional-dependencies"][extra]}
        assert {distributions.get(package, package).replace("_", "-") for package in packages} <= brought


@pytest.mark.parametrize(
    "command",
    [
        ("predict", "x.png", "--out", "o", "--model"),
        ("evaluate", "--phantoms", "2", "--out", "o", "--model"),
        ("calibrate", "--model"),
        ("crop-study", "--phantoms", "2", "--landmarks", "model", "--out", "o", "--model"),
        ("train", "--phantoms", "2", "--out", "o", "--start-from"),
        ("serve", "--studies", ".", "--model"),
    ],
    ids=lambda command: command[0],
)
def test_weights_that_are_not_there_are_missed_before_torch_is_loaded(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = without("torch", arguments=[*command, "nowhere.safetensors"])
    assert (done.returncode, done.stderr) == (2, "nowhere.safetensors: there is no such weight file.\n")
    assert not list(tmp_path.iterdir())
