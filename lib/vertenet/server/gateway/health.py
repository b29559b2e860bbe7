"""Whether the server lives, and whether it can be of use; and its numbers for Prometheus."""

from __future__ import annotations

import logging
import shutil
import threading
import time

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from monailabel.interfaces.utils.app import app_instance
from prometheus_client import CONTENT_TYPE_LATEST

from ..store import RadiographStore

logger = logging.getLogger(__name__)
router = APIRouter(tags=["Health"])

#: Where less is free on the disk of the server's state, the next labels may not find room.
LEAST_FREE_BYTES = 64 << 20
#: Everybody may ask, so an answer counts for a moment; and reading the whole database takes a while.
FRESH_S, THOROUGH_S = 2.0, 120.0


@router.get("/health/live", summary="Whether the process answers")
async def live() -> dict[str, str]:
    return {"status": "live"}


@router.get("/health/ready", summary="Whether it can be of use", responses={503: {"description": "Not ready"}})
def ready(request: Request) -> JSONResponse:
    """200, or 503 with the checks that failed: images can be read and labels be kept, the disk has room for them, there
    is a model, the audit log can be written."""
    checks = request.app.state.readiness.checks(request.app.state.audit)
    good = all(checks.values())
    return JSONResponse({"status": "ready" if good else "not ready", "checks": checks}, 200 if good else 503)


@router.get("/metrics", summary="Numbers for Prometheus", response_class=Response)
def metrics(request: Request) -> Response:
    return Response(request.app.state.metrics.text(), media_type=CONTENT_TYPE_LATEST)


class Readiness:
    """The checks of `ready`, made by one thread at a time and kept for `FRESH_S`."""

    def __init__(self) -> None:
        self._checking = threading.Lock()
        self._checked: tuple[float, dict[str, bool]] | None = None
        self._thorough = time.monotonic()  # the store looks at all of it when it is opened

    def checks(self, audit) -> dict[str, bool]:
        with self._checking:
            if self._checked is None or time.monotonic() - self._checked[0] > FRESH_S:
                found = {
                    "store": _holds(self._store),
                    "disk": _holds(lambda: shutil.disk_usage(audit.path.parent).free >= LEAST_FREE_BYTES),
                    "model": _holds(lambda: bool(app_instance().info()["models"])),
                    "audit": _holds(audit.writable),
                }
                self._checked = time.monotonic(), found
            return self._checked[1]

    def _store(self) -> bool:
        store = app_instance().datastore()
        if not isinstance(store, RadiographStore):
            return store.status() is not None
        thorough = time.monotonic() - self._thorough > THOROUGH_S
        store.check(thorough=thorough)
        if thorough:
            self._thorough = time.monotonic()
        return True


def _holds(check) -> bool:
    try:
        return check()
    except Exception:  # whatever the store or the model raises means the same to a probe
        logger.exception("A readiness check failed")
        return False
