"""As much of CMake's language as lists of files need: comments, quotes, ``set`` and ``${...}``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)
      | "(?P<quoted>(?:[^"\\]|\\.)*)"
      | (?P<open>\()
      | (?P<close>\))
      | (?P<word>[^\s()"\#]+)""",
    re.VERBOSE,
)
_VARIABLE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class Command:
    """A command, its name in lower case, with its arguments after variables were put in."""

    name: str
    arguments: tuple[str, ...]

    def values(self, keyword: str, keywords: Sequence[str]) -> tuple[str, ...]:
        """What follows ``keyword`` up to the next of ``keywords``; lists are taken apart."""
        found, inside = [], False
        for argument in self.arguments:
            if argument in keywords:
                inside = argument == keyword
            elif inside:
                found += [part for part in argument.split(";") if part]
        return tuple(found)


@dataclass(frozen=True)
class CMakeFile:
    """A ``CMakeLists.txt`` as it was run: its commands in order, and what its variables hold at the end.

    Conditions are not evaluated: what stands in an ``if`` counts.
    """

    path: Path
    commands: tuple[Command, ...]
    variables: Mapping[str, str]

    @classmethod
    def read(cls, path: Path, variables: Mapping[str, str]) -> CMakeFile:
        """Raises OSError where the file cannot be read."""
        known = {**variables, "CMAKE_CURRENT_SOURCE_DIR": path.parent.as_posix()}
        commands = []
        for name, raw in _raw_commands(path.read_text(encoding="utf-8")):
            arguments = [part for text, quoted in raw for part in _expanded(text, quoted, known)]
            if name == "set" and arguments:
                known[arguments[0]] = ";".join(arguments[1:])
            commands.append(Command(name, tuple(arguments)))
        return cls(path, tuple(commands), known)

    def called(self, name: str) -> list[Command]:
        return [command for command in self.commands if command.name == name.lower()]


def _raw_commands(text: str) -> list[tuple[str, list[tuple[str, bool]]]]:
    """Name and (text, was quoted) of every argument, parentheses within arguments left out."""
    commands, name, depth = [], "", 0
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "word" and depth == 0:
            name = token["word"].lower()
        elif kind == "open":
            if depth == 0:
                commands.append((name, []))
            depth += 1
        elif kind == "close":
            depth -= 1
        elif kind in ("word", "quoted") and depth:
            commands[-1][1].append((token[kind], kind == "quoted"))
    return commands


def _expanded(text: str, quoted: bool, variables: Mapping[str, str]) -> list[str]:
    value = _VARIABLE.sub(lambda match: variables.get(match[1], ""), text)
    return [value] if quoted else [part for part in value.split(";") if part]
