"""Whether the server lives, and whether it can be of use; and its numbers for Prometheus."""

from __future__ import annotations

import logging

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from monailabel.interfaces.utils.app import app_instance
from prometheus_client import CONTENT_TYPE_LATEST

logger = logging.getLogger(__name__)
router = APIRouter(tags=["Health"])


@router.get("/health/live", summary="Whether the process answers")
async def live() -> dict[str, str]:
    return {"status": "live"}


@router.get("/health/ready", summary="Whether it can be of use", responses={503: {"description": "Not ready"}})
def ready(request: Request) -> JSONResponse:
    """200, or 503 with the checks that failed: the store answers, there is a model, the audit log can be written."""
    checks = {
        "store": _holds(lambda: app_instance().datastore().status() is not None),
        "model": _holds(lambda: bool(app_instance().info()["models"])),
        "audit": _holds(request.app.state.audit.writable),
    }
    good = all(checks.values())
    return JSONResponse({"status": "ready" if good else "not ready", "checks": checks}, 200 if good else 503)


@router.get("/metrics", summary="Numbers for Prometheus", response_class=Response)
def metrics(request: Request) -> Response:
    return Response(request.app.state.metrics.text(), media_type=CONTENT_TYPE_LATEST)


def _holds(check) -> bool:
    try:
        return check()
    except Exception:  # whatever the store or the model raises means the same to a probe
        logger.exception("A readiness check failed")
        return False
