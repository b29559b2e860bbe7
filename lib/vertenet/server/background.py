"""A server in a process of its own, from its start over its first answer to its end."""

from __future__ import annotations

import os
import re
import signal
import ssl
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from vertenet.errors import VerteNetError

_READY = re.compile(r"VerteNet is ready on (https?://\S+)")
_PAUSE_S = 0.2


class ServerError(VerteNetError):
    """A server did not start, or not in time."""


class BackgroundServer:
    """Run a server while a ``with`` block lasts; leaving the block ends exactly that process and its children.

    Parameters
    ----------
    command : sequence of str
    url : str, optional
        Where the server will answer. None: read it from the line that ``vertenet serve`` prints when it is ready.
    timeout_s : float
        How long the start may take.
    environment : mapping, optional
        Additions to this process's environment.
    verify : bool or ssl.SSLContext
        As in httpx: what to think of the server's certificate while waiting for it.

    Examples
    --------
    >>> with BackgroundServer(["vertenet", "serve", "--studies", "scans", "--port", "0"]) as server:  # doctest: +SKIP
    ...     httpx.get(f"{server.url}/info/").json()["models"]
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        url: str | None = None,
        timeout_s: float = 180.0,
        environment: dict[str, str] | None = None,
        verify: bool | ssl.SSLContext = True,
    ) -> None:
        self.command = list(command)
        self._verify = verify
        self.url = url or ""
        self.timeout_s = timeout_s
        self._environment = {**os.environ, **(environment or {})}
        self._folder = tempfile.TemporaryDirectory(prefix="vertenet-server-")
        self._log = Path(self._folder.name, "log")
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> BackgroundServer:
        with open(self._log, "wb") as log:
            # A session of its own: Ctrl+C reaches this program alone, which then ends the server in good order.
            self.process = subprocess.Popen(
                self.command, stdout=log, stderr=subprocess.STDOUT, env=self._environment, start_new_session=True
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def log(self) -> str:
        """What the server has written so far."""
        return self._log.read_text("utf-8", "replace") if self._log.exists() else ""

    def stop(self, grace_s: float = 20.0) -> int:
        """Ask the server to stop, insist after ``grace_s`` seconds; returns its exit code."""
        self.process.terminate()
        try:
            self.process.wait(grace_s)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._folder.cleanup()
        return self.process.returncode

    def _wait(self) -> None:
        deadline = time.monotonic() + self.timeout_s
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise ServerError(f"the server ended with code {self.process.returncode}: {self._tail()}")
            if self._answers():
                return
            time.sleep(_PAUSE_S)
        raise ServerError(f"the server gave no answer within {self.timeout_s:.0f} s: {self._tail()}")

    def _answers(self) -> bool:
        if not self.url:
            found = _READY.search(self.log)
            self.url = found[1] if found else ""
        if not self.url:
            return False
        try:
            answer = httpx.get(f"{self.url}/info/", timeout=10.0, trust_env=False, verify=self._verify)
            return answer.status_code in (200, 401)  # 401: it is there, and wants a token
        except httpx.TransportError:
            return False

    def _tail(self, lines: int = 12) -> str:
        return "\n".join(["its last words were", *self.log.splitlines()[-lines:]])
