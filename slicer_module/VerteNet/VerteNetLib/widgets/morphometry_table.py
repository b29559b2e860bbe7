"""Heights and ratios of the vertebrae, and what they suggest."""

from __future__ import annotations

from typing import Any, Optional

import qt

from vertenet.measure.morphometry import Angle, Lordosis, SpineMorphometry, VertebraMorphometry

from ..findings import levels_not_assessed
from ..i18n import _
from . import forms

ROW_PX, HEADER_PX = 22, 24
NONE = "–"


class MorphometryTable:
    """A row for each vertebra; it only shows.

    Parameters
    ----------
    table : QTableWidget
    """

    def __init__(self, table: Any) -> None:
        self._table = table
        titles = [_("Ha"), _("Hm"), _("Hp"), _("Ha/Hp"), _("Hm/Hp"), _("Crush"), _("Genant")]
        table.setColumnCount(len(titles))
        table.setHorizontalHeaderLabels(titles)
        table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        table.setSelectionMode(qt.QAbstractItemView.NoSelection)
        table.setFocusPolicy(qt.Qt.NoFocus)
        header = table.horizontalHeader()
        header.setMinimumSectionSize(30)
        header.setSectionResizeMode(qt.QHeaderView.Stretch)
        header.setSectionResizeMode(len(titles) - 1, qt.QHeaderView.ResizeToContents)
        header.setFixedHeight(HEADER_PX)
        table.verticalHeader().setDefaultSectionSize(ROW_PX)

    def show(self, found: SpineMorphometry) -> None:
        vertebrae = list(found.vertebrae.values())
        forms.show_table(self._table, [_row(v) for v in vertebrae], [explanation(v) for v in vertebrae])
        self._table.setVerticalHeaderLabels([str(vertebra.level) for vertebra in vertebrae])
        self._table.setFixedHeight(HEADER_PX + ROW_PX * len(vertebrae) + 2)


def _row(vertebra: VertebraMorphometry) -> list[str]:
    heights, digits = (vertebra.px, 0) if vertebra.mm is None else (vertebra.mm, 1)
    texts = [_number(value, digits) for value in (heights.anterior, heights.middle, heights.posterior)]
    texts += [_number(value, 2) for value in (vertebra.wedge, vertebra.mid_wedge, vertebra.crush)]
    return [*texts, _grade(vertebra)]


def _number(value: Optional[float], digits: int) -> str:
    return NONE if value is None else f"{value:.{digits}f}"


def _grade(vertebra: VertebraMorphometry) -> str:
    genant = vertebra.genant
    if genant is None:
        return _("not eval.")
    words = {"wedge": _("wedge"), "biconcave": _("biconc."), "crush": _("crush")}
    kind = "" if genant.deformity is None else f" {words[genant.deformity.value]}"
    if genant.is_partial and genant.deformity is None:
        return _("not judged")  # nothing was found, and not everything could be looked at
    # A grade from part of the heights is the least that it can be.
    return f"{'≥ ' if genant.is_partial else ''}{genant.grade}{kind}"


def explanation(vertebra: VertebraMorphometry) -> str:
    """What stands behind a row's grade, or why there is none."""
    if vertebra.genant is None:
        return _("{level} not evaluable: {reason}.").format(level=vertebra.level, reason=vertebra.reason)
    parts = [
        _("{level}: greatest loss of height {percent:.0f} %; a suggestion, not a diagnosis.").format(
            level=vertebra.level, percent=100 * max(vertebra.genant.loss, 0.0)
        )
    ]
    references = (("Ha/Hp", vertebra.wedge_reference), ("Hm/Hp", vertebra.mid_wedge_reference))
    parts += [
        _("Healthy {ratio} {value:.2f}: {source}.").format(ratio=ratio, value=found.ratio, source=found.source)
        for ratio, found in references
        if found is not None
    ]
    parts += [_("Not judged: {reason}.").format(reason=reason) for reason in vertebra.genant.unjudged.values()]
    if vertebra.genant.boundary:
        parts.append(f"{vertebra.genant.boundary}.")
    return " ".join(parts)


def summary(found: SpineMorphometry) -> str:
    """What is not evaluable and why, and the lordosis."""
    lines = [explanation(v) for v in found.vertebrae.values() if not v.is_evaluable]
    partial = [v.genant.unjudged.values() for v in found.vertebrae.values() if v.genant is not None]
    reasons = dict.fromkeys(reason for unjudged in partial for reason in unjudged)
    if reasons:
        text = _("Not judged, or ≥: there may be more, because {reasons}.")
        lines.append(text.format(reasons="; ".join(reasons)))
    lines.append(levels_not_assessed())
    lines.append(lordosis_sentence(found.lordosis))
    return "\n".join(lines)


def lordosis_sentence(found: Lordosis) -> str:
    text = _("Lordosis L1–L5 {first}, T12–S1 {second}.").format(first=_angle(found.l1_l5), second=_angle(found.t12_s1))
    if found.square_pixels_assumed:
        text += " " + _("Square pixels are assumed.")
    return text


def _angle(angle: Angle) -> str:
    if angle.degrees is None:
        return _("not evaluable ({reason})").format(reason=angle.reason)
    return _("{degrees:.0f}°").format(degrees=angle.degrees)
