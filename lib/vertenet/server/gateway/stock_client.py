"""What MONAI Label's own client gets wrong once it carries a token, put right.

Its header dictionary then outlives each request. An upload by ``create_session`` goes out with the ``Content-Type`` of
the request before, whose multipart boundary, or whose very type, is not the body's. The body's first line says which
boundary is meant.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .roles import template

_LONGEST = 70  # RFC 2046, section 5.1.1


class StockClient:
    """ASGI middleware for ``PUT /session/``."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or template(scope["method"], scope["path"]) != "PUT /session/":
            await self.app(scope, receive, send)
            return
        first: Message | None = await receive()
        line = first.get("body", b"")[: _LONGEST + 4].split(b"\r\n", 1)
        if len(line) == 2 and line[0].startswith(b"--") and line[0][2:].isalnum():
            MutableHeaders(scope=scope)["content-type"] = f"multipart/form-data; boundary={line[0][2:].decode('ascii')}"

        async def replay() -> Message:
            nonlocal first
            message, first = first, None
            return message if message is not None else await receive()

        await self.app(scope, replay, send)
