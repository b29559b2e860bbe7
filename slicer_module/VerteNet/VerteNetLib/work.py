"""What a reader has made of one image so far, as a value that can be kept in a file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Optional

from vertenet.errors import VerteNetError
from vertenet.measure.aac import Aac24
from vertenet.radiograph import Spacing
from vertenet.reading import Reading
from vertenet.spine import Spine

from .answers import Origin, Proposal

_SCHEMA = "vertenet-draft/2"


@dataclass(frozen=True)
class Work:
    """The work on one image.

    Attributes
    ----------
    name : str
        The image's name on the screen.
    size : (rows, columns)
    origin : Origin or None
        Which server's image it is; None for an image of this computer.
    pixels_sha256 : str
        Of the pixels of an image of this computer: names and sizes are alike, patients are not.
    file : str
        Where the server's image was put; empty for a volume of the scene.
    spine : Spine or None
        Source pixels; None before there are landmarks.
    proposal : Proposal or None
        What the model said, if it was asked.
    swapped : bool
        The model's second reading was taken.
    spacing : Spacing or None
        What the reader says a pixel measures; None: as the file says.
    minutes : float
        Time spent on the image.
    submitted : str
        Id of the submission that holds all of it; empty after a further change.
    levels_checked : bool
        The reader has said that the vertebrae are named as they should be.
    second : str
        A second reading: ``blinded`` or ``seen`` (`prefetch`); empty for a first one.
    """

    name: str
    size: tuple[int, int]
    origin: Optional[Origin] = None
    pixels_sha256: str = ""
    file: str = ""
    spine: Optional[Spine] = None
    aac: Aac24 = field(default_factory=Aac24)
    notes: str = ""
    proposal: Optional[Proposal] = None
    swapped: bool = False
    spacing: Optional[Spacing] = None
    minutes: float = 0.0
    submitted: str = ""
    levels_checked: bool = False
    second: str = ""

    @property
    def content(self) -> tuple[Any, ...]:
        """What a reader would miss; two works that are alike in it need not both be kept."""
        chosen = self.spacing, self.swapped, self.levels_checked
        return self.spine, self.aac, self.notes, chosen, self.origin, self.proposal is None

    @property
    def key(self) -> str:
        """One for each image, the same in every session; a file's name, so it is no patient's."""
        return key_of(self.origin) if self.origin else _key("", self.name, str(self.size), self.pixels_sha256)

    @property
    def store(self) -> str:
        """The store that has the image; empty for an image of this computer."""
        return self.origin.store if self.origin else ""

    @property
    def image_id(self) -> str:
        """The image's id in its store; empty for an image of this computer."""
        return self.origin.image_id if self.origin else ""

    @property
    def alternative(self) -> Optional[Spine]:
        """The model's second reading of the levels, where it has one."""
        return None if self.proposal is None else self.proposal.reading.levels.alternative

    @property
    def is_empty(self) -> bool:
        """Nothing in it that would be missed."""
        return self.spine is None and self.aac.is_empty and not self.notes.strip()

    def to_dict(self) -> dict[str, Any]:
        proposal = self.proposal
        return {
            "schema": _SCHEMA,
            "name": self.name,
            "size": list(self.size),
            "origin": None if self.origin is None else asdict(self.origin),
            "pixels_sha256": self.pixels_sha256,
            "file": self.file,
            "spine": None if self.spine is None else self.spine.to_dict(),
            "aac": self.aac.to_dict(),
            "notes": self.notes,
            "proposal": None if proposal is None else proposal.reading.to_dict(),
            "model_version": "" if proposal is None else proposal.model_version,
            "swapped": self.swapped,
            "spacing": None if self.spacing is None else self.spacing.to_dict(),
            "minutes": self.minutes,
            "submitted": self.submitted,
            "levels_checked": self.levels_checked,
            "second": self.second,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Work:
        """Raises ValueError where the file is of another kind or damaged."""
        if data.get("schema") != _SCHEMA:
            raise ValueError("no draft of this version")
        try:
            reading, spacing, spine = data["proposal"], data["spacing"], data["spine"]
            rows, columns = data["size"]
            origin = data["origin"]
            return cls(
                name=str(data["name"]),
                size=(int(rows), int(columns)),
                origin=None if origin is None else Origin(**{name: str(value) for name, value in origin.items()}),
                pixels_sha256=str(data["pixels_sha256"]),
                file=str(data["file"]),
                spine=None if spine is None else Spine.from_dict(spine),
                aac=Aac24.from_dict(data["aac"]),
                notes=str(data["notes"]),
                proposal=None if reading is None else Proposal(Reading.from_dict(reading), str(data["model_version"])),
                swapped=bool(data["swapped"]),
                spacing=None if spacing is None else Spacing.from_dict(spacing),
                minutes=float(data["minutes"]),
                submitted=str(data["submitted"]),
                levels_checked=bool(data.get("levels_checked", False)),  # drafts from before it was asked
                second=str(data.get("second", "")),
            )
        except (VerteNetError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"the draft is damaged ({error})") from error


def key_of(origin: Origin) -> str:
    """`Work.key` of the work on a server's image."""
    return _key(origin.store, origin.image_id, origin.sha256)


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]
