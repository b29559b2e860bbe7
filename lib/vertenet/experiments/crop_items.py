"""Images with the truth about their aorta: phantoms, or a folder with an expert's labels."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from ..errors import AnnotationError, OptionError
from ..evaluation.crop_study import CropItem
from ..imaging import ImageFolder
from ..learning.cases import CASES_TABLE, Case, annotated_cases
from ..learning.samples import TEST_SEEDS, phantom_scanner
from ..phantom import generate
from ..radiograph import Radiograph
from ..spine import Spine

#: Where the phantoms begin that the factor is tuned on; those that test it are `TEST_SEEDS`.
TUNING_SEED = 860_000
#: What is asked of the phantom, in turn: as drawn (clear, or cropped by border or blanking), then for either colour a
#: blanked region that crops the aorta and one that leaves it whole.
TURNS: tuple[Mapping, ...] = (
    {},
    {"crop": "black"},
    {"crop": None, "blanking": "black"},
    {},
    {"crop": "white"},
    {"crop": None, "blanking": "white"},
)
#: Finds the landmarks of an image: a model.
Finder = Callable[[Radiograph], Spine]

_WORDS = {
    "yes": True,
    "true": True,
    "1": True,
    "cropped": True,
    "no": False,
    "false": False,
    "0": False,
    "clear": False,
}


def phantom_items(first_seed: int, count: int, difficulty: str, find: Finder | None = None) -> list[CropItem]:
    """``count`` phantoms, scanners and `TURNS` in turn, each its own person; true landmarks unless ``find`` finds them.

    Raises
    ------
    OptionError
        More test phantoms are asked for than are reserved.
    """
    seeds = range(first_seed, first_seed + count)
    if first_seed == TEST_SEEDS.start and count > len(TEST_SEEDS):
        raise OptionError(f"{count} phantoms are asked for, but {len(TEST_SEEDS)} are reserved for testing")
    return [_phantom_item(seed, i, difficulty, find) for i, seed in enumerate(seeds)]


def _phantom_item(seed: int, i: int, difficulty: str, find: Finder | None) -> CropItem:
    # The turn changes once all seven scanners had theirs, so that every scanner meets every turn.
    scanner, turn = phantom_scanner(seed), TURNS[i // 7 % len(TURNS)]
    truth = generate(seed, scanner=scanner, difficulty=difficulty, **turn).truth

    def load() -> tuple[Radiograph, Spine]:
        radiograph = generate(seed, scanner=scanner, difficulty=difficulty, **turn).radiograph
        return radiograph, truth.spine if find is None else find(radiograph)

    groups = {
        "scanner": scanner,
        "blanked": truth.crop.colour or "none",
        "cause": "+".join(truth.crop.causes) or "none",
    }
    name = f"{difficulty}-{seed}"
    return CropItem(name, name, truth.crop.cropped, load, groups, truth.crop.fraction)


@dataclass(frozen=True)
class Label:
    """An expert's word on one image; ``person`` is empty where the table does not say."""

    cropped: bool
    person: str = ""


def read_labels(path: str | Path) -> dict[str, Label]:
    """The labels of a CSV file with the columns ``image``, ``cropped`` (yes or no) and, optional, ``person``.

    Raises
    ------
    AnnotationError
        A column is missing, a label is neither yes nor no, or an image is there twice.
    """
    path = Path(path)
    try:
        table = csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise AnnotationError(f"the labels cannot be read ({error})", subject=path) from error
    missing = [name for name in ("image", "cropped") if name not in (table.fieldnames or ())]
    if missing:
        raise AnnotationError(
            f"the column {missing[0]!r} is missing", subject=path, remedy="Give image,cropped and, if you can, person"
        )
    labels: dict[str, Label] = {}
    for row in table:
        where = f"{path}, line {table.line_num}"
        name, word = (row["image"] or "").strip(), (row["cropped"] or "").strip().lower()
        if word not in _WORDS:
            raise AnnotationError(f"cropped is {word!r}", subject=where, remedy="Write yes or no")
        if not name or name in labels:
            raise AnnotationError("the image is " + (f"{name}, as above" if name else "not named"), subject=where)
        labels[name] = Label(_WORDS[word], (row.get("person") or "").strip())
    if not labels:
        raise AnnotationError("the file holds no labels", subject=path)
    return labels


def folder_items(folder: Path, labels: Mapping[str, Label], find: Finder | None = None) -> list[CropItem]:
    """The labelled images of a folder, with the landmarks that lie beside them unless ``find`` finds them.

    Persons come from the labels; else, with the landmarks beside the images, as `annotated_cases` knows them; else
    every image is taken to be of another person.

    Raises
    ------
    AnnotationError
        A labelled image is not in the folder, or has no landmarks.
    """
    images = ImageFolder(folder)
    absent = [name for name in labels if name not in images]
    if absent:
        raise AnnotationError(f"{absent[0]} is labelled, but there is no such image", subject=folder)
    cases = {} if find is not None else {case.name: case for case in annotated_cases(folder)}
    items = []
    for name, label in labels.items():
        case = cases.get(name)
        if case is None and find is None:
            raise AnnotationError(
                f"{name} has no landmarks beside it", subject=folder, remedy="Add them, or use --landmarks model"
            )
        person = label.person or (case.person if case else name)
        groups = {"scanner": case.scanner} if case else {}
        items.append(CropItem(name, person, label.cropped, _loader(images, name, case, find), groups))
    return items


def _loader(
    images: ImageFolder, name: str, case: Case | None, find: Finder | None
) -> Callable[[], tuple[Radiograph, Spine]]:
    def load() -> tuple[Radiograph, Spine]:
        if find is None:
            return case.radiograph(), case.spine
        return images[name], find(images[name])

    return load


def split_persons(items: Sequence[CropItem], seed: int = 0) -> tuple[list[CropItem], list[CropItem]]:
    """Tuning and test halves that share no person and have about the same part of cropped images.

    Raises
    ------
    OptionError
        Fewer than two persons.
    """
    persons = [item.person for item in items]
    if len(set(persons)) < 2:
        raise OptionError("tuning and testing need images of two persons or more", remedy=f"See {CASES_TABLE}")
    halves = StratifiedGroupKFold(2, shuffle=True, random_state=seed)
    tuning, test = next(halves.split(np.zeros(len(items)), [item.cropped for item in items], persons))
    return [items[i] for i in tuning], [items[i] for i in test]
