"""Programs that tests drive and that no package of Python brings: ``tests/install_tools.sh`` installs them."""

from __future__ import annotations

import os
import shutil

import pytest

_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"
#: Where a run must not pass without its tools, as in continuous integration.
REQUIRED = os.environ.get("VERTENET_REQUIRE_TOOLS") == "1"


def find_tool(*names: str) -> str | None:
    """The path of the first program of these names that is installed."""
    return next(filter(None, (shutil.which(name, path=_PATH) for name in names)), None)


def needs(*names: str):
    """Skip a test without one of the programs, saying which; with VERTENET_REQUIRE_TOOLS=1 it then fails."""
    missing = [name for name in names if find_tool(*name.split("|")) is None]
    return pytest.mark.skipif(
        bool(missing) and not REQUIRED,
        reason=f"{', '.join(missing)} not installed: run tests/install_tools.sh",
    )
