"""How much may come in at once, and how much room on the disk it leaves for labels."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from pathlib import Path

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..problems import problem
from .access import identity_of
from .limits import UPLOADS
from .roles import template

#: Uploads that arrive at the same time, of one client and of all. They wait on the disk until they are looked at.
MOST_OF_ONE, MOST_OF_ALL = 4, 16
#: An upload may not take the last of a disk that labels are written to.
RESERVE_BYTES = 512 << 20


class UploadGate:
    """ASGI middleware: 429 for a client that sends too many files at once, 507 where the disk is nearly full.

    Parameters
    ----------
    folders : sequence of Path
        Where uploads end up, beside the folder of temporary files.
    """

    def __init__(self, app: ASGIApp, folders: tuple[Path, ...]) -> None:
        self.app, self._folders = app, folders
        self._arriving: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or template(scope["method"], scope["path"]) not in UPLOADS:
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        size, who = int(announced) if announced.isdigit() else 0, identity_of(scope)
        if self._arriving[who] >= MOST_OF_ONE or self._arriving.total() >= MOST_OF_ALL:
            refusal = problem(429, "Too many files are being sent at once. Send one after the other.", _AGAIN)
        elif size > 1 << 20 and not self._have_room(size):
            refusal = problem(507, "The server's disk is nearly full, and what is left of it is kept for labels.")
        else:
            await self._let_in(who, scope, receive, send)
            return
        await refusal(scope, receive, send)

    async def _let_in(self, who: str, scope: Scope, receive: Receive, send: Send) -> None:
        self._arriving[who] += 1
        arriving = True

        def arrived() -> None:
            nonlocal arriving
            if arriving:
                arriving = False
                self._arriving[who] -= 1
                if not self._arriving[who]:
                    del self._arriving[who]

        async def watched() -> Message:
            message = await receive()
            if not message.get("more_body", False):
                arrived()
            return message

        try:
            await self.app(scope, watched, send)
        finally:
            arrived()

    def _have_room(self, size: int) -> bool:
        folders = {*self._folders, Path(tempfile.gettempdir())}
        try:
            return all(shutil.disk_usage(folder).free >= size + RESERVE_BYTES for folder in folders)
        except OSError:
            return True  # whoever writes there will say what is wrong with it


_AGAIN = {"Retry-After": "5", "Connection": "close"}
