"""Import the packaged files where only Python, NumPy, SciPy, requests and pydicom can be had."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from .extension import Extension
from .source import OLDEST_PYTHON
from .trial import Trial

OLDEST = "python{}.{}".format(*OLDEST_PYTHON)
#: Parts of the module that may know Slicer; everything else must run without it.
SLICERS = {"mrml", "widgets", "parameter_node"}
#: Runs in the folder of the package; refuses every installed package that Slicer would not have.
_PROGRAM = r"""
import importlib, importlib.abc, importlib.machinery, sys

SHIPPED = {"numpy", "scipy", "requests", "urllib3", "idna", "certifi", "charset_normalizer", "chardet", "pydicom"}

class Gate(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if path is None and name not in SHIPPED:
            spec = importlib.machinery.PathFinder.find_spec(name)
            if spec is not None and any(place in str(spec.origin) for place in ("site-packages", "dist-packages")):
                raise ModuleNotFoundError(f"{name} is not shipped with Slicer")
        return None

sys.path.insert(0, sys.argv[1])
sys.meta_path.insert(0, Gate())
for name in sys.argv[2:]:
    module = importlib.import_module(name)
    if not module.__file__.startswith(sys.argv[1]):
        sys.exit(f"{name} came from {module.__file__}, not from the package")
"""
_NEEDED = "import numpy, scipy, requests, pydicom, sys; print('python%d.%d' % sys.version_info[:2])"


def import_package(extension: Extension, pythons: Sequence[str] = ()) -> Iterator[Trial]:
    """With this Python, with those named, and with Python 3.9 where the machine has one."""
    oldest = shutil.which(OLDEST)
    versions = {python: _version(python) for python in (sys.executable, *pythons, *([oldest] if oldest else []))}
    for python in pythons:
        if versions[python] is None:
            yield Trial(unchecked=(f"imports with {python}, which lacks what Slicer ships.",))
    if OLDEST not in versions.values():
        yield Trial(unchecked=(f"imports with {OLDEST}; none was found that has what Slicer ships.",))
    with tempfile.TemporaryDirectory() as folder:
        modules = lay_out(extension, Path(folder))
        for python, version in versions.items():
            if version is None:
                continue
            command = [python, "-c", _PROGRAM, os.path.realpath(folder), *modules]
            done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=folder)
            if done.returncode:
                reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
                yield Trial(faults=(f"With {version} the package cannot be imported: {reason}.",))


def lay_out(extension: Extension, folder: Path) -> list[str]:
    """Copy the packaged files as Slicer installs them; the modules that run without Slicer, by name."""
    modules = []
    for target, source in extension.packaged().items():
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / target)
        parts = Path(target).with_suffix("").parts
        pure = parts[0] in ("vertenet", "VerteNetLib") and not SLICERS & set(parts)
        if target.endswith(".py") and pure:
            modules.append(".".join(part for part in parts if part != "__init__"))
    return modules


def _version(python: str) -> str | None:
    """``python3.9``; None where it does not run or lacks what Slicer ships."""
    try:
        done = subprocess.run([python, "-c", _NEEDED], capture_output=True, text=True, timeout=60)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
