"""Every command of ``vertenet`` under one roof, and what the program itself answers."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import __version__
from . import (  # noqa: F401  (registered)
    bench,
    calibrate,
    cohort,
    experiments,
    models,
    networks,
    reading,
    refine,
    results,
    server,
    studies,
)
from .common import app, say

__all__ = ["app"]


def _version(wanted: bool) -> None:
    if wanted:
        say(f"vertenet {__version__}")
        raise typer.Exit()


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = (
        False
    ),
) -> None:
    pass
