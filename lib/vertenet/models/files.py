"""Where weight files lie: a name or a path to a file, without loading what can read it."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import ModelError, PathLike

#: Folder of further weights, looked in before the program's own.
MODELS_VARIABLE = "VERTENET_MODELS"
#: The weights of this package.
SHIPPED = Path(__file__).resolve().parent


def find_weights(name_or_path: PathLike) -> Path:
    """Path of a weight file, given itself or as the name of a preset such as ``vertenet-lite``.

    Presets are looked for in the folder that ``VERTENET_MODELS`` names, then among the weights of this package.

    Raises
    ------
    ModelError
        There is none; the message says where it was looked for.
    """
    given = os.fspath(name_or_path)
    if given.endswith(".safetensors") or Path(given).name != given:
        if not Path(given).is_file():
            raise ModelError("there is no such weight file", subject=given)
        return Path(given)
    folders = [Path(os.environ[MODELS_VARIABLE])] if os.environ.get(MODELS_VARIABLE) else []
    folders.append(SHIPPED)
    for folder in folders:
        candidate = folder / f"{given}.safetensors"
        if candidate.is_file():
            return candidate
    raise ModelError(
        f"there are no weights called {given!r} in {' or '.join(map(str, folders))}",
        remedy=f"Give the path of a .safetensors file, or name a folder of them in {MODELS_VARIABLE}",
    )


def is_shipped(weights: Path) -> bool:
    """Whether a weight file is one of the program's own, however its path is written."""
    return weights.resolve().parent == SHIPPED
