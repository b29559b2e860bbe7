"""Sentences that a session puts together."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

from vertenet.measure.aac import CELLS, Aac24, Wall
from vertenet.reading import Reading
from vertenet.spine import CORNERS, MIDPOINTS, Level, Spine

from .answers import Comparison, Consensus, ServerInfo
from .board import Message
from .i18n import _


def sentences(parts: Iterable[str]) -> str:
    """Clauses as text, each with a full stop."""
    return " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in parts)


def points_with_position(spine: Spine) -> str:
    """``24 of 24 corners and 12 of 12 mid-endplate points``; the latter where the spine has any."""
    corners, middles = (
        [vertebra[name].is_present for vertebra in spine for name in names if name in vertebra.points]
        for names in (CORNERS, MIDPOINTS)
    )
    text = _("{placed} of {total} corners").format(placed=sum(corners), total=len(corners))
    if not middles:
        return text
    return _("{corners} and {placed} of {total} mid-endplate points").format(
        corners=text, placed=sum(middles), total=len(middles)
    )


def about_proposal(reading: Reading) -> Message:
    """What the user is told of a model's answer that is on the screen."""
    placed = points_with_position(reading.spine)
    text = _("The model placed {points}. Look at each of them.").format(points=placed)
    if reading.levels.certain:
        return Message("info", text)
    if reading.levels.alternative is None:
        return Message("warning", sentences([text, _("It is not sure of the levels")]))
    return Message("warning", sentences([text, _("It is not sure of the levels: compare its second reading")]))


def about_refusal(reasons: Iterable[str]) -> Message:
    """What the user is told where the model gives no landmarks for an image."""
    return Message("warning", sentences([_("The model does not take this for a lateral spine image"), *reasons]))


def about_comparison(found: Comparison) -> Message:
    """How far the readers of an image lie apart: landmarks by the server's count, grades cell by cell."""
    if len(found.readings) < 2:
        return Message("info", _("Only one person has read this image."))
    parts = []
    for pair in found.agreement:
        first, second = pair["annotators"]
        if pair["level_shift"]:
            text = _("{a} and {b} name the vertebrae differently, by {n} level(s)")
            parts.append(text.format(a=first, b=second, n=abs(pair["level_shift"])))
        elif pair["mean_px"] is not None:
            text = _("{a} and {b}: landmarks {mean:.1f} px apart in the middle, at most {most:.1f} at {point}")
            parts.append(
                text.format(a=first, b=second, mean=pair["mean_px"], most=pair["largest_px"], point=pair["largest_at"])
            )
    for one, other in combinations(found.readings, 2):
        differ = differing_cells(one.aac, other.aac)
        text = _("{a} and {b}: {n} of 8 grades differ").format(a=one.annotator, b=other.annotator, n=len(differ))
        parts.append(text)
    return Message("info", sentences(parts))


def differing_cells(one: Aac24, other: Aac24) -> tuple[tuple[Level, Wall], ...]:
    """Cells that two readers graded differently, one of them perhaps not at all."""
    return tuple(cell for cell in CELLS if one.grade(*cell) != other.grade(*cell))


def about_consensus(made: Consensus) -> Message:
    text = _("The consensus of {image} is on the server (revision {number})")
    parts = [text.format(image=made.image_id, number=made.revision)]
    if not made.undecided:
        return Message("info", sentences(parts))
    parts.append(
        _("Its readers do not agree on {points}: somebody must decide").format(points=", ".join(made.undecided))
    )
    return Message("warning", sentences(parts))


def about_connection(info: ServerInfo) -> Message:
    left = max(0, info.total - info.labelled)
    text = _("Connected to {name} {version}: {left} of {total} images are left.")
    text = text.format(name=info.name, version=info.version, left=left, total=info.total)
    if info.complete:
        return Message("info", text)
    missing = _("It is MONAI Label's own server or an old one: without skips, history and versions of the model")
    return Message("warning", sentences([text, missing]))
