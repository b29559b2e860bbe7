"""Versions of the model over HTTP: ``GET /models/versions`` and ``POST /models/rollback``."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Query
from monailabel.interfaces.utils.app import app_instance
from starlette.exceptions import HTTPException

from vertenet.errors import ModelError, OptionError

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
        raise HTTPException(404, error.sentence) from error
    except ModelError as error:
        raise HTTPException(503, f"{error.problem}.") from error
    return {"version": served.name, "sha256": served.sha256}


def _versions() -> ModelVersions:
    found = getattr(app_instance(), "versions", None)
    if found is None:
        raise HTTPException(404, "This app keeps no versions of its model.")
    return found
