"""What the documents say: every command is one that the program takes, and what they name is there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from vertenet.cli.commands import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    [
        *(page for pattern in ("*.md", "docs/*.md", "sample_data/*.md") for page in ROOT.glob(pattern)),
        ROOT / "apps" / "vertenet" / "README.md",
        ROOT / "lib" / "vertenet" / "server" / "README.md",
        ROOT / "slicer_module" / "README.md",
    ]
)
#: How a line of code begins that runs one of our commands.
PROGRAMS = ("vertenet ", "torchrun ", "python ", "make ", "monailabel ")


#: Typer's own click, whichever it brings.
UsageError = typer.BadParameter.__bases__[0]


def code_of(page: Path) -> Iterator[tuple[str, bool]]:
    """Lines of the indented and fenced blocks of a page, continued ones joined, and its spans of code.

    With each whether it is of a block, that is meant to be run as it stands.
    """
    text = page.read_text(encoding="utf-8")
    fenced = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = re.sub(r"^```[a-z]*\n.*?^```", "", text, flags=re.DOTALL | re.MULTILINE).splitlines()
    indented = "\n".join(line[4:] for line in lines if line.startswith("    "))
    for block in (*fenced, indented):
        yield from ((line, True) for line in re.sub(r"\\\n\s*", " ", block).splitlines())
    prose = "\n".join(line for line in lines if not line.startswith("    "))
    yield from ((span, False) for span in re.findall(r"`([^`\n]+)`", prose))


def commands(page: Path) -> Iterator[tuple[list[str], bool]]:
    """The words of each command of a page, without comments and variables set before it."""
    for line, whole in code_of(page):
        line = re.sub(r"^([A-Z_]+=\S+ )+", "", line.strip())
        if line.startswith(PROGRAMS):
            yield shlex.split(line, comments=True), whole


COMMANDS = [(page.relative_to(ROOT).as_posix(), *found) for page in PAGES for found in commands(page)]


def in_words(value) -> str:
    return " ".join(value) if isinstance(value, list) else str(value)


def parse(words: list[str], whole: bool = True) -> None:
    """Read a command's options as the program does, without running it.

    Of one that is only mentioned, as in "`vertenet predict` writes ...", the names alone are looked at.

    Raises
    ------
    UsageError
    """
    found, rest = typer.main.get_command(app), list(words)
    while hasattr(found, "commands") and rest:
        name = rest.pop(0)
        if name not in found.commands:
            raise UsageError(f"there is no command {name}")
        found = found.commands[name]
    if whole:
        found.make_context(words[0], rest)
        return
    known = {option for parameter in found.params for option in parameter.opts + parameter.secondary_opts}
    unknown = {word for word in rest if word.startswith("--")} - known
    if unknown:
        raise UsageError(f"{words[0]} has no {', '.join(sorted(unknown))}")


def test_the_documents_hold_the_commands_that_are_looked_for():
    assert len([words for _, words, _ in COMMANDS if words[0] == "vertenet"]) > 60
    assert {page for page, *_ in COMMANDS} > {"README.md", "docs/train.md", "docs/calibration.md", "docs/server.md"}
    for wrong in ("predict x.png --outt o", "calibrate --phantom 3", "trane --out o", "train --steps many --out o"):
        with pytest.raises(UsageError):
            parse(wrong.split())
    with pytest.raises(UsageError):
        parse(["calibrate", "--phantom"], whole=False)


@pytest.mark.parametrize(
    ("page", "words", "whole"), [item for item in COMMANDS if item[1][0] in ("vertenet", "torchrun")], ids=in_words
)
def test_a_command_of_ours_is_one_that_the_program_takes(page, words, whole):
    rest = words[1:] if words[0] == "vertenet" else words[words.index("vertenet.cli") + 1 :]
    if rest and "..." not in rest:
        parse(rest, whole)


@pytest.mark.parametrize(
    ("page", "words"), [item[:2] for item in COMMANDS if item[1][0] in ("python", "make")], ids=in_words
)
def test_a_script_or_target_that_is_named_exists(page, words):
    if words[0] == "python":
        script = words[2].replace(".", "/") if words[1] == "-m" else words[1]
        files = (script, f"{script}.py", f"lib/{script}.py", f"lib/{script}/__main__.py")
        assert script.startswith("-") or any((ROOT / file).is_file() for file in files)
        return
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert {word for word in words[1:] if "=" not in word} <= set(targets)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_what_a_page_links_to_is_there(page):
    text = page.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("folder", ["apps/vertenet", "lib/vertenet/server"])
def test_the_files_that_a_folders_page_lists_are_there(folder):
    page = ROOT / folder / "README.md"
    rows = [line.split("|")[1] for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    assert len(named) > 2
    assert [name for name in named if not (page.parent / name).exists()] == []


def test_every_recipe_and_model_that_is_named_ships():
    recipes = {path.stem for path in (ROOT / "lib/vertenet/learning/recipes").glob("*.json")}
    for _, words, _ in COMMANDS:
        for option, value in zip(words, words[1:]):
            if option == "--recipe" and "/" not in value:
                assert value in recipes


def test_the_python_versions_of_readme_and_package_are_the_same():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    oldest = re.search(r'requires-python = ">=(3\.\d+)"', project).group(1)
    whole = re.findall(r"Programming Language :: Python :: (3\.\d+)", project)
    assert f"Python {whole[0]} to {whole[-1]}" in readme
    assert f"Python {oldest}" in readme


#: Of the ten minutes of docs/train.md: what makes them seconds, and changes nothing else.
SHORTER = {"--count 20": "--count 4", "--minutes 5": "--steps 2", "--validate-every 50": "", "new.dcm": "my_scans"}


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_ten_minutes_of_the_training_page_go_from_drawing_to_predicting(tmp_path):
    page = (ROOT / "docs" / "train.md").read_text(encoding="utf-8")
    wanted = page.split("## Ten minutes")[1].split("\n## ")[0]
    lines = re.sub(r"\\\n\s*", " ", "\n".join(line[4:] for line in wanted.splitlines() if line.startswith("    ")))
    run = [line for line in lines.splitlines() if line.startswith("vertenet ")]
    assert len(run) == 5
    for line in run:
        for long, short in SHORTER.items():
            line = line.replace(long, short)
        words = [sys.executable, "-m", "vertenet.cli", *shlex.split(line, comments=True)[1:]]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, f"{line}\n{done.stderr}"
    assert len(list((tmp_path / "results").glob("*.reading.json"))) == 4
    assert (tmp_path / "points.csv").is_file()
