"""Reads what the files of the program import and where they reach, without running them, and says what they may not.

A file is known by its path below the repository; a room is a package or a module of ``vertenet``, or a door: ``apps``,
``slicer_module``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

#: Folders from which Python imports, to the door that they are; None: the rooms of vertenet.
ROOTS = {
    "lib": None,
    "slicer_module/VerteNet": "slicer_module",
    "slicer_module": "slicer_module",
    "apps/vertenet": "apps",
}
EDITS = {"insert", "append", "extend", "remove"}


@dataclass(frozen=True)
class Rules:
    """What is allowed.

    Attributes
    ----------
    rooms : mapping
        Room to the rooms that it may import; None: all that do not import it.
    reaching : frozenset of str
        Files that may look for others outside their room, or change where Python imports from.
    """

    rooms: Mapping[str, frozenset[str] | None]
    reaching: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Facts:
    """What one file does: the modules it imports, at its top or later, and what it reaches for by path."""

    imports: frozenset[tuple[str, ...]]
    reaches: tuple[str, ...]


def sources(repository: Path) -> dict[str, str]:
    """Text of every file of Python in lib, apps and slicer_module, by its path."""
    found = (path for top in ("lib", "apps", "slicer_module") for path in sorted((repository / top).rglob("*.py")))
    return {path.relative_to(repository).as_posix(): path.read_text(encoding="utf-8") for path in found}


def faults(files: Mapping[str, str], rules: Rules) -> list[str]:
    """A sentence for everything that ``rules`` do not allow, and for every permission that nobody uses."""
    modules = {module_of(path): path for path in files}
    known = {path: set(_known_modules(facts_of(path, text), modules)) for path, text in files.items()}
    rooms = {path: room_of(path) for path in files}
    said = [f"{room} has no arrows written down." for room in sorted(set(rooms.values()) - set(rules.rooms))]
    said += [f"There is no room {room}." for room in sorted(set(rules.rooms) - set(rooms.values()))]
    used: dict[str, set[str]] = {room: set() for room in rules.rooms}
    for path, names in known.items():
        for room in sorted({rooms[modules[name]] for name in names} - {rooms[path]}):
            used.setdefault(rooms[path], set()).add(room)
            allowed = rules.rooms.get(rooms[path])
            if allowed is not None and room not in allowed:
                said.append(f"{path} imports {room}, which {rooms[path]} must not know.")
    for room, allowed in rules.rooms.items():
        said += [f"{room} may know {other}, but does not." for other in sorted((allowed or set()) - used[room])]
    said += [f"The rooms {' -> '.join(circle)} know each other in a circle." for circle in _circles(used)]
    graph = {name: known[path] - {name} for name, path in modules.items()}
    said += [f"The modules {' -> '.join(circle)} import each other in a circle." for circle in _circles(graph)]
    reaching = {path: facts_of(path, text).reaches for path, text in files.items()}
    said += [f"{path} {reach}." for path, found in reaching.items() if path not in rules.reaching for reach in found]
    said += [f"{path} may reach by path, but does not." for path in sorted(rules.reaching) if not reaching.get(path)]
    return said


def room_of(path: str) -> str:
    """Room of a file; the package's own ``__init__`` belongs to none and is called ``vertenet``."""
    root = _root_of(path)
    parts = PurePosixPath(path).relative_to(root).with_suffix("").parts
    return ROOTS[root] or (parts[1] if parts[1] != "__init__" else parts[0])


def module_of(path: str) -> str:
    """Full name under which a file is imported."""
    parts = PurePosixPath(path).relative_to(_root_of(path)).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@lru_cache(maxsize=4096)
def facts_of(path: str, text: str) -> Facts:
    tree = ast.parse(text)
    module = module_of(path).split(".")
    package = module if path.endswith("__init__.py") else module[:-1]
    return Facts(frozenset(imports(tree, package)), tuple(_reaches(tree, PurePosixPath(path))))


def imports(tree: ast.AST, package: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Names that are imported, at the top or inside a function, also by ``importlib.import_module``; in full.

    Of ``from package import name`` both, since ``name`` may be a module or not.
    """
    package = tuple(package)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            base += tuple(node.module.split(".")) if node.module else ()
            yield from ((*base, alias.name) for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from (tuple(word.value.split(".")) for word in node.args[:1] if isinstance(word, ast.Constant))


def _known_modules(facts: Facts, modules: Mapping[str, str]) -> Iterator[str]:
    for name in facts.imports:
        found = next(
            (".".join(name[:end]) for end in (len(name), len(name) - 1) if ".".join(name[:end]) in modules), None
        )
        if found is not None:
            yield found


def _reaches(tree: ast.AST, path: PurePosixPath) -> Iterator[str]:
    home = _home(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "__file__":
            yield f"asks where another module lies (line {node.lineno})"
        place = _place(node, path)
        if place is not None and place != path and home not in (place, *place.parents):
            yield f"reaches for {place}, outside its room (line {node.lineno})"
        if _changes_import_path(node):
            yield f"changes where Python imports from (line {node.lineno})"


def _home(path: PurePosixPath) -> PurePosixPath:
    """The folder that a file may look into: its room's, or its door's."""
    root = PurePosixPath(_root_of(str(path)))
    return PurePosixPath(*path.parts[:3]) if str(root) == "lib" else root


def _place(node: ast.AST, path: PurePosixPath) -> PurePosixPath | None:
    """Where an expression that begins at ``__file__`` leads; None where it does not."""
    if isinstance(node, ast.Name) and node.id == "__file__":
        return path
    if isinstance(node, ast.Attribute) and node.attr == "parent":
        start = _place(node.value, path)
        return start and start.parent
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr == "parents":
        start = _place(node.value.value, path)
        number = node.slice.value if isinstance(node.slice, ast.Constant) else 0
        # Above the repository there is nothing of ours, but it is outside all the same.
        return start and PurePosixPath(*start.parts[: max(0, len(start.parts) - 1 - number)])
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and isinstance(node.right, ast.Constant):
        start = _place(node.left, path)
        return start and start / str(node.right.value)
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func)
        if name.endswith("dirname") and node.args:
            start = _place(node.args[0], path)
            return start and start.parent
        if name.split(".")[-1] in ("Path", "PurePath", "realpath", "abspath") and node.args:
            return _place(node.args[0], path)
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("resolve", "absolute"):
            return _place(node.func.value, path)
    return None


def _changes_import_path(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func)
        return name in {f"sys.path.{edit}" for edit in EDITS} or name.endswith("addsitedir")
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    written = isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign))
    return written and any(target is not None and ast.unparse(target).startswith("sys.path") for target in targets)


def _root_of(path: str) -> str:
    return next(root for root in ROOTS if path.startswith(f"{root}/"))


def _circles(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Circles of a graph, each once from one of its members; those that share members may be told as one."""
    rest = {name: {other for other in others if other != name} for name, others in graph.items()}
    found = []
    while True:
        ends = {name for name, others in rest.items() if not (others & rest.keys())}
        if ends:
            rest = {name: others for name, others in rest.items() if name not in ends}
            continue
        if not rest:
            return found
        walk = [min(rest)]
        while True:  # everybody left knows somebody left, so a walk comes back to where it was
            following = min(rest[walk[-1]] & rest.keys())
            if following in walk:
                break
            walk.append(following)
        circle = walk[walk.index(following) :]
        first = circle.index(min(circle))
        found.append([*circle[first:], *circle[: first + 1]])
        del rest[following]
