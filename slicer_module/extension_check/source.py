"""Python files as syntax trees."""

from __future__ import annotations

import ast
from functools import lru_cache

#: Slicer 5.8 and older embed it.
OLDEST_PYTHON = (3, 9)


@lru_cache(maxsize=1024)
def syntax_tree(text: str) -> ast.Module:
    """The tree of a file's text. Raises SyntaxError where it is newer than `OLDEST_PYTHON`, or wrong."""
    return ast.parse(text, feature_version=OLDEST_PYTHON)
