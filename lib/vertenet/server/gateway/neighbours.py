"""Web pages of others: they may reach a server that listens on loopback only, through the browser of its user.

Two ways in are closed here. A page of another origin sends requests whose answers it cannot read but whose effects
remain (cross-site request forgery): refused by ``Origin``, and where a browser sends none (a picture, a link, which
could have a dataset packed again and again) by ``Sec-Fetch-Site``. A page makes its own name point to 127.0.0.1 (DNS
rebinding) and then is of the same origin: refused by ``Host``.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from ..problems import problem


class Neighbours:
    """ASGI middleware: 403 for other origins than the server's own and ``origins``; 421 for foreign host names.

    Parameters
    ----------
    origins : collection of str
    loopback_only : bool
        Whether the host must be a name of this computer. Off with tokens: proxies and clinics have names of their own,
        and a rebinding page knows no token.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str], *, loopback_only: bool) -> None:
        self.app, self._origins, self._loopback_only = app, frozenset(origins), loopback_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if self._loopback_only and not _is_loopback(host):
            refusal = problem(421, f"This server answers to 127.0.0.1 and localhost only, not to {host[:80]!r}.")
        elif origin is not None and origin not in self._origins and urlsplit(origin).netloc != host:
            refusal = problem(403, f"Pages of {origin[:80]!r} may not ask this server; --allow-origin would let them.")
        elif origin is None and headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            refusal = problem(403, "Pages of other sites may not ask this server; --allow-origin would let them.")
        else:
            await self.app(scope, receive, send)
            return
        await refusal(scope, receive, send)


def _is_loopback(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
