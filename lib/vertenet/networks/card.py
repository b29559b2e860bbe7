"""The card of a weight file: what it is, what it has seen, how well it does, and what it may be used for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import RESEARCH_USE, __version__
from ..errors import ModelError, PathLike

if TYPE_CHECKING:  # a card is read without torch
    from torch import nn

FORMAT = "vertenet-card/1"


@dataclass(frozen=True)
class Card:
    """Identity and provenance of a weight file; stored as ``<stem>.json`` beside it.

    Attributes
    ----------
    name : name of the model, such as ``vertenet-lite``
    network, options : what `vertenet.networks.build` needs to rebuild the network
    training_data : one sentence
    synthetic_only : True for weights that have never seen a patient
    metrics : figure by name, with the data they were measured on in the name or as a nested mapping
    recipe : how they were trained, enough to do it again
    decoder : statistics that a decoder needs (spacing of levels and the like), or None
    licence : of the weights
    created : ISO 8601, UTC
    software : program and version
    sha256 : of the safetensors file
    notice : what the weights may be used for
    """

    name: str
    network: str
    options: Mapping[str, Any]
    training_data: str
    synthetic_only: bool
    metrics: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    decoder: Mapping[str, Any] | None = None
    licence: str = "Apache-2.0"
    created: str = ""
    software: str = ""
    sha256: str = ""
    notice: str = RESEARCH_USE

    def __post_init__(self) -> None:
        # A card in memory equals the card read back: tuples become lists here, and what JSON cannot keep is refused.
        for entry in ("options", "metrics", "recipe", "decoder"):
            try:
                plain = json.loads(json.dumps(getattr(self, entry), allow_nan=False))
            except (TypeError, ValueError) as error:
                raise ModelError(f"the card's {entry!r} cannot be written as JSON ({error})") from error
            object.__setattr__(self, entry, plain)

    @classmethod
    def of(cls, module: nn.Module, *, name: str, training_data: str, synthetic_only: bool, **others) -> Card:
        """A card for ``module``, with its network and options, this program and the present time filled in.

        Raises
        ------
        ModelError
            An entry cannot be written as JSON (a NaN among the metrics, an array in the recipe).
        """
        network, options = module.built_as
        return cls(
            name,
            network,
            options,
            training_data,
            synthetic_only,
            created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            software=f"vertenet {__version__}",
            **others,
        )

    def to_dict(self) -> dict:
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def read(cls, path: PathLike) -> Card:
        """The card in a JSON file.

        Raises
        ------
        ModelError
            There is no such file, it is not JSON, or not a card of this format.
        """
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ModelError(
                "the card of these weights is missing", subject=path, remedy="Copy the .json file along with them"
            ) from error
        except (OSError, ValueError, RecursionError) as error:
            raise ModelError(f"the card cannot be read ({error})", subject=path) from error
        if not isinstance(data, dict) or data.pop("format", None) != FORMAT:
            raise ModelError(f"this is not a card of the format {FORMAT}", subject=path)
        _check(data, path)
        return cls(**data)


def checked_weights(path: PathLike) -> tuple[Card, bytes]:
    """The card of a weight file and the file's content, which is what the card says.

    Raises
    ------
    ModelError
        File or card is missing or damaged, or the file is not the one the card describes.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise ModelError("the name of a weight file ends in .safetensors", subject=path)
    if not path.is_file():
        raise ModelError("there is no such weight file", subject=path)
    card = Card.read(path.with_suffix(".json"))
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != card.sha256:
        raise ModelError(
            f"the weights are not those of their card {path.stem}.json: their SHA-256 differs",
            subject=path,
            remedy="The file is damaged or was exchanged; get both files again from the same place",
        )
    return card, content


_TYPES = {
    "name": str,
    "network": str,
    "options": dict,
    "training_data": str,
    "synthetic_only": bool,
    "metrics": dict,
    "recipe": dict,
    "decoder": (dict, type(None)),
    "licence": str,
    "created": str,
    "software": str,
    "sha256": str,
    "notice": str,
}


def _check(data: Mapping, path: PathLike) -> None:
    for item in fields(Card):
        if item.name not in data:
            raise ModelError(f"the card has no {item.name!r}", subject=path)
        if not isinstance(data[item.name], _TYPES[item.name]):
            raise ModelError(f"the card's {item.name!r} is {data[item.name]!r}", subject=path)
    unknown = sorted(set(data) - set(_TYPES))
    if unknown:
        raise ModelError(f"the card has the unknown {', '.join(unknown)}", subject=path)
