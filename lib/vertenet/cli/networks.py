"""The command that lists the networks of the zoo with what each costs: networks."""

from __future__ import annotations

import re
from typing import Annotated, Optional

import typer
from rich.table import Table

from ..errors import OptionError
from .common import app, show_table
from .progress import progress_bar


@app.command()
def networks(
    name: Annotated[Optional[list[str]], typer.Argument(help="Networks to show; default: all.")] = None,
    size: Annotated[
        Optional[str], typer.Option(help="Rows x columns to count all at, such as 512x256; default: each at its own.")
    ] = None,
) -> None:
    """List the networks that can be trained, with parameters, multiply-adds and memory for one image."""
    options = {} if size is None else {"input_size": _size(size)}
    from ..networks import cost, describe, names

    wanted = name or names()
    table = Table("name", "image", "parameters", "GMAC", "memory", "what it is", box=None)
    for column in table.columns[2:5]:
        column.justify = "right"
    for column in table.columns[:5]:
        column.no_wrap = True
    with progress_bar() as progress:
        for each in progress.track(wanted, description="Counting"):
            needs = cost(each, **options)
            rows, columns = needs.input_size
            table.add_row(
                each,
                f"{rows}x{columns}",
                f"{needs.parameters / 1e6:.2f} M",
                f"{needs.gmac:.1f}",
                f"{needs.memory_mb:.0f} MB",
                describe(each),
            )
    show_table(table)


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    if found is None:
        raise OptionError(f"--size is {text!r}", remedy="Give rows x columns, such as 512x256")
    return int(found[1]), int(found[2])
