"""What every command shares: consoles, common options, checks of options, the progress bar."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ..errors import OptionError
from ..reading import RESEARCH_USE

app = typer.Typer(
    name="vertenet",
    help=f"Vertebral landmarks, AAC-24 guides and aorta crop warnings on lateral spine images. {RESEARCH_USE}",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
out_console = Console()
err_console = Console(stderr=True, soft_wrap=True, highlight=False)

OutFolder = Annotated[Path, typer.Option("--out", help="Folder for the results; made if need be.")]
ModelName = Annotated[str, typer.Option("--model", help="A model's name or a .safetensors file.")]
Anterior = Annotated[
    Optional[str], typer.Option("--anterior", help="left, right or auto; default: the file's, else detected.")
]
SpacingMm = Annotated[Optional[float], typer.Option("--spacing", help="Millimetres a pixel, overriding the file's.")]
Factor = Annotated[float, typer.Option("--factor", help="Reach of the aortic corridor in mean guide lengths.")]


def progress_bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err_console,
        transient=True,
    )


def check_side(value: str | None, *allowed: str) -> None:
    if value is not None:
        check_choice("--anterior", value, list(allowed))


def check_choice(option: str, value: str, allowed: list[str]) -> None:
    if value not in allowed:
        raise OptionError(f"{option} is {value!r}", remedy=f"Use one of {', '.join(allowed)}")


def check_positive(option: str, value: float | None) -> None:
    if value is not None and not 0 < value < float("inf"):
        raise OptionError(f"{option} is {value}, but it must be a positive number")
