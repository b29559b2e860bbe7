"""Cases: images with known landmarks, and whose they are, from a folder or from the phantom.

A case knows its person and its scanner, because a fair split keeps a person's scans together and every scanner on both
sides. Pixels are read (or generated) each time they are asked for; a cohort of thousands fits into no memory.
"""

from __future__ import annotations

import csv
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from ..annotation import load
from ..annotation.truth_table import TRUTH_TABLE
from ..errors import AnnotationError
from ..imaging import ImageFolder
from ..imaging.identity import identity_of
from ..phantom import Phantom, PhantomTruth, generate
from ..radiograph import Radiograph
from ..spine import Level, Spine
from .archive import unpacked
from .samples import Samples, make_sample, phantom_scanner

#: Optional table in a folder of annotated images: columns ``image`` and any of ``person`` and ``scanner``.
CASES_TABLE = "cases.csv"
UNKNOWN_SCANNER = "unknown"


@dataclass(frozen=True, eq=False)
class Case:
    """One annotated image.

    Attributes
    ----------
    name : str
        The image's name, unique in its cohort.
    person : str
        Whose scan it is; the image's own name where nobody said.
    scanner : str
    spine : Spine
        T12 to L5, source pixels; with mid-endplate points where they are known.
    anatomy : Spine
        Every named level (T11, L6, S1 too) where they are known, else the same as ``spine``.
    grades : mapping of Level to int
        Genant grades, 0 for a level known to be intact; empty where nobody graded.
    load : callable
        Reads the radiograph.
    synthetic : bool
        Drawn by `vertenet.phantom`: no patient was imaged.
    centres : mapping of Level to (x, y)
        Of vertebrae of which nothing but the centre is known; only in a cohort to measure on.
    side_known : bool
        False: nobody said which side is anterior, and what ``spine`` says of it means nothing.
    set : str
        Which part of its cohort it belongs to in tables; empty where nobody said.
    doubtful : bool
        The names of its vertebrae may be a level off.
    """

    name: str
    person: str
    scanner: str
    spine: Spine
    anatomy: Spine
    load: Callable[[], Radiograph]
    grades: Mapping[Level, int] = field(default_factory=dict)
    synthetic: bool = False
    centres: Mapping[Level, tuple[float, float]] = field(default_factory=dict)
    side_known: bool = True
    set: str = ""
    doubtful: bool = False

    def radiograph(self) -> Radiograph:
        """The image, with the anterior side of its landmarks where that is known."""
        found = self.load()
        return found.with_anterior(self.spine.anterior) if self.side_known else found


def annotated_cases(folder: Path, *, needed: bool = True) -> list[Case]:
    """The images of a folder, or of a zip of one, that have landmarks beside them, in the order of their names.

    Landmarks are a phantom's ``<stem>.truth.json`` or any format of `vertenet.annotation`. Person and scanner come from
    the folder's ``cases.csv`` (columns ``image``, ``person``, ``scanner``), else from a DICOM image's header (the
    person as a pseudonym, `vertenet.imaging.identity`), else the person is the image and the scanner is unknown.
    A ``truth.csv`` is passed over: it is to measure on (`vertenet.experiments.truth`).

    Raises
    ------
    AnnotationError
        No image of the folder has landmarks and some are ``needed``, or ``cases.csv`` has no column ``image``.
    """
    folder = unpacked(folder)
    images = ImageFolder(folder)
    spines = {}
    for path in sorted(folder.iterdir()):
        if path.name in (CASES_TABLE, TRUTH_TABLE) or path.name.endswith(".truth.json"):
            continue
        if path.suffix.lower() in (".csv", ".mat") or path.name.endswith((".mrk.json", ".reading.json", ".coco.json")):
            spines.update({stem_of(name): found.spine for name, found in load(path, images=images).items()})
    table = cases_table(folder / CASES_TABLE)
    cases = []
    for name in images:
        row, stem = table.get(name, {}), stem_of(name)
        truth_file = folder / f"{stem}.truth.json"
        grades: Mapping[Level, int] = {}
        if truth_file.is_file():
            truth = PhantomTruth.from_json(truth_file.read_text(encoding="utf-8"))
            spine, anatomy, scanner, person = truth.spine, truth.anatomy, truth.scanner, name
            grades = _grades(truth)
        elif stem in spines:
            spine = anatomy = spines[stem]
            header = identity_of(folder / name)
            person, scanner = header.person or name, header.scanner or UNKNOWN_SCANNER
        else:
            continue
        cases.append(
            Case(
                name,
                row.get("person") or person,
                row.get("scanner") or scanner,
                spine,
                anatomy,
                lambda name=name: images[name],
                grades,
                synthetic=truth_file.is_file(),
            )
        )
    if needed and not cases:
        raise AnnotationError("no image with landmarks to learn from", subject=folder)
    return cases


def phantom_cases(count: int, *, difficulty: str, first_seed: int) -> list[Case]:
    """``count`` phantoms of all scanners in turn; each is its own person. Truth is drawn now, pixels when asked for."""
    return [_phantom_case(seed, difficulty) for seed in range(first_seed, first_seed + count)]


def case_samples(cases: Iterable[Case], size: tuple[int, int]) -> Samples:
    """Samples of cases in the frame of ``size`` (rows, columns), in their order; reads every image."""
    return Samples.concatenate([make_sample(case.radiograph(), case.spine, case.anatomy, size) for case in cases])


def split_by_person(cases: Sequence[Case], share: float) -> tuple[list[Case], list[Case]]:
    """Cases to train on and cases to validate on, a person's scans all on one side.

    Who is held back follows a hash of the person, so that nobody changes sides when others join the cohort. Where that
    holds back fewer than half of the share (a handful of persons), the next ones by their hash are held back as well;
    a single person is on no side but the first.

    Parameters
    ----------
    share : float
        Of the persons, about, that are held back; 0 to 1.
    """
    order = sorted({case.person for case in cases}, key=lambda person: (_rank(person), person))
    held = {person for person in order if _rank(person) < share}
    fewest = max(1, round(share * len(order) / 2))
    held = (held | set(order[:fewest])) - {order[-1]} if len(order) > 1 else set()
    return [case for case in cases if case.person not in held], [case for case in cases if case.person in held]


def _rank(person: str) -> float:
    return zlib.crc32(person.encode()) / 2**32


def stem_of(name: str) -> str:
    """The image's name up to its first dot: what its landmark files share with it."""
    return Path(name).name.split(".")[0]


@lru_cache(maxsize=1)  # a case's pixels are mostly asked for right after its truth
def _phantom(seed: int, difficulty: str) -> Phantom:
    return generate(seed, scanner=phantom_scanner(seed), difficulty=difficulty)


def _phantom_case(seed: int, difficulty: str) -> Case:
    truth = _phantom(seed, difficulty).truth
    name = f"{difficulty}-{seed}"
    return Case(
        name,
        name,
        truth.scanner,
        truth.spine,
        truth.anatomy,
        lambda: _phantom(seed, difficulty).radiograph,
        _grades(truth),
        synthetic=True,
    )


def _grades(truth: PhantomTruth) -> dict[Level, int]:
    grades = dict.fromkeys(truth.spine.levels, 0)
    return {**grades, **{level: found.grade for level, found in truth.fractures.items()}}


def cases_table(path: Path) -> dict[str, dict[str, str]]:
    """The rows of a ``cases.csv`` by image; empty where there is no such file."""
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8-sig") as handle:
        reader = csv.DictReader(handle)
        if "image" not in (reader.fieldnames or ()):
            raise AnnotationError("the table has no column 'image'", subject=path, remedy="Name images in that column")
        return {row["image"]: row for row in reader}
