"""The check of the extension passes on ours, and says what is wrong with a broken copy."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .broken_extensions import CATALOG, MODULE, append, damages, replace

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPT = REPOSITORY / "slicer_module" / "check_extension.py"
from check_extension import faults_of  # noqa: E402 (a script of the repository, no installed package)
from extension_check import trial_build, trial_import  # noqa: E402
from extension_check.cmake_text import CMakeFile  # noqa: E402
from extension_check.extension import Extension, UnreadableError  # noqa: E402


@pytest.fixture(scope="module")
def files():
    """The files of the repository that make the extension."""
    extension = Extension.read(REPOSITORY)
    pictures = (REPOSITORY / "docs" / "images").glob("slicer-*.png")
    module = (path for path in (REPOSITORY / "slicer_module").rglob("*") if path.suffix != ".pyc" and path.is_file())
    root = (REPOSITORY / name for name in ("CMakeLists.txt", "LICENSE", "README.md"))
    return sorted({*root, *module, *pictures, *extension.packaged().values()})


@pytest.fixture
def copy(files, tmp_path):
    root = tmp_path / "copy"
    for path in files:
        target = root / path.resolve().relative_to(REPOSITORY)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return root


def test_our_extension_has_no_faults_and_is_built_and_imported():
    done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, timeout=280)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "VerteNet: no faults." in done.stdout


def test_a_copy_that_nobody_broke_has_no_faults(copy):
    assert faults_of(Extension.read(copy)) == []


@pytest.mark.parametrize(("damage", "says"), [pytest.param(do, says, id=name) for name, do, says in damages()])
def test_a_broken_copy_is_refused_with_a_sentence(copy, damage, says):
    damage(copy)
    faults = faults_of(Extension.read(copy))
    assert any(says in fault for fault in faults), faults
    assert all(fault[0].isupper() or "/" in fault.split()[0] for fault in faults), faults
    assert all(fault.endswith(".") for fault in faults), faults


def test_the_script_ends_with_1_and_the_sentence(copy):
    (copy / "LICENSE").unlink()
    done = subprocess.run([sys.executable, str(SCRIPT), str(copy)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "FAULT: The repository's root has no licence file" in done.stdout


@pytest.mark.parametrize("gone", ["CMakeLists.txt", CATALOG, f"{MODULE}/CMakeLists.txt"])
def test_what_cannot_be_checked_at_all_is_said_in_a_sentence(copy, gone):
    (copy / gone).unlink()
    with pytest.raises(UnreadableError, match="cannot be read"):
        Extension.read(copy)


@pytest.mark.parametrize("text", ["{", "[]"])
def test_an_entry_that_is_no_entry_is_said_in_a_sentence(copy, text):
    (copy / CATALOG).write_text(text)
    with pytest.raises(UnreadableError, match="JSON"):
        Extension.read(copy)


def test_a_package_that_cannot_be_imported_is_a_fault(copy):
    append(copy, "raise RuntimeError('only here')\n")
    assert "only here" in fault_of_import(copy)


def test_a_package_that_is_installed_here_but_not_in_slicer_is_refused(copy):
    append(copy, "import importlib\nimportlib.import_module('torch')\n")
    assert "torch is not shipped with Slicer" in fault_of_import(copy)


def fault_of_import(root: Path) -> str:
    return next(trial.faults[0] for trial in trial_import.import_package(Extension.read(root)) if trial.faults)


def test_cmake_refuses_what_slicers_macros_do_not_know_or_the_check_says_that_it_could_not_try(copy):
    replace(copy, f"{MODULE}/CMakeLists.txt", "NO_INSTALL_SUBDIR", "NO_INSTALL_SUBDIRECTORY")
    trial = trial_build.build(Extension.read(copy))
    assert trial.unchecked or "does not know NO_INSTALL_SUBDIRECTORY" in trial.faults[0]


def test_lists_of_cmake_are_read_as_cmake_reads_them(tmp_path):
    path = tmp_path / "CMakeLists.txt"
    lines = ('set(A a "b c"  # a ) comment', "  d)", 'set(B ${A} "${A}")', "use(NAME x FILES ${B} LAST)", "if(NOT (A))")
    path.write_text("\n".join([*lines, "endif()"]))
    (command,) = CMakeFile.read(path, {}).called("Use")
    assert command.values("FILES", ("NAME", "FILES", "LAST")) == ("a", "b c", "d", "a", "b c", "d")
