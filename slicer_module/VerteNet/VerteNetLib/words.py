"""Sentences that a session puts together."""

from __future__ import annotations

from collections.abc import Iterable

from vertenet.reading import Reading
from vertenet.spine import CORNERS, MIDPOINTS, Spine

from .answers import ServerInfo
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


def about_connection(info: ServerInfo) -> Message:
    left = max(0, info.total - info.labelled)
    text = _("Connected to {name} {version}: {left} of {total} images are left.")
    text = text.format(name=info.name, version=info.version, left=left, total=info.total)
    if info.complete:
        return Message("info", text)
    missing = _("It is MONAI Label's own server or an old one: without skips, history and versions of the model")
    return Message("warning", sentences([text, missing]))
