"""What a label server is asked and what it answers, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from vertenet.measure.aac import Aac24
from vertenet.reading import Reading
from vertenet.spine import Spine


@dataclass(frozen=True)
class ServerInfo:
    """Who answers. ``labelled`` of ``total`` images have a final label; ``sha256`` is that of the served weights.

    ``store`` is the identity of the served folder, by which it differs from another one at the same address; empty
    where the server tells none.
    ``complete`` False: MONAI Label's own server or an early one, without skips, history and versions of the model.
    """

    name: str
    version: str
    strategies: tuple[str, ...]
    labelled: int
    total: int
    trains: bool
    sha256: str = ""
    model_version: str = ""
    synthetic_only: bool = False
    complete: bool = True
    store: str = ""


@dataclass(frozen=True)
class Origin:
    """Where an image comes from.

    Attributes
    ----------
    store : str
        `ServerInfo.store`, else the server's address.
    image_id : str
        Its id there. Ids are unique within one store only.
    sha256 : str
        Of the image's file as the server gave it; empty where it was never seen.
    server : str
        How a person knows that store, such as its address; it may have another one tomorrow.
    """

    store: str
    image_id: str
    sha256: str = ""
    server: str = field(default="", compare=False)


@dataclass(frozen=True)
class Sample:
    """An image to annotate next, and why (``margin``, ``doubt`` ..., where it was scored)."""

    image_id: str
    scores: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Proposal:
    """What the model says of an image, and which version of it."""

    reading: Reading
    model_version: str


@dataclass(frozen=True)
class Submission:
    """A label on its way. ``submission_id`` makes sending it twice the same as once.

    ``markups`` is the text of a ``.mrk.json`` file; ``reading`` what was measured and scored with it; ``image_sha256``
    that of the image's file, by which the server knows that it has the same image.
    """

    submission_id: str
    image_id: str
    tag: str
    markups: str
    reading: Optional[Mapping[str, Any]]
    annotator: str = ""
    comment: str = ""
    image_sha256: str = ""


@dataclass(frozen=True)
class Receipt:
    """``repeated``: the server had this submission already."""

    image_id: str
    revision: int
    repeated: bool = False


@dataclass(frozen=True)
class TrainingProgress:
    """``state``: none, running, done, failed or killed. ``metric``: 0 to 1, share of landmarks found within 4 px.

    ``started``: Unix time, which tells one round from another; ``version`` is the one that is served.
    """

    state: str
    phase: str = ""
    epoch: int = 0
    total_epochs: int = 1
    metric: float = 0.0
    seconds_left: Optional[float] = None
    message: str = ""
    published: Optional[bool] = None
    version: str = ""
    started: float = 0.0

    @property
    def is_running(self) -> bool:
        return self.state == "running"


@dataclass(frozen=True)
class ModelVersion:
    """A version of the model on the server; ``verdict`` is the gate's sentence, empty for the starter."""

    name: str
    sha256: str
    served: bool
    created: str = ""
    training_data: str = ""
    synthetic_only: bool = False
    verdict: str = ""


@dataclass(frozen=True)
class OtherReading:
    """What one annotator says of an image: the newest final or reviewed label, and the grades that came with it."""

    annotator: str
    revision: int
    tag: str
    spine: Spine
    aac: Aac24


@dataclass(frozen=True)
class Comparison:
    """All annotators' readings of an image side by side.

    ``agreement``: the server's figures, a mapping for each pair (docs/annotate.md). ``me``: who asks.
    """

    image_id: str
    readings: tuple[OtherReading, ...]
    agreement: tuple[Mapping[str, Any], ...] = ()
    me: str = ""

    @property
    def others(self) -> tuple[OtherReading, ...]:
        """The readings that are not this annotator's."""
        return tuple(reading for reading in self.readings if reading.annotator != self.me)


@dataclass(frozen=True)
class Consensus:
    """The server's one label out of several annotators'; ``undecided``: points that they do not agree on."""

    image_id: str
    revision: int
    undecided: tuple[str, ...] = ()
