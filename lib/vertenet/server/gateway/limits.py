"""How large a request may be."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..problems import problem
from .roles import template

#: Routes that take an image; `OTHER_BYTES` is ample for a label of 24 points or the parameters of a task.
UPLOADS = frozenset(
    {"POST /infer/{}", "PUT /datastore/", "PUT /datastore/image", "PUT /datastore/labels", "PUT /session/"}
)
OTHER_BYTES = 1 << 20


class BodyLimit:
    """ASGI middleware: 413 as soon as a body is announced, or turns out, to be larger than its route may have.

    Parameters
    ----------
    upload_bytes : int
        Limit of `UPLOADS`.
    """

    def __init__(self, app: ASGIApp, upload_bytes: int) -> None:
        self.app, self._upload_bytes = app, upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self._upload_bytes if template(scope["method"], scope["path"]) in UPLOADS else OTHER_BYTES
        sentence = (
            f"The request is larger than {limit / (1 << 20):g} MiB, which is the most that this server takes here."
        )
        announced = Headers(scope=scope).get("content-length", "0")
        # MONAI Label's client repeats the length of its last upload on requests that have no body at all.
        has_body = scope["method"] not in ("GET", "HEAD", "DELETE", "OPTIONS")
        if has_body and announced.isdigit() and int(announced) > limit:
            await problem(413, sentence, {"Connection": "close"})(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(413, sentence, {"Connection": "close"})
            return message

        await self.app(scope, counted, send)
