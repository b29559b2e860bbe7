"""A label server on this computer, started and stopped by the module where the package is installed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO, Optional

from vertenet.errors import VerteNetError

from .i18n import _
from .interfaces import Progress

#: Settings may name the program; else it is looked for on the path.
PROGRAM_KEY = "local_server/program"
START_S = 180.0
GRACE_S = 20.0
_READY = re.compile(r"VerteNet is ready on (https?://\S+)")
#: Slicer sets these for its own Python; another Python would load the wrong libraries by them.
_SLICERS = ("PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "QT_PLUGIN_PATH", "PYTHONNOUSERSITE")


class LocalServerError(VerteNetError):
    """The local server did not start, or ended."""


@lru_cache(maxsize=8)
def find_program(named: str = "") -> Optional[str]:
    """Path of the ``vertenet`` program: the named one, the one on the path, or the one beside this Python; or None."""
    if named:
        return named if os.access(named, os.X_OK) and os.path.isfile(named) else None
    beside_python = shutil.which("vertenet", path=os.path.dirname(sys.executable))
    return shutil.which("vertenet") or beside_python


def plain_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment as a program outside of Slicer needs it."""
    inside_slicer = "SLICER_HOME" in environment
    return {name: value for name, value in environment.items() if not (inside_slicer and name in _SLICERS)}


class LocalServer:
    """A ``vertenet serve`` of this process, which ends with it; `stop` ends exactly that one and what it started.

    Parameters
    ----------
    program : str
        Path of ``vertenet``.
    studies : Path
        Folder of images to serve; labels are kept in it.
    arguments : sequence of str
        Further ones of ``vertenet serve``.
    """

    def __init__(self, program: str, studies: Path, arguments: Sequence[str] = ()) -> None:
        self.studies = studies
        # It ends with the pipe to it, and so with this process, however that ends.
        self._command = [program, "serve", "--studies", str(studies), "--port", "0", "--until-closed", *arguments]
        self._process: Optional[subprocess.Popen] = None
        self._lines: deque[str] = deque(maxlen=40)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def process_id(self) -> Optional[int]:
        return None if self._process is None else self._process.pid

    @property
    def log(self) -> str:
        """The last lines that it wrote."""
        return "\n".join(self._lines)

    def start(self, progress: Progress) -> str:
        """Start it and wait until it answers; its address. Blocks for some ten seconds.

        Raises
        ------
        LocalServerError
            It ended, or took too long; it does not run then.
        jobs.CancelledError
            The user asked to stop; it does not run then either.
        """
        own_group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if os.name == "nt" else {}
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                env=plain_environment(os.environ),
                start_new_session=os.name == "posix",
                **own_group,
            )
        except OSError as error:
            problem = _("The local server cannot be started ({reason})").format(reason=error.strerror)
            raise LocalServerError(problem, subject=self._command[0]) from error
        ready: list[str] = []
        # The pipe is read as long as the server runs: a full one would stop it.
        threading.Thread(target=self._read, args=(self._process.stdout, ready), daemon=True).start()
        try:
            return self._await(ready, progress)
        except BaseException:
            self.stop()
            raise

    def stop(self, grace_s: float = GRACE_S) -> None:
        """Ask it to end, and insist after ``grace_s`` seconds. Nothing happens where it does not run."""
        process, self._process = self._process, None
        if process is None:
            return
        process.stdin.close()
        if process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(grace_s)
        except subprocess.TimeoutExpired:
            if os.name == "posix":
                os.killpg(process.pid, signal.SIGKILL)  # a group of its own, by start_new_session
            else:
                process.kill()
            process.wait()

    def _await(self, ready: list[str], progress: Progress) -> str:
        deadline = time.monotonic() + START_S
        while not ready:
            last = self._lines[-1] if self._lines else ""
            progress.report(_("Starting the server on this computer {line}").format(line=last[:80]).strip())
            if not self.is_running:
                raise LocalServerError(
                    _("The local server ended at its start; it said: {lines}").format(lines=self.log[-400:]),
                    remedy=_("Check the folder of images"),
                )
            if time.monotonic() > deadline:
                raise LocalServerError(_("The local server gave no answer in time"))
            time.sleep(0.1)
        return ready[0]

    def _read(self, stream: IO[str], ready: list[str]) -> None:
        with stream:
            for line in stream:
                self._lines.append(line.rstrip())
                match = _READY.search(line)
                if match:
                    ready.append(match[1])
