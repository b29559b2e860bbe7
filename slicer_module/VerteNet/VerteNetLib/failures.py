"""Why a server did not do what was asked, in words for the person who asked."""

from __future__ import annotations

from enum import Enum
from typing import Optional

from vertenet.errors import VerteNetError


class FailureKind(str, Enum):
    """What a user can do about it differs by kind."""

    REFUSED = "refused"  # nobody listens at that address
    TIMEOUT = "timeout"
    TLS = "tls"
    UNAUTHORIZED = "unauthorized"  # 401
    FORBIDDEN = "forbidden"  # 403
    NOT_FOUND = "not found"  # 404
    CONFLICT = "conflict"  # 409
    MISDIRECTED = "misdirected"  # 421: another store than the one that was meant answers at this address
    TOO_LARGE = "too large"  # 413
    REJECTED = "rejected"  # 400, 422: the server says why
    BUSY = "busy"  # 429, 503
    SERVER_FAULT = "server fault"  # other 5xx
    MALFORMED = "malformed"  # an answer that cannot be read
    WRONG_APP = "wrong app"  # a MONAI Label server of something else
    OLD_VERSION = "old version"
    WRONG_IMAGE = "wrong image"  # the answer is of another image

    __str__ = str.__str__


class ServerError(VerteNetError):
    """A request failed. ``retry_after_s`` where the server said when to ask again."""

    def __init__(
        self,
        kind: FailureKind,
        problem: str,
        *,
        subject: Optional[str] = None,
        remedy: Optional[str] = None,
        retry_after_s: Optional[float] = None,
    ) -> None:
        super().__init__(problem, subject=subject, remedy=remedy)
        self.kind = kind
        self.retry_after_s = retry_after_s
