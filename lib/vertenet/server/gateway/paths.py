"""Folders of the server in answers: an admin may see them, the others see names of files."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any

from monailabel.config import settings

from ..identity import current_caller

#: What a path does not hold in the lines that tasks print.
_REST = r"[^\s'\",;:)\]}]*"


def for_caller(answer: Any) -> Any:
    """``answer`` with each path below a folder of this server cut to its last part, unless an admin asks.

    Without tokens everybody is somebody on this computer who may do all that an admin may.
    """
    caller = current_caller.get()
    if caller is None or caller.may("admin"):
        return answer
    return _cut(answer, _pattern(settings.MONAI_LABEL_STUDIES, settings.MONAI_LABEL_APP_DIR, tempfile.gettempdir()))


def _cut(value: Any, pattern: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return pattern.sub(lambda found: PurePath(found[0]).name, value)
    if isinstance(value, Mapping):
        return {name: _cut(part, pattern) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cut(part, pattern) for part in value]
    return value


@lru_cache(maxsize=8)
def _pattern(*folders: str) -> re.Pattern[str]:
    own = {*folders, sys.prefix, sys.base_prefix, str(Path.home()), *filter(os.path.isabs, sys.path)}
    roots = {str(Path(folder).resolve()) for folder in own if folder} | {folder for folder in own if folder}
    longest_first = sorted((root for root in roots if len(root) > 1), key=len, reverse=True)
    return re.compile("(?:" + "|".join(map(re.escape, longest_first)) + ")" + _REST)
