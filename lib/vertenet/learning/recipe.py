"""Recipe: everything that decides a training run; and the files that hold one."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Literal

from ..errors import OptionError
from .augmentation import Augmentation
from .samples import TRAINING_SEED

Precision = Literal["float32", "bfloat16", "float16"]
PRECISIONS: tuple[str, ...] = ("float32", "bfloat16", "float16")
DEVICES = ("auto", "cpu", "cuda")
#: Seeds of films begin this far above those of densitometer phantoms: one seed is one patient.
FILM_SEEDS_FROM = 1_000_000
#: Recipes that come with the program.
SHIPPED = Path(__file__).parent / "recipes"


@dataclass(frozen=True)
class Data:
    """What a run learns from, for runs that gather it themselves (`vertenet.learning.run.run_training`).

    Attributes
    ----------
    folder : path of a folder of annotated images, or None
    phantoms : synthetic images of densitometers
    films : synthetic radiographs beside them, seeds ``FILM_SEEDS_FROM`` above ``first_seed``
    difficulty : of both
    first_seed : of the phantoms
    lower_looks : also learn from a window about the lowest bodies of each phantom and film, as images are named by
        (`vertenet.inference.views`); labelled images always come with some
    on_the_fly : draw each phantom when it is its turn instead of keeping all of them; for counts that fit no disk
    validation_phantoms : phantoms of difficulty ``default`` to validate on, where there are phantoms to train on
    validation_share : share of the *persons* of the folder that are held back to validate on
    labelled_share : about how much of what a step sees are images of the folder, where there are others; they are
        repeated to that end. None: as they come. A recipe with ``start_from`` and such a share fine-tunes: the refiner
        learns as well, and what it brought is judged (`vertenet.learning.finetuning`).
    folds : of the cross-fitting that judges a fine-tuning (`vertenet.learning.crossfit`); 0: nothing is judged
    """

    folder: str | None = None
    phantoms: int = 0
    films: int = 0
    difficulty: str = "training"
    first_seed: int = TRAINING_SEED
    lower_looks: bool = False
    on_the_fly: bool = False
    validation_phantoms: int = 100
    validation_share: float = 0.15
    labelled_share: float | None = None
    folds: int = 4

    def __post_init__(self) -> None:
        if self.first_seed < TRAINING_SEED:
            raise OptionError(f"phantom seeds below {TRAINING_SEED} are kept for validation, calibration and tests")
        if min(self.phantoms, self.films) < 0 or self.validation_phantoms < 1:
            raise OptionError("phantoms and films must be at least 0, and there must be at least 1 to validate on")
        if not 0 < self.validation_share < 1:
            raise OptionError(f"validation_share is {self.validation_share}, but it must lie between 0 and 1")
        if self.labelled_share is not None and not 0 < self.labelled_share < 1:
            raise OptionError(f"labelled_share is {self.labelled_share}, but it must lie between 0 and 1")
        if self.folds < 0 or self.folds == 1:
            raise OptionError(f"folds is {self.folds}", remedy="Give at least 2, or 0 to judge nothing")


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run.

    Attributes
    ----------
    network, options : of `vertenet.networks.build`
    steps : optimiser steps at most
    batch : images a step, of all processes and all parts together
    accumulate : parts that a process goes through a step's images in, for memory; the loss is that of the whole
    learning_rate : the highest; a linear warm-up of ``warmup`` steps, then a cosine to zero
    weight_decay : of AdamW, on matrices and kernels alone
    clip : the norm of the gradient is held at this
    ema : decay of the weight average that is validated and kept
    spread : see `vertenet.learning.targets.make_targets`
    freeze : name of a part of the network that is left as it is, such as ``"encoder"``
    precision : of the forward pass; weights are float32 always
    device : "auto" takes a GPU where there is one
    threads : of the CPU
    seed : of weights, order and augmentation
    validate_every : steps between validations
    patience : validations without a better score after which the run ends, its best weights kept; None: never
    minutes : the run ends after this time at the latest, and the learning rate follows whichever of steps and time is
        nearer its end: for a machine whose speed nobody knows. Such a run cannot be repeated to the bit.
    start_from : weights to fine-tune
    augmentation : Augmentation
    data : what `run_training` gathers; None where the caller of `train` brought samples

    Raises
    ------
    OptionError
        A value is outside what is accepted.

    Examples
    --------
    >>> Recipe(steps=500, data=Data(folder="annotated"), start_from="vertenet-lite", freeze="encoder").freeze
    'encoder'
    """

    network: str = "vertenet-lite"
    options: dict = field(default_factory=dict)
    steps: int = 2000
    batch: int = 8
    accumulate: int = 1
    learning_rate: float = 1.5e-3
    weight_decay: float = 1e-2
    warmup: int = 200
    clip: float = 5.0
    ema: float = 0.998
    spread: int = 1
    freeze: str | None = None
    precision: Precision = "float32"
    device: str = "auto"
    threads: int = 2
    seed: int = 1
    validate_every: int = 500
    patience: int | None = None
    minutes: float | None = None
    start_from: str | None = None
    augmentation: Augmentation = field(default_factory=Augmentation)
    data: Data | None = None

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "accumulate", "learning_rate", "warmup", "clip", "threads", "validate_every"):
            _check_positive(name, getattr(self, name))
        for name in ("patience", "minutes"):
            if getattr(self, name) is not None:
                _check_positive(name, getattr(self, name))
        if not 0 <= self.ema < 1:
            raise OptionError(f"ema is {self.ema}, but it must lie between 0 and 1")
        for name, accepted in (("precision", PRECISIONS), ("device", DEVICES)):
            if getattr(self, name) not in accepted:
                raise OptionError(f"{name} is {getattr(self, name)!r}", remedy=f"Use one of {', '.join(accepted)}")

    def to_dict(self) -> dict:
        """The recipe as JSON keeps it: tuples become lists."""
        return json.loads(json.dumps(asdict(self)))

    def portable(self) -> dict:
        """`to_dict` for a card, which travels with the weights: of the paths on this machine only the last parts."""
        data = self.to_dict()
        if self.start_from is not None:
            data["start_from"] = Path(self.start_from).name
        if self.data is not None and self.data.folder is not None:
            data["data"]["folder"] = Path(self.data.folder).name
        return data

    @classmethod
    def from_dict(cls, data: Mapping) -> Recipe:
        """The recipe of a dict from `to_dict`; what it does not name has its default.

        Raises
        ------
        OptionError
            An entry is unknown or has a value outside what is accepted.
        """
        entries = dict(data)
        if entries.get("augmentation") is not None:
            entries["augmentation"] = _made(Augmentation, entries["augmentation"])
        if entries.get("data") is not None:
            entries["data"] = _made(Data, entries["data"])
        return _made(cls, entries)


def read_recipe(name_or_path: str | Path) -> Recipe:
    """The recipe in a JSON file, or one that comes with the program, by name (`recipe_names`).

    Raises
    ------
    OptionError
        There is none, or it is not a recipe.
    """
    path = Path(name_or_path)
    if not path.is_file() and str(name_or_path) in recipe_names():
        path = SHIPPED / f"{name_or_path}.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise OptionError(
            "there is no such recipe",
            subject=name_or_path,
            remedy=f"Give a recipe.json or one of {', '.join(recipe_names())}",
        ) from error
    except (OSError, ValueError) as error:
        raise OptionError(f"the recipe cannot be read ({error})", subject=path) from error
    if not isinstance(data, dict):
        raise OptionError("this is not a recipe", subject=path)
    try:
        return Recipe.from_dict(data)
    except OptionError as error:
        raise OptionError(error.problem, subject=path, remedy=error.remedy) from error


def recipe_names() -> tuple[str, ...]:
    """Names of the recipes that come with the program, sorted."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.json")))


def _check_positive(name: str, value: float) -> None:
    if not (isinstance(value, (int, float)) and math.isfinite(value) and value > 0):
        raise OptionError(f"{name} is {value!r}, but it must be a positive number")


def _made(kind, entries: object):
    known = [item.name for item in fields(kind)]
    if not isinstance(entries, Mapping):
        raise OptionError(f"{kind.__name__.lower()} is {entries!r}, but it must name entries")
    unknown = sorted(set(entries) - set(known))
    if unknown:
        raise OptionError(
            f"{kind.__name__.lower()} has no {', '.join(unknown)}", remedy=f"Its entries: {', '.join(known)}"
        )
    # JSON knows no tuples, and a range that was a tuple is one again.
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in entries.items()})
