"""Cases: images with known landmarks, and whose they are, from a folder or from the phantom.

A case knows its person and its scanner, because a fair split keeps a person's scans together and every scanner on both
sides. Pixels are read (or generated) each time they are asked for; a cohort of thousands fits into no memory.
"""

from __future__ import annotations

import csv
import logging
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..annotation import Annotation, load_folder
from ..annotation.truth_table import TRUTH_TABLE
from ..errors import AnnotationError
from ..filenames import AmbiguousNameError, image_of
from ..imaging import ImageFolder
from ..imaging.fingerprint import pixels_sha256
from ..imaging.identity import identity_of
from ..phantom import Phantom, PhantomTruth, generate
from ..radiograph import Radiograph, Spacing
from ..spine import Level, Spine
from .archive import unpacked
from .lower_looks import lower_look
from .samples import Samples, make_sample, phantom_scanner

#: Optional table in a folder of annotated images: columns ``image`` and any of ``person`` and ``scanner``.
CASES_TABLE = "cases.csv"
UNKNOWN_SCANNER = "unknown"
#: What a phantom's truth file is called beside its image.
TRUTH = ".truth.json"
#: Problems that are told in full where nothing could be used.
_MOST_TOLD = 5

logger = logging.getLogger(__name__)


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
    true_spacing : Spacing or None
        Of a phantom in a folder, whose PNG states no pixel size.
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
    true_spacing: Spacing | None = None
    centres: Mapping[Level, tuple[float, float]] = field(default_factory=dict)
    side_known: bool = True
    set: str = ""
    doubtful: bool = False

    def radiograph(self) -> Radiograph:
        """The image, with the anterior side of its landmarks where that is known."""
        found = self.load()
        return found.with_anterior(self.spine.anterior) if self.side_known else found


def annotated_cases(folder: Path, *, needed: bool = True) -> list[Case]:
    """The images of a folder, or of a zip of one, whose landmarks lie beside them, in the order of their names.

    Landmarks are a phantom's ``<image>.truth.json``, which goes before all others, or any format of
    `vertenet.annotation` (`load_folder`); which file belongs to which image is the rule of `vertenet.filenames`. Person
    and scanner come from the folder's ``cases.csv`` (columns ``image``, ``person``, ``scanner``), else from a DICOM
    image's header (the person as a pseudonym, `vertenet.imaging.identity`), else the person is the image and the
    scanner is unknown. An image whose landmarks cannot be used is left out, and a warning in the log says why.
    A ``truth.csv`` is passed over: it is to measure on (`vertenet.experiments.truth`).

    Raises
    ------
    AnnotationError
        No image of the folder has landmarks and some are ``needed``, two files say different things of one, or
        ``cases.csv`` has no column ``image``.
    AmbiguousNameError
        A landmark file or a row of ``cases.csv`` could be of two images.
    """
    folder = unpacked(folder)
    images = ImageFolder(folder)
    truths = _truths(folder, images)
    landmarks = load_folder(folder, images, known=truths, besides=(CASES_TABLE, TRUTH_TABLE))
    table = cases_table(folder / CASES_TABLE, images)
    cases, problems = [], list(landmarks.problems)
    for name in sorted({*truths, *landmarks.found}):
        case = _of_truth(truths[name], name, images) if name in truths else None
        if case is None:
            case = _of_annotation(landmarks.found[name], name, images)
            made_on, file = landmarks.found[name].pixels_sha256, folder / name
            if made_on not in (None, pixels_sha256(file)):
                problems.append(_made_on_others(landmarks.files[name], name).sentence)
                continue
        row = table.get(name, {})
        said = {column: row[column] for column in ("person", "scanner") if row.get(column)}
        cases.append(replace(case, **said))
    if needed and not cases:
        raise _nothing(folder, len(images), [*problems, *landmarks.others])
    for problem in problems:
        logger.warning("Left out: %s", problem)
    return cases


def phantom_cases(count: int, *, difficulty: str, first_seed: int) -> list[Case]:
    """``count`` phantoms of all scanners in turn; each is its own person. Truth is drawn now, pixels when asked for."""
    return [_phantom_case(seed, difficulty) for seed in range(first_seed, first_seed + count)]


def case_samples(cases: Iterable[Case], size: tuple[int, int], *, lower: int = 0) -> Samples:
    """Samples of cases in the frame of ``size`` (rows, columns), in their order; reads every image.

    Each case's own sample is followed by ``lower`` looks at the lower part of its image, see
    `vertenet.learning.lower_looks`; the same in every run.
    """
    made = []
    for case in cases:
        image = case.radiograph(), case.spine, case.anatomy
        generator = np.random.default_rng(zlib.crc32(case.name.encode()))
        made += [make_sample(*look, size) for look in (image, *(lower_look(*image, generator) for _ in range(lower)))]
    return Samples.concatenate(made)


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


def _truths(folder: Path, images: ImageFolder) -> dict[str, Path]:
    """The truth file of each image that has one."""
    found: dict[str, Path] = {}
    for path in sorted(folder.glob(f"*{TRUTH}")):
        image = images.find(image_of(path.name))
        if image in found:
            raise AmbiguousNameError([found[image].name, path.name], image, folder)
        if image is not None:
            found[image] = path
    return found


def _of_truth(path: Path, name: str, images: ImageFolder) -> Case:
    truth = PhantomTruth.from_json(path.read_text(encoding="utf-8"))
    return Case(
        name,
        name,
        truth.scanner,
        truth.spine,
        truth.anatomy,
        lambda: images[name],
        _grades(truth),
        synthetic=True,
        true_spacing=truth.spacing,
    )


def _of_annotation(annotation: Annotation, name: str, images: ImageFolder) -> Case:
    header = identity_of(images.folder / name)
    spine = annotation.spine
    return Case(name, header.person or name, header.scanner or UNKNOWN_SCANNER, spine, spine, lambda: images[name])


def _made_on_others(landmarks: Path, name: str) -> AnnotationError:
    return AnnotationError(
        f"it was made on other pixels than those that {name} has now",
        subject=landmarks,
        remedy="Put the image back that was labelled, or label this one",
    )


def _nothing(folder: Path, images: int, problems: Sequence[str]) -> AnnotationError:
    """Why there is nothing to learn from: what is wrong with each file, or what is missing."""
    if not images and not problems:
        problem = "it holds no image that can be read"
    elif not problems:
        problem = "none of its images has a file with landmarks beside it (.truth.json, .mrk.json, .json, .csv or .mat)"
    else:
        told = " ".join(problems[:_MOST_TOLD])
        more = f" {len(problems) - _MOST_TOLD} more are like that" if len(problems) > _MOST_TOLD else ""
        problem = f"none of its images has landmarks that can be used. {told}{more}"
    return AnnotationError(problem, subject=folder)


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


def cases_table(path: Path, images: ImageFolder) -> dict[str, dict[str, str]]:
    """The rows of a ``cases.csv`` by the image that they mean; empty where there is no such file.

    Raises
    ------
    AnnotationError
        It has no column ``image``, or two rows are of one image.
    AmbiguousNameError
        A row could be of two images.
    """
    if not path.is_file():
        return {}
    rows: dict[str, dict[str, str]] = {}
    with path.open(newline="", encoding="utf-8-sig") as handle:
        reader = csv.DictReader(handle)
        if "image" not in (reader.fieldnames or ()):
            raise AnnotationError("the table has no column 'image'", subject=path, remedy="Name images in that column")
        for row in reader:
            image = images.find(row["image"] or "")
            if image in rows:
                raise AnnotationError(f"two of its rows are of the image {image}", subject=path, remedy="Keep one")
            if image is not None:
                rows[image] = row
    return rows
