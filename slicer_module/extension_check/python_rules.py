"""House rules for the module's Python files that a linter does not hold."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .extension import Extension
from .source import OLDEST_PYTHON, syntax_tree

MOST_LINES = 400


def check_python(extension: Extension) -> Iterator[str]:
    """No long file, no bare except, no newer syntax, and user strings that a translator's tool can find."""
    own = set(extension.python_files())
    for path in sorted(own | extension.packaged_python()):
        text, name = path.read_text(encoding="utf-8"), extension.relative(path)
        lines = text.count("\n")
        if path in own and lines > MOST_LINES:
            yield f"{name} has {lines} lines; no file of the module has more than {MOST_LINES}."
        try:
            tree = syntax_tree(text)
        except SyntaxError as error:
            yield f"{name}, line {error.lineno}, is no Python {'.'.join(map(str, OLDEST_PYTHON))}: {error.msg}."
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler) and node.type is None:
                yield f"{name}, line {node.lineno}, has a bare except."
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
                constant = len(node.args) == 1 and isinstance(node.args[0], ast.Constant)
                if not constant or not isinstance(node.args[0].value, str):
                    yield f"{name}, line {node.lineno}, translates something that is not one plain text."
