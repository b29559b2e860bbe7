"""The arrows of the house: who may know whom, over library and doors, and what a light import may load."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from .arrows import Rules, faults, sources

REPOSITORY = Path(__file__).resolve().parents[1]
LEAVES = {"spine", "radiograph", "errors"}
#: Room (a package or a module of vertenet, or a door) to the rooms that it may import.
ROOMS = {
    "vertenet": set(),
    "errors": set(),
    "files": set(),
    "archives": {"errors"},
    "filenames": {"errors"},
    "conformity": {"errors"},
    "spine": {"errors"},
    "radiograph": {"errors", "spine"},
    "measure": LEAVES,
    "reading": LEAVES | {"measure", "conformity", "vertenet"},
    "annotation": LEAVES | {"filenames", "files", "measure"},
    "imaging": LEAVES | {"filenames"},
    "models": {"errors"},
    "networks": {"errors", "files", "vertenet"},
    "phantom": LEAVES | {"files"},
    "assess": {"spine", "radiograph", "measure", "reading", "vertenet"},
    "inference": LEAVES | {"assess", "files", "imaging", "measure", "models", "networks", "reading", "vertenet"},
    "evaluation": LEAVES | {"imaging", "measure", "reading"},
    "learning": LEAVES
    | {"annotation", "archives", "evaluation", "filenames", "files", "imaging", "inference", "measure", "models"}
    | {"networks", "phantom", "vertenet"},
    "report": LEAVES | {"annotation", "evaluation", "filenames", "files", "imaging", "measure", "reading", "vertenet"},
    "pacs": {"errors"},
    "experiments": LEAVES
    | {"annotation", "evaluation", "files", "imaging", "inference", "learning", "measure", "models", "networks"}
    | {"phantom", "reading", "report", "vertenet"},
    "server": LEAVES
    | {"annotation", "evaluation", "filenames", "files", "imaging", "inference", "learning", "measure", "models"}
    | {"networks", "phantom", "reading", "vertenet"},
    "slicer_module": LEAVES
    | {"annotation", "assess", "filenames", "files", "imaging", "measure", "reading", "vertenet"},
    # The upper floor and the doors may know every room; nobody below may know them.
    "cohort": None,
    "cli": None,
    "apps": None,
    "__main__": {"cli"},
}
REACHING = {
    "slicer_module/VerteNet/VerteNetLib/core.py",  # in a clone the library lies beside the module
    "slicer_module/check_extension.py",  # reads the repository
}
RULES = Rules({room: allowed and frozenset(allowed) for room, allowed in ROOMS.items()}, frozenset(REACHING))
#: What a light import must not load: 3D Slicer embeds NumPy and SciPy alone.
HEAVY = ["torch", "pydicom", "pandas", "matplotlib", "PIL", "SimpleITK", "monai", "timm", "tifffile", "jsonschema"]


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return sources(REPOSITORY)


def test_every_arrow_is_one_that_is_written_down_and_the_other_way_round(files):
    assert len(files) > 400
    assert faults(files, RULES) == []


COHORT = "lib/vertenet/cohort/__init__.py"
GUIDES, STATE, WORDS = "lib/vertenet/measure/guides.py", "lib/vertenet/server/state.py", "VerteNetLib/words.py"
WORDS = f"slicer_module/VerteNet/{WORDS}"


@pytest.mark.parametrize(
    ("path", "added", "sentence"),
    [
        (GUIDES, "from ..cli import main", f"{GUIDES} imports cli, which measure must not know."),
        (
            GUIDES,
            "def f():\n    import vertenet.server.tokens",
            f"{GUIDES} imports server, which measure must not know.",
        ),
        (GUIDES, "from vertenet import networks", f"{GUIDES} imports networks, which measure must not know."),
        (
            GUIDES,
            "importlib.import_module('vertenet.cohort')",
            f"{GUIDES} imports cohort, which measure must not know.",
        ),
        (STATE, "from ..cli.common import say", f"{STATE} imports cli, which server must not know."),
        (
            WORDS,
            "from vertenet.inference import Predictor",
            f"{WORDS} imports inference, which slicer_module must not know.",
        ),
        (WORDS, "import main", f"{WORDS} imports apps, which slicer_module must not know."),
        (STATE, "Path(__file__).parents[1] / 'models'", f"{STATE} reaches for lib/vertenet/models, outside its room"),
        (STATE, "Path(__file__).resolve().parent.parent", f"{STATE} reaches for lib/vertenet, outside its room"),
        (STATE, "os.path.dirname(os.path.dirname(__file__))", f"{STATE} reaches for lib/vertenet, outside its room"),
        (STATE, "Path(__file__).parents[9]", f"{STATE} reaches for ., outside its room"),
        (GUIDES, "import vertenet\nvertenet.__file__", f"{GUIDES} asks where another module lies"),
        ("apps/vertenet/main.py", "sys.path.insert(0, 'x')", "apps/vertenet/main.py changes where Python imports from"),
        ("apps/vertenet/main.py", "sys.path[:0] = ['x']", "apps/vertenet/main.py changes where Python imports from"),
        ("apps/vertenet/main.py", "sys.path += ['x']", "apps/vertenet/main.py changes where Python imports from"),
    ],
)
def test_what_must_not_be_is_seen(files, path, added, sentence):
    changed = {**files, path: f"{files[path]}\n{added}\n"}
    assert any(said.startswith(sentence.rstrip(".")) for said in faults(changed, RULES))


def test_a_look_into_the_own_room_is_no_reach(files):
    changed = {**files, STATE: f"{files[STATE]}\nPath(__file__).parent / 'gateway'\n"}
    assert faults(changed, RULES) == []


def test_a_circle_is_seen_among_modules_of_one_room_and_among_rooms(files):
    changed = {**files, GUIDES: f"{files[GUIDES]}\nfrom . import crop\n"}  # which knows guides
    assert any("vertenet.measure.guides -> vertenet.measure.crop" in said for said in faults(changed, RULES))
    # Doors may know everything, but not each other.
    changed = {**files, COHORT: f"{files[COHORT]}\nfrom ..cli import main\n"}
    assert "The rooms cli -> cohort -> cli know each other in a circle." in faults(changed, RULES)


def test_a_permission_that_nobody_uses_is_seen(files):
    rooms = {**RULES.rooms, "measure": RULES.rooms["measure"] | {"files"}}
    assert faults(files, replace(RULES, rooms=rooms)) == ["measure may know files, but does not."]
    reaching = RULES.reaching | {STATE}
    assert faults(files, replace(RULES, reaching=reaching)) == [f"{STATE} may reach by path, but does not."]


def test_a_room_that_nobody_wrote_down_is_seen(files):
    assert faults({**files, "lib/vertenet/attic/x.py": ""}, RULES) == ["attic has no arrows written down."]
    assert faults(files, replace(RULES, rooms={**RULES.rooms, "cellar": frozenset()})) == ["There is no room cellar."]


@pytest.mark.parametrize(
    "module",
    ["vertenet", "vertenet.spine", "vertenet.reading", "vertenet.annotation", "vertenet.measure", "vertenet.assess"],
)
def test_what_slicer_imports_loads_numpy_and_scipy_alone(module):
    code = f"import sys, {module}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == []


def test_the_published_schema_is_read_without_a_validator():
    code = (
        "import sys; from vertenet.reading import reading_schema; reading_schema(); print('jsonschema' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "False"
