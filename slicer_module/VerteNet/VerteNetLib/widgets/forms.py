"""The ``.ui`` files and what is in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

import qt
import slicer.util

FOLDER = Path(__file__).resolve().parents[2] / "Resources" / "UI"


def load(name: str) -> tuple[Any, Any]:
    """The widget of ``Resources/UI/<name>.ui``, and an object with its named parts as attributes."""
    root = slicer.util.loadUI(str(FOLDER / f"{name}.ui"))
    return root, slicer.util.childWidgetVariables(root)


def fill(combo: Any, choices: dict[str, str]) -> None:
    """Replace the entries of a combo box: value to text; the chosen value stays chosen where it is still there."""
    if [(combo.itemData(place), combo.itemText(place)) for place in range(combo.count)] == list(choices.items()):
        return
    chosen = combo.currentData
    combo.blockSignals(True)
    combo.clear()
    for value, text in choices.items():
        combo.addItem(text, value)
    combo.blockSignals(False)
    if chosen in choices:
        choose(combo, chosen)


def choose(combo: Any, value: Optional[str]) -> None:
    """Show a value, or no value, without telling anybody."""
    combo.blockSignals(True)
    combo.setCurrentIndex(-1 if value is None else combo.findData(value))
    combo.blockSignals(False)


def show_table(table: Any, rows: list[list[str]], tips: list[str]) -> None:
    """Texts into a table that only shows; ``tips`` has one tooltip for each row."""
    table.setRowCount(len(rows))
    for row, (texts, tip) in enumerate(zip(rows, tips)):
        for column, text in enumerate(texts):
            item = table.item(row, column)
            if item is None:
                item = qt.QTableWidgetItem()
                item.setTextAlignment(qt.Qt.AlignCenter)
                table.setItem(row, column, item)
            if item.text() != text:
                item.setText(text)
            item.setToolTip(tip)
