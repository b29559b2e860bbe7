"""Configure and install the extension with CMake, with stand-ins for Slicer's macros in place of Slicer.

That proves that the files of CMake are a program that runs and that everything lands where Slicer looks for it. It does
not prove that Slicer builds it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .extension import Extension
from .trial import Trial

STAND_INS = Path(__file__).with_name("slicer_stub")
#: Where Slicer's scripted modules are, within an installed extension.
MODULES = Path("lib/Slicer-5.10/qt-scripted-modules")


def find_cmake() -> str | None:
    """The one beside this Python (``pip install cmake``), else the machine's."""
    return shutil.which("cmake", path=str(Path(sys.executable).parent)) or shutil.which("cmake")


def build(extension: Extension) -> Trial:
    """Install into a temporary folder, and compare it with what CMake's lists say."""
    cmake = find_cmake()
    if cmake is None or shutil.which("cc") is None or shutil.which("make") is None:
        return Trial(unchecked=("the layout of an installation, for want of CMake, make and a compiler.",))
    with tempfile.TemporaryDirectory() as folder:
        installed = Path(folder, "installed")
        configure = [cmake, "-S", str(extension.root), "-B", folder + "/build", f"-DSlicer_DIR={STAND_INS}"]
        for command in (
            [*configure, "-DBUILD_TESTING=ON", "--no-warn-unused-cli"],
            [cmake, "--install", folder + "/build", "--prefix", str(installed)],
        ):
            done = subprocess.run(command, capture_output=True, text=True, timeout=300)
            if done.returncode:
                return Trial(faults=(f"CMake failed: {' '.join(done.stderr.split())[:500]}",))
        found = {path.relative_to(installed / MODULES).as_posix() for path in installed.rglob("*") if path.is_file()}
    missing = sorted(set(extension.packaged()) - found)
    surplus = sorted(found - set(extension.packaged()))
    return Trial(
        (
            *(f"{name} is listed, but CMake did not install it." for name in missing),
            *(f"CMake installed {name}, which no list names." for name in surplus),
        )
    )
