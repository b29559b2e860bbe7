"""Where the core library (package ``vertenet``) is: beside this package if installed, ``lib/`` in the source tree."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path


def put_core_on_path() -> None:
    """Make ``import vertenet`` work; whatever is installed already is left alone.

    Raises
    ------
    ImportError
        The core is nowhere; the extension was not packaged with it.
    """
    if importlib.util.find_spec("vertenet") is not None:
        return
    source = Path(__file__).resolve().parents[3] / "lib"
    if not (source / "vertenet").is_dir():
        raise ImportError("The core library 'vertenet' is missing from this extension. Install the extension again.")
    sys.path.append(str(source))
