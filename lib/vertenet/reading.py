"""Reading: everything that was found in one image, who found it, and what to beware of.

Its JSON form is published as ``schemas/reading-1.3.schema.json`` (see docs/reading.md) and round-trips exactly: floats
are written with ``repr`` precision, missing values as null, never as NaN.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from . import RESEARCH_USE
from .conformity import check_conformity
from .errors import SchemaError, VerteNetError
from .measure.aac import Aac24
from .measure.crop import CropResult
from .measure.guides import Guide
from .measure.morphometry import SpineMorphometry
from .radiograph import Spacing
from .spine import Spine

_Member = TypeVar("_Member")

SCHEMA_VERSION = "1.3"
#: Versions that can be read: 1.1 added quality, radii and their scale; 1.2 morphometry, AAC-24, reader and notes; 1.3
#: the ratios of healthy vertebrae that losses of height are counted from.
READABLE = tuple(f"vertenet-reading/{version}" for version in ("1.0", "1.1", "1.2", "1.3"))


@dataclass(frozen=True)
class ImageIdentity:
    """Which image a reading is of.

    ``name`` is a file name or a server's id; ``sha256`` that of the display pixels, None where nobody computed it.
    ``anterior_source`` says how the anterior side is known: "given", "file", "detected" or "assumed".
    """

    name: str
    rows: int
    columns: int
    spacing: Spacing | None = None
    sha256: str | None = None
    anterior_source: str = "given"
    metadata: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "rows": self.rows,
            "columns": self.columns,
            "spacing": None if self.spacing is None else self.spacing.to_dict(),
            "sha256": self.sha256,
            "anterior_source": self.anterior_source,
            "metadata": dict(self.metadata),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ImageIdentity:
        return cls(
            data["name"],
            data["rows"],
            data["columns"],
            _optional(Spacing.from_dict, data["spacing"]),
            data["sha256"],
            data["anterior_source"],
            dict(data["metadata"]),
        )


@dataclass(frozen=True)
class ModelIdentity:
    """Which model spoke, and what it had seen.

    ``sha256`` is that of the weight file; ``training_data`` a sentence; ``synthetic_only`` true for weights that have
    never seen a patient. ``decoder`` names how maps became levels.
    """

    name: str
    sha256: str
    training_data: str
    synthetic_only: bool
    decoder: str = ""

    def to_dict(self) -> dict[str, Any]:
        return dict(self.__dict__)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ModelIdentity:
        return cls(data["name"], data["sha256"], data["training_data"], data["synthetic_only"], data.get("decoder", ""))


@dataclass(frozen=True)
class Levels:
    """How sure the naming of levels is.

    ``certain`` is the answer; ``margin`` the log-probability distance to the best reading that names any vertebra
    differently (None where there is no such estimate, as for a human's landmarks); ``alternative`` that other reading.
    """

    certain: bool
    margin: float | None = None
    alternative: Spine | None = None

    def to_dict(self) -> dict[str, Any]:
        other = None if self.alternative is None else self.alternative.to_dict()
        return {"certain": bool(self.certain), "margin": _float(self.margin), "alternative": other}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Levels:
        return cls(data["certain"], data["margin"], _optional(Spine.from_dict, data["alternative"]))


@dataclass(frozen=True)
class Quality:
    """How like the images that the model was calibrated on this one is.

    ``typical`` False: the image was refused and its spine is empty. ``score`` (0 to 1, None where not calibrated) is
    the share of calibration images that are no more like the others than this one; ``reasons`` are sentences.
    """

    typical: bool
    score: float | None = None
    reasons: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {"typical": bool(self.typical), "score": _float(self.score), "reasons": list(self.reasons)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Quality:
        return cls(data["typical"], data["score"], tuple(data["reasons"]))


@dataclass(frozen=True)
class Reading:
    """Spine, guides, crop and measurements of one image, with the identity of image and model and with every warning.

    ``spine``, ``guides`` and ``crop`` are in source pixels. ``model`` is None where a person placed the landmarks.
    ``measurements`` is open for named numbers (None: not evaluable). ``latency_s`` is the time the model took.
    ``quality`` is None where nobody judged the image; ``radius_scale`` turns the corners' radii (90 %) into those of
    another coverage, ``{"80": 0.7, "90": 1.0, "95": 1.4}``, and is empty where they were not calibrated.
    ``morphometry`` is None where nobody measured heights, ``aac`` where no reader graded the aorta; ``reader`` and
    ``notes`` are a person's name and words, empty where there are none.
    """

    image: ImageIdentity
    spine: Spine
    guides: Mapping[str, Guide]
    crop: CropResult
    levels: Levels
    model: ModelIdentity | None = None
    measurements: Mapping[str, float | None] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    latency_s: float | None = None
    created: str = ""
    software: str = ""
    quality: Quality | None = None
    radius_scale: Mapping[str, float] = field(default_factory=dict)
    morphometry: SpineMorphometry | None = None
    aac: Aac24 | None = None
    reader: str = ""
    notes: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {
            "schema": f"vertenet-reading/{SCHEMA_VERSION}",
            "notice": RESEARCH_USE,
            "image": self.image.to_dict(),
            "model": None if self.model is None else self.model.to_dict(),
            "spine": self.spine.to_dict(),
            "levels": self.levels.to_dict(),
            "guides": [guide.to_dict() for guide in self.guides.values()],
            "crop": self.crop.to_dict(),
            "measurements": {
                name: None if value is None else float(value) for name, value in self.measurements.items()
            },
            "warnings": list(self.warnings),
            "latency_s": _float(self.latency_s),
            "created": self.created,
            "software": self.software,
            "quality": None if self.quality is None else self.quality.to_dict(),
            "radius_scale": {coverage: float(scale) for coverage, scale in self.radius_scale.items()},
            "morphometry": None if self.morphometry is None else self.morphometry.to_dict(),
            "aac": None if self.aac is None else self.aac.to_dict(),
            "reader": self.reader,
            "notes": self.notes,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Reading:
        """The reading of a dictionary; members that the schema does not know are passed over at the top level only.

        A server's answer is a reading with more beside it.

        Raises
        ------
        SchemaError
            The dictionary is of another schema version, or something in it is missing, of the wrong kind or impossible;
            the message names the place.
        """
        if data.get("schema") not in READABLE:
            raise SchemaError(
                f"the schema is {data.get('schema')!r}, but this software reads {', '.join(READABLE)}",
                remedy="Read it with the version that wrote it, or make the reading again",
            )
        schema = _schema()
        check_conformity({name: data[name] for name in schema["properties"] if name in data}, schema)
        guides = [Guide.from_dict(guide) for guide in data["guides"]]
        if len({guide.name for guide in guides}) < len(guides):
            raise SchemaError("a guide is named more than once")
        try:
            return cls(
                image=ImageIdentity.from_dict(data["image"]),
                model=_optional(ModelIdentity.from_dict, data["model"]),
                spine=Spine.from_dict(data["spine"]),
                levels=Levels.from_dict(data["levels"]),
                guides={guide.name: guide for guide in guides},
                crop=CropResult.from_dict(data["crop"]),
                measurements=dict(data["measurements"]),
                warnings=tuple(data["warnings"]),
                latency_s=data["latency_s"],
                created=data["created"],
                software=data["software"],
                quality=_optional(Quality.from_dict, data.get("quality")),
                radius_scale=dict(data.get("radius_scale", {})),
                morphometry=_optional(SpineMorphometry.from_dict, data.get("morphometry")),
                aac=_optional(Aac24.from_dict, data.get("aac")),
                reader=data.get("reader", ""),
                notes=data.get("notes", ""),
            )
        except VerteNetError as error:
            raise SchemaError(f"the reading is damaged: {error.problem}") from error

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=1, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Reading:
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise SchemaError(f"not JSON ({error})") from error
        if not isinstance(data, dict):
            raise SchemaError("the JSON is not an object")
        return cls.from_dict(data)

    @classmethod
    def load(cls, path: str | Path) -> Reading:
        """Read ``*.reading.json``; raises `SchemaError` naming the file."""
        try:
            return cls.from_json(Path(path).read_text(encoding="utf-8"))
        except (SchemaError, UnicodeDecodeError, OSError) as error:
            problem = error.problem if isinstance(error, SchemaError) else str(error)
            raise SchemaError(problem, subject=str(path)) from error


def reading_schema() -> dict[str, Any]:
    """The published JSON schema (draft 7) of a Reading."""
    text = resources.files("vertenet").joinpath(f"schemas/reading-{SCHEMA_VERSION}.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@lru_cache(maxsize=1)
def _schema() -> dict[str, Any]:
    return reading_schema()


def _optional(read: Callable[[Mapping[str, Any]], _Member], data: Mapping[str, Any] | None) -> _Member | None:
    """The object of a member that may be absent or null."""
    return None if data is None else read(data)


def _float(value: float | None) -> float | None:
    """A number that JSON can carry, NumPy's included."""
    return None if value is None else float(value)
