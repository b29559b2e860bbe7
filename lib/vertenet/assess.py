"""From landmarks to a Reading: guides, crop, heights and warnings, whoever placed the landmarks. No model, no torch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone

from . import __version__
from .measure import DEFAULT_FACTOR, Norms, intervertebral_guides
from .measure.consistency import Contradiction, contradictions, crop_of, morphometry_of, trusted
from .radiograph import Radiograph
from .reading import ImageIdentity, Levels, ModelIdentity, Quality, Reading
from .spine import Spine, Status


def assess(
    radiograph: Radiograph,
    spine: Spine,
    *,
    factor: float = DEFAULT_FACTOR,
    levels: Levels | None = None,
    model: ModelIdentity | None = None,
    warnings: Iterable[str] = (),
    latency_s: float | None = None,
    anterior_source: str = "given",
    quality: Quality | None = None,
    radius_scale: Mapping[str, float] | None = None,
    norms: Norms | None = None,
) -> Reading:
    """Everything that follows from landmarks; nothing from those that contradict themselves, and a warning says so.

    Parameters
    ----------
    radiograph : Radiograph
    spine : Spine
        Source pixels of ``radiograph``.
    factor : float
        Reach of the aortic corridor, see `vertenet.measure.detect_crop`.
    levels : Levels, optional
        How sure the naming is; the default is "certain", for landmarks that a person named.
    model : ModelIdentity, optional
        The model that placed the landmarks; None for a person.
    warnings : iterable of str
        Sentences to carry along; repeated ones are kept once.
    latency_s : float, optional
    anterior_source : {"given", "file", "detected", "assumed"}
    quality, radius_scale
        See `Reading`.
    norms : Norms, optional
        Ratios of healthy vertebrae, see `vertenet.measure.norms`; default those in use.
    """
    found = contradictions(spine, radiograph.name)
    noted = [*warnings, *landmark_warnings(radiograph, spine, found)]
    return Reading(
        image=ImageIdentity(
            radiograph.name,
            radiograph.rows,
            radiograph.columns,
            radiograph.spacing,
            hashlib.sha256(radiograph.pixels.tobytes()).hexdigest(),
            anterior_source,
            dict(radiograph.metadata),
        ),
        spine=spine,
        guides=intervertebral_guides(trusted(spine, found)),
        crop=crop_of(radiograph, spine, found, factor),
        levels=Levels(certain=True) if levels is None else levels,
        model=model,
        warnings=tuple(dict.fromkeys(noted)),
        latency_s=latency_s,
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        software=f"vertenet {__version__}",
        quality=quality,
        radius_scale=dict(radius_scale or {}),
        morphometry=morphometry_of(spine, radiograph.spacing, found, norms),
    )


def landmark_warnings(radiograph: Radiograph, spine: Spine, found: Sequence[Contradiction] | None = None) -> list[str]:
    """Sentences on what the landmarks lack (a size in millimetres, vertebrae), and what in them cannot be.

    ``found``: their contradictions, for a caller who knows them.
    """
    notes = []
    if radiograph.spacing is None:
        notes.append("Pixel spacing unknown: nothing is given in millimetres")
    for vertebra in spine:
        if vertebra.is_missing:
            statuses = {corner.status for corner in vertebra.points.values()}
            where = "lies outside the image" if Status.OUTSIDE in statuses else "was not found"
            notes.append(f"{vertebra.level} {where}")
    found = contradictions(spine, radiograph.name) if found is None else found
    return [*notes, *(one.sentence for one in found)]
