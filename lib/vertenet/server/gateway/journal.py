"""The outermost layer: every answer is counted and, where it matters, written to the audit log."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .. import audit
from .access import address_of
from .metrics import Metrics
from .roles import template

logger = logging.getLogger(__name__)

#: Asked every few seconds by clients and probes, and telling nothing of a patient; written only when refused.
POLLED = frozenset(
    {"GET /", "GET /openapi.json", "GET /metrics", "GET /health/live", "GET /health/ready", "GET /auth/", "GET /info/"}
    | {"GET /auth/token/valid", "GET /train/", "GET /scoring/", "GET /batch/infer", "unknown"}
)


class _Allowance:
    """Lines that strangers may cause: nobody without a token shall fill the disk."""

    LINES, WINDOW_S = 120, 60.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._since, self._spent = clock, clock(), 0

    def spend(self) -> int | None:
        """How many lines were left out before this one; None where this one is left out as well."""
        left_out = 0
        if self._clock() - self._since > self.WINDOW_S:
            left_out = max(0, self._spent - self.LINES)
            self._since, self._spent = self._clock(), 0
        self._spent += 1
        return left_out if self._spent <= self.LINES else None


class Journal:
    """ASGI middleware: metrics, audit, an id for each request, and headers that no answer should lack.

    Parameters
    ----------
    log : AuditLog
    metrics : Metrics
    """

    def __init__(self, app: ASGIApp, log: audit.AuditLog, metrics: Metrics) -> None:
        self.app, self._log, self._metrics = app, log, metrics
        self._strangers = _Allowance()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        details, request_id = audit.begin(), uuid.uuid4().hex
        started, status = time.perf_counter(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                headers["X-Content-Type-Options"] = "nosniff"
                # Answers hold patient data: neither browsers nor proxies shall keep them.
                headers["Cache-Control"] = "no-store"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            self._finish(scope, status, time.perf_counter() - started, request_id, details)

    def _finish(self, scope: Scope, status: int, seconds: float, request_id: str, details: dict) -> None:
        route = template(scope["method"], scope["path"])
        self._metrics.requests.labels(route, status).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        if status in (401, 403):
            self._metrics.refused.inc()
        if route in POLLED and status not in (401, 403, 429):
            return
        caller = scope.get("caller")
        if caller is None and status in (401, 403, 421, 429):
            left_out = self._strangers.spend()
            if left_out is None:
                return
            details = {**details, **({"left_out": left_out} if left_out else {})}
        try:
            self._log.write(
                request=request_id,
                who=caller.name if caller else None,
                role=caller.role if caller else None,
                address=address_of(scope),
                route=route,
                status=status,
                milliseconds=round(seconds * 1000),
                **details,
            )
        except OSError as error:
            logger.error("The audit log cannot be written: %s", error)
