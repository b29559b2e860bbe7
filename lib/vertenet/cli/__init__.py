"""The command ``vertenet``: a door. It reads options, calls a room and words what came of it.

Exit codes: 0 all well; 2 an option or an input was bad (each said in a sentence on stderr; a batch goes on with the
rest first). A file here is a family of commands; `common` holds what they share.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from .. import __version__
from ..errors import VerteNetError
from . import calibrate, experiments, models, networks, reading, refine, server, studies  # noqa: F401  (registered)
from .common import app, err_console, out_console


def main() -> None:
    """Entry point: every error a person can act on is one sentence on stderr and exit code 2."""
    # Before torch is loaded: OpenMP threads that spin while they wait make a busy machine up to 40 times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        app()
    except VerteNetError as error:
        err_console.print(error.sentence, markup=False)
        sys.exit(2)
    except OSError as error:
        # What a disk or a folder's rights refuse; inputs that cannot be read were worded where they were opened.
        err_console.print(f"{error.filename or 'A file'}: {error.strerror or error}.", markup=False)
        sys.exit(2)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] == "vertenet":
            raise
        err_console.print(f"This command needs the package {error.name}. Install it with: pip install 'vertenet[all]'.")
        sys.exit(2)


def _version(wanted: bool) -> None:
    if wanted:
        out_console.print(f"vertenet {__version__}")
        raise typer.Exit()


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = (
        False
    ),
) -> None:
    pass
