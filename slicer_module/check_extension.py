"""Check the Slicer extension offline: what the Extensions Index asks, what lands in the package, and whether it runs.

python slicer_module/check_extension.py [--python PYTHON ...] [REPOSITORY]

Ends with status 1, and a sentence for every fault, where anything is wrong.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from extension_check import index_rules, package_rules, python_rules, trial_build, trial_import
from extension_check.extension import Extension, UnreadableError

CHECKS = (
    index_rules.check_catalog,
    index_rules.check_top_file,
    index_rules.check_pictures,
    index_rules.check_licence,
    index_rules.check_size,
    package_rules.check_lists,
    package_rules.check_imports,
    python_rules.check_python,
)


def faults_of(extension: Extension) -> list[str]:
    """Everything that reading the files can tell."""
    return [fault for check in CHECKS for fault in check(extension)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repository", type=Path, nargs="?", default=Path(__file__).resolve().parents[1])
    parser.add_argument("--python", action="append", default=[], help="also import the package with this Python")
    arguments = parser.parse_args()
    try:
        extension = Extension.read(arguments.repository)
    except UnreadableError as error:
        print(error)
        return 1
    faults = faults_of(extension)
    unchecked: list[str] = []
    if not faults:  # a package that is wrong on paper is not worth building
        for trial in (trial_build.build(extension), *trial_import.import_package(extension, arguments.python)):
            faults += trial.faults
            unchecked += trial.unchecked
    said = [*(f"FAULT: {fault}" for fault in faults), *(f"Not checked: {note}" for note in unchecked)]
    print(*said, f"{extension.name}: {len(faults) or 'no'} fault{'s' * (len(faults) != 1)}.", sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
