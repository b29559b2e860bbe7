"""What a reader has made of one image so far, as a value that can be kept in a file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from vertenet.errors import VerteNetError
from vertenet.measure.aac import Aac24
from vertenet.radiograph import Spacing
from vertenet.reading import Reading
from vertenet.spine import Spine

from .answers import Proposal
from .library import Origin

_SCHEMA = "vertenet-draft/1"


@dataclass(frozen=True)
class Work:
    """The work on one image.

    Attributes
    ----------
    name : str
        The image's name on the screen.
    size : (rows, columns)
    store, image_id : str
        Which server's image it is (`Connection.store`), and its id there; empty for an image of this computer.
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
    """

    name: str
    size: tuple[int, int]
    store: str = ""
    image_id: str = ""
    file: str = ""
    spine: Optional[Spine] = None
    aac: Aac24 = field(default_factory=Aac24)
    notes: str = ""
    proposal: Optional[Proposal] = None
    swapped: bool = False
    spacing: Optional[Spacing] = None
    minutes: float = 0.0
    submitted: str = ""

    @property
    def content(self) -> tuple[Any, ...]:
        """What a reader would miss; two works that are alike in it need not both be kept."""
        return self.spine, self.aac, self.notes, self.spacing, self.swapped, self.image_id, self.proposal is None

    @property
    def key(self) -> str:
        """One for each image, the same in every session; a file's name, so it is no patient's."""
        origin = f"{self.store}\0{self.image_id}" if self.image_id else f"\0{self.name}\0{self.size}"
        return hashlib.sha256(origin.encode()).hexdigest()[:24]

    @property
    def origin(self) -> Optional[Origin]:
        """Which server's image it is; None for an image of this computer."""
        return Origin(self.store, self.image_id) if self.image_id else None

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
            "store": self.store,
            "image_id": self.image_id,
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
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Work:
        """Raises ValueError where the file is of another kind or damaged."""
        if data.get("schema") != _SCHEMA:
            raise ValueError("no draft of this version")
        try:
            reading, spacing, spine = data["proposal"], data["spacing"], data["spine"]
            rows, columns = data["size"]
            return cls(
                name=str(data["name"]),
                size=(int(rows), int(columns)),
                store=str(data["store"]),
                image_id=str(data["image_id"]),
                file=str(data["file"]),
                spine=None if spine is None else Spine.from_dict(spine),
                aac=Aac24.from_dict(data["aac"]),
                notes=str(data["notes"]),
                proposal=None if reading is None else Proposal(Reading.from_dict(reading), str(data["model_version"])),
                swapped=bool(data["swapped"]),
                spacing=None if spacing is None else Spacing.from_dict(spacing),
                minutes=float(data["minutes"]),
                submitted=str(data["submitted"]),
            )
        except (VerteNetError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"the draft is damaged ({error})") from error
