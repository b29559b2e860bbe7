"""What pip installs: the wheel's files, and each extra in an environment of its own, from an empty folder."""

from __future__ import annotations

import subprocess
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import vertenet

from .fresh_environments import PROMISES, REPOSITORY, Environment, broken, build_wheel

#: Extras whose promises ``all`` keeps as well, or that train; each loads torch several times.
LONG = {"network", "cli,network", "study", "server"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


def test_the_wheel_holds_every_file_of_the_library_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    tracked = subprocess.run(["git", "ls-files", "lib"], cwd=REPOSITORY, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("this is no clone")
    listed = (name[len("lib/") :] for name in tracked.stdout.splitlines() if (REPOSITORY / name).is_file())
    assert names == {name for name in listed if not name.endswith(".md")}
    assert {"vertenet/py.typed", "vertenet/models/vertenet-lite.safetensors"} <= names


def test_the_wheel_says_what_it_is(wheel):
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        said = Parser().parsestr(archive.read(name).decode())
    assert (said["Name"], said["Version"]) == ("vertenet", vertenet.__version__)
    assert said["License-Expression"] == "Apache-2.0"
    # Ray and the further runtimes are nobody's dependency: their environments are made by hand, with --download.
    assert {*PROMISES, "dev", "ray", "runtimes"} - {"", "cli,network"} == set(said.get_all("Provides-Extra"))


@pytest.mark.parametrize(
    "extra", [pytest.param(extra, marks=[pytest.mark.long] if extra in LONG else []) for extra in PROMISES]
)
@pytest.mark.timeout(1200)
def test_an_extra_keeps_its_promises_and_names_what_it_lacks(extra, wheel, tmp_path):
    environment = Environment(tmp_path / "environment", wheel, extra)
    before = installed_files(environment)
    (tmp_path / "empty").mkdir()
    assert list(broken(environment, extra, tmp_path / "empty")) == []
    assert installed_files(environment) == before, "something was written where the package is installed"


def installed_files(environment: Environment) -> set[Path]:
    found = {*environment.packages.iterdir(), *(environment.packages / "vertenet").rglob("*")}
    return {path for path in found if "__pycache__" not in path.parts}
