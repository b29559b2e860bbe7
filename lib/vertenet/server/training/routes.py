"""Versions of the model over HTTP: ``GET /models/versions``, ``POST /models/rollback`` and ``POST /models/publish``."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Query
from monailabel.interfaces.utils.app import app_instance
from starlette.exceptions import HTTPException

from vertenet.errors import ModelError, OptionError

from .. import audit
from ..identity import current_caller
from .versions import ModelVersions

router = APIRouter(prefix="/models", tags=["Model versions"])


@router.get("/versions", summary="Versions of the served model, with what the gate said of each")
def versions() -> list[dict[str, Any]]:
    return _versions().list()


@router.post("/rollback", summary="Serve another version from now on")
def rollback(version: str = Query(description="Such as v0001; v0000 is the starter")) -> dict[str, Any]:
    try:
        served = _versions().rollback(version)
    except OptionError as error:
        raise HTTPException(_status(version), error.sentence) from error
    except ModelError as error:
        raise HTTPException(503, f"{error.problem}.") from error
    audit.note(model_version=served.name, model_sha256=served.sha256)
    return {"version": served.name, "sha256": served.sha256}


@router.post("/publish", summary="Serve a version that the gate refused, knowingly")
def publish(
    version: str = Query(description="A version in the state refused"),
    reason: str = Query(description="Why the gate is overruled; kept with the version and in the audit log"),
) -> dict[str, Any]:
    caller = current_caller.get()
    audit.note(model_version=version, overruled_reason=reason)
    try:
        served = _versions().publish_refused(version, by=caller.name if caller else None, reason=reason)
    except OptionError as error:
        raise HTTPException(_status(version), error.sentence) from error
    except ModelError as error:
        raise HTTPException(503, f"{error.problem}.") from error
    audit.note(model_sha256=served.sha256)
    return {"version": served.name, "sha256": served.sha256, "state": _versions().state(served.name)}


def _status(version: str) -> int:
    """Of a refusal: the version is unknown, or its state forbids what was asked for."""
    return 409 if version in _versions().names() else 404


def _versions() -> ModelVersions:
    found = getattr(app_instance(), "versions", None)
    if found is None:
        raise HTTPException(404, "This app keeps no versions of its model.")
    return found
