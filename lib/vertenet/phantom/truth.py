"""PhantomTruth: everything that is known of a phantom, exact and JSON-able."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import SchemaError
from ..radiograph import Radiograph, Spacing
from ..spine import Level, Side, Spine, Transition
from .crop import CropTruth
from .switches import Switches

SCHEMA = "vertenet-phantom-truth/1.0"


@dataclass(frozen=True)
class FractureTruth:
    """One fractured vertebra.

    Attributes
    ----------
    kind : {"wedge", "biconcave", "crush"}
    grade : int
        Genant grade of ``height_loss``: 1 from 20 %, 2 from 25 %, 3 from 40 %.
    height_loss : float
        Largest loss among the three heights, against the same vertebra before it broke, 0 to 1.
    heights_mm, reference_mm : (anterior, middle, posterior)
        After and before, mm in the sagittal plane.
    """

    kind: str
    grade: int
    height_loss: float
    heights_mm: tuple[float, float, float]
    reference_mm: tuple[float, float, float]

    def to_dict(self) -> dict:
        return {**self.__dict__, "heights_mm": list(self.heights_mm), "reference_mm": list(self.reference_mm)}

    @classmethod
    def from_dict(cls, data: Mapping) -> FractureTruth:
        kept = {**data, "heights_mm": tuple(data["heights_mm"]), "reference_mm": tuple(data["reference_mm"])}
        return cls(**kept)


@dataclass(frozen=True)
class AacTruth:
    """AAC-24 of one segment: grades 0 to 3 and the exact calcified share of the length, for the two walls."""

    anterior: int
    posterior: int
    anterior_share: float
    posterior_share: float

    @property
    def score(self) -> int:
        """0 to 6."""
        return self.anterior + self.posterior

    def to_dict(self) -> dict:
        return dict(self.__dict__)

    @classmethod
    def from_dict(cls, data: Mapping) -> AacTruth:
        return cls(**data)


@dataclass(frozen=True, eq=False)
class PhantomTruth:
    """What is true of one phantom.

    Attributes
    ----------
    spine : Spine
        Exactly T12 to L5: four corners and the two mid-endplate points, sub-pixel source pixels. ``outside`` beyond
        the image (position kept), ``unevaluable`` inside a blanked region (position kept), ``missing`` for a level
        that does not exist. Corners are those of the central sagittal section.
    anatomy : Spine
        All named levels: T11, T12, lumbar ones that exist (with L6), S1.
    anterior : {"left", "right"}
    transition : Transition
    fractures : mapping of Level to FractureTruth
        Fractured vertebrae only; any other is grade 0.
    aac : mapping of Level to AacTruth
        L1 to L4, whatever of them the image shows.
    crop : CropTruth
    spacing : Spacing
        True pixel size, also where the Radiograph does not tell.
    rows, columns : int
    scanner, difficulty : str
    switches : Switches
        What was drawn or forced.
    seed : int
    """

    spine: Spine
    anatomy: Spine
    anterior: Side
    transition: Transition
    fractures: Mapping[Level, FractureTruth]
    aac: Mapping[Level, AacTruth]
    crop: CropTruth
    spacing: Spacing
    rows: int
    columns: int
    scanner: str
    difficulty: str
    switches: Switches
    seed: int

    def __eq__(self, other: object) -> bool:
        return self.to_dict() == other.to_dict() if isinstance(other, PhantomTruth) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    @property
    def aac_total(self) -> int:
        """AAC-24 total, 0 to 24."""
        return sum(segment.score for segment in self.aac.values())

    def to_dict(self) -> dict:
        return {
            "schema": SCHEMA,
            "notice": "Synthetic image with exact truth; no patient. Research use only.",
            "seed": self.seed,
            "scanner": self.scanner,
            "difficulty": self.difficulty,
            "rows": self.rows,
            "columns": self.columns,
            "spacing": self.spacing.to_dict(),
            "anterior": self.anterior,
            "transition": self.transition.value,
            "spine": self.spine.to_dict(),
            "anatomy": self.anatomy.to_dict(),
            "fractures": {level.value: fracture.to_dict() for level, fracture in self.fractures.items()},
            "aac": {level.value: segment.to_dict() for level, segment in self.aac.items()},
            "crop": self.crop.to_dict(),
            "switches": self.switches.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping) -> PhantomTruth:
        """The truth of a dictionary; raises `SchemaError` when it is not one of this version."""
        if data.get("schema") != SCHEMA:
            raise SchemaError(f"the schema is {data.get('schema')!r}, but this software reads {SCHEMA}")
        try:
            return cls(
                spine=Spine.from_dict(data["spine"]),
                anatomy=Spine.from_dict(data["anatomy"]),
                anterior=data["anterior"],
                transition=Transition(data["transition"]),
                fractures={Level(k): FractureTruth.from_dict(v) for k, v in data["fractures"].items()},
                aac={Level(k): AacTruth.from_dict(v) for k, v in data["aac"].items()},
                crop=CropTruth.from_dict(data["crop"]),
                spacing=Spacing.from_dict(data["spacing"]),
                rows=data["rows"],
                columns=data["columns"],
                scanner=data["scanner"],
                difficulty=data["difficulty"],
                switches=Switches.from_dict(data["switches"]),
                seed=data["seed"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise SchemaError(
                f"the phantom truth is incomplete or damaged ({type(error).__name__}: {error})"
            ) from error

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=1, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> PhantomTruth:
        """The truth of a ``.truth.json`` file's text; raises `SchemaError`."""
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            raise SchemaError(f"not JSON ({error})") from error
        if not isinstance(data, dict):
            raise SchemaError("the JSON is not an object")
        return cls.from_dict(data)


class Phantom(NamedTuple):
    """An image and its truth; unpacks as ``radiograph, truth``."""

    radiograph: Radiograph
    truth: PhantomTruth
