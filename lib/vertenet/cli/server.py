"""The command that serves: serve."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from .common import ModelName, app


@app.command()
def serve(
    studies: Annotated[Path, typer.Option(help="Folder of images to serve.")],
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 8000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    model: ModelName = "vertenet-lite",
    app_folder: Annotated[Optional[Path], typer.Option("--app", help="Folder of the MONAI Label app.")] = None,
    verbose: Annotated[bool, typer.Option(help="Log every request.")] = False,
) -> None:
    """Start the MONAI Label server with the VerteNet app."""
    from ..serving import serve as serve_app

    raise typer.Exit(serve_app(studies, port=port, host=host, model=model, app=app_folder, verbose=verbose))
