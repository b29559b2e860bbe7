"""What every command shares: consoles, common options, checks of options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from ..errors import OptionError
from ..models import find_weights
from ..reading import RESEARCH_USE

app = typer.Typer(
    name="vertenet",
    help=f"Vertebral landmarks, AAC-24 guides and aorta crop warnings on lateral spine images. {RESEARCH_USE}",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
out_console = Console(markup=False, highlight=False)
err_console = Console(stderr=True, soft_wrap=True, markup=False, highlight=False)

OutFolder = Annotated[Path, typer.Option("--out", help="Folder for the results; made if need be.")]
ModelName = Annotated[str, typer.Option("--model", help="A model's name or a .safetensors file.")]
Runtime = Annotated[str, typer.Option("--runtime", help="What runs the network: auto, torch, onnxruntime, openvino...")]
Anterior = Annotated[
    Optional[str], typer.Option("--anterior", help="left, right or auto; default: the file's, else detected.")
]
SpacingMm = Annotated[Optional[float], typer.Option("--spacing", help="Millimetres a pixel, overriding the file's.")]
Factor = Annotated[float, typer.Option("--factor", help="Reach of the aortic corridor in mean guide lengths.")]
Decoder = Annotated[str, typer.Option("--decoder", help="levels, or the authors' top-six.")]
Refine = Annotated[
    Optional[bool],
    typer.Option("--refine/--no-refine", help="Second, closer look; default: if there is a refiner."),
]
Overlays = Annotated[
    str,
    typer.Option("--overlays", help="Draw all, flagged (uncertain, cropped and the like) or none."),
]


def say(text: str) -> None:
    """A line of results, as it stands: nothing in it is markup, and a file's name is never broken."""
    out_console.print(text, soft_wrap=True)


def complain(text: str) -> None:
    """The same on standard error."""
    err_console.print(text, soft_wrap=True)


def show_table(table: Table) -> None:
    """A table; in a file or a pipe as wide as it needs, on a terminal as wide as that is."""
    if not out_console.is_terminal:
        endless = out_console.options.update(max_width=100_000)
        out_console.width = max(out_console.width, Measurement.get(out_console, endless, table).maximum)
    out_console.print(table)


def check_side(value: str | None, *allowed: str) -> None:
    if value is not None:
        check_choice("--anterior", value, list(allowed))


def check_choice(option: str, value: str, allowed: list[str]) -> None:
    if value not in allowed:
        raise OptionError(f"{option} is {value!r}", remedy=f"Use one of {', '.join(allowed)}")


def reading_options(
    model: str,
    anterior: str | None,
    spacing: float | None,
    factor: float,
    decoder: str,
    refine: bool | None,
    overlays: str,
    **others,
):
    """The `ReadingOptions` of a command that reads many images, once what was typed is possible."""
    check_side(anterior, "left", "right", "auto")
    check_positive("--spacing", spacing)
    check_positive("--factor", factor)
    check_choice("--decoder", decoder, ["levels", "top-six"])
    check_choice("--overlays", overlays, ["all", "flagged", "none"])
    weights = str(find_weights(model).resolve())
    from ..cohort import ReadingOptions

    return ReadingOptions(
        weights,
        decoder=decoder,
        refine=refine,
        anterior=anterior,
        spacing=spacing,
        factor=factor,
        overlays=overlays,
        **others,
    )


def check_positive(option: str, value: float | None) -> None:
    if value is not None and not 0 < value < float("inf"):
        raise OptionError(f"{option} is {value}, but it must be a positive number")
