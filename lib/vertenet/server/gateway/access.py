"""Authentication and roles: every request passes here before any route sees it."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from vertenet.errors import OptionError

from .. import tokens
from ..identity import Caller, current_caller
from ..problems import problem
from .attempts import FailedAttempts
from .roles import role_of

logger = logging.getLogger(__name__)

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="VerteNet"'}


class Doorkeeper:
    """Knows the tokens of a file, and notices at once when the file changes.

    Parameters
    ----------
    path : path
        See `vertenet.server.tokens`.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._attempts = FailedAttempts()
        self._seen: tuple[int, int, int] | None = None
        self._tokens: tuple[tokens.Token, ...] = ()

    def admit(self, address: str, secret: str) -> Caller:
        """The holder of the token ``secret``.

        Raises
        ------
        HTTPException
            401 for a token that is not valid, 429 where it came too often from ``address``, 503 while the file of
            tokens cannot be read: then nobody is admitted.
        """
        token_sha256 = tokens.digest(secret)
        wait_s = self._attempts.wait_s(address, token_sha256)
        if wait_s:
            raise HTTPException(
                429,
                f"This token is not valid and came too often. Try again in {wait_s} seconds.",
                {"Retry-After": str(wait_s)},
            )
        token = tokens.find(self._current(), secret)
        if token is None:
            self._attempts.failed(address, token_sha256)
            raise HTTPException(401, "This token is not valid: it is unknown, revoked or expired.", CHALLENGE)
        return Caller(token.name, token.role)

    def _current(self) -> tuple[tokens.Token, ...]:
        try:
            status = os.stat(self._path)
            signature = (status.st_mtime_ns, status.st_size, status.st_ino)
            if signature != self._seen:
                self._tokens, self._seen = tokens.load(self._path), signature
        except (OSError, OptionError) as error:
            self._seen = None
            logger.error("The file of tokens cannot be used: %s", error)
            raise HTTPException(
                503, "The server cannot read its file of tokens. Its administrator has to see to it."
            ) from error
        return self._tokens


class Access:
    """ASGI middleware: 401 without a valid token, 403 where its role does not suffice; sets `current_caller`.

    Parameters
    ----------
    doorkeeper : Doorkeeper or None
        None: nobody is asked.
    """

    def __init__(self, app: ASGIApp, doorkeeper: Doorkeeper | None) -> None:
        self.app, self._doorkeeper = app, doorkeeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = None
        if scope["type"] == "http" and self._doorkeeper is not None:
            try:
                caller = self._check(scope)
            except HTTPException as refusal:
                response = problem(refusal.status_code, refusal.detail, refusal.headers)
                await response(scope, receive, send)
                return
        scope["caller"] = caller
        reset = current_caller.set(caller)
        try:
            await self.app(scope, receive, send)
        finally:
            current_caller.reset(reset)

    def _check(self, scope: Scope) -> Caller | None:
        role = role_of(scope["method"], scope["path"])
        if role is None:
            return None
        scheme, _, secret = Headers(scope=scope).get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            raise HTTPException(
                401, "A token is needed here. Send it as the header Authorization: Bearer TOKEN.", CHALLENGE
            )
        caller = self._doorkeeper.admit(address_of(scope), secret.strip())
        scope["caller"] = caller  # the audit names those who were refused, too
        if not caller.may(role):
            raise HTTPException(403, f"This needs the role {role}, but {caller.name} has the role {caller.role}.")
        return caller


def identity_of(scope: Scope) -> str:
    """Who shares turns and quotas: the token's holder, or where no tokens are in use the address."""
    caller = scope.get("caller")
    return f"token {caller.name}" if caller else f"address {address_of(scope)}"


def address_of(scope: Scope) -> str:
    """Address of the peer, or of the client that a trusted proxy names."""
    return (scope.get("client") or ("unknown", 0))[0]
