"""The command ``vertenet``: a door. It reads options, calls a room and words what came of it.

Exit codes: 0 all well; 2 an option or an input was bad (each said in a sentence on stderr; a batch goes on with the
rest first). A file here is a family of commands; `common` holds what they share.
"""

from __future__ import annotations

import os
import sys

from ..errors import VerteNetError
from .extras import remedy_for


def main() -> None:
    """Entry point: every error a person can act on is one sentence on stderr and exit code 2."""
    # Before torch is loaded: OpenMP threads that spin while they wait make a busy machine up to 40 times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        # Only here, so that a missing package of the command line itself is a sentence too.
        from .commands import app

        app()
    except VerteNetError as error:
        _refuse(error.sentence)
    except OSError as error:
        # What a disk or a folder's rights refuse; inputs that cannot be read were worded where they were opened.
        _refuse(f"{error.filename or 'A file'}: {error.strerror or error}.")
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if package == "vertenet":
            raise
        _refuse(f"This command needs the package {package}. {remedy_for(package)}.")


def _refuse(sentence: str) -> None:
    print(sentence, file=sys.stderr)
    sys.exit(2)
