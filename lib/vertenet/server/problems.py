"""Errors over HTTP: a status, and the sentence for a person, as ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

import json
import logging
import sqlite3
from http import HTTPStatus
from pathlib import PurePath

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from monailabel.interfaces.exception import (
    ImageNotFoundException,
    LabelNotFoundException,
    MONAILabelError,
    MONAILabelException,
)
from starlette.exceptions import HTTPException

from vertenet.errors import ModelError, OptionError, VerteNetError

from .state import StoreError, trouble

logger = logging.getLogger(__name__)

_SENTENCES = {
    400: "The request {method} {path} could not be understood.",
    404: "There is nothing at {path}. GET /openapi.json lists what there is.",
    405: "{path} does not take {method}. GET /openapi.json lists what it takes.",
}

FAULT = "The server failed on this request; its log has the details."


def http_error(error: VerteNetError) -> HTTPException:
    """The HTTP form of an error of the core.

    400 for an option of the request, 503 for a model that cannot be used, 422 for everything that is wrong with the
    image. The sentence names files without their folders: the server's disk is no business of a client's.
    """
    status = {OptionError: 400, ModelError: 503, StoreError: 503}.get(type(error), 422)
    if status == 503:
        logger.error("%s", error)
    subject = None if error.subject is None else PurePath(error.subject).name
    sentence = type(error)(error.problem, subject=subject, remedy=error.remedy).sentence
    return HTTPException(status_code=status, detail=sentence)


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Make every error of ``app`` a problem with a sentence; a traceback goes to the log, never to a client."""
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(VerteNetError, _of_vertenet)
    app.add_exception_handler(MONAILabelException, _of_monailabel)
    app.add_exception_handler(json.JSONDecodeError, _of_json)
    app.add_exception_handler(sqlite3.Error, _of_disk)
    app.add_exception_handler(OSError, _of_disk)
    app.add_exception_handler(Exception, _of_fault)


async def _of_http(request: Request, error: HTTPException) -> JSONResponse:
    detail = str(error.detail)
    if detail == HTTPStatus(error.status_code).phrase:  # the framework's own words are no sentence
        path = request.url.path[:120]
        detail = _SENTENCES.get(error.status_code, "{method} {path} was refused.").format(
            method=request.method, path=path
        )
    elif not detail.endswith((".", "!", "?")):
        detail = f"{detail}."
    return problem(error.status_code, detail, error.headers)


async def _of_validation(request: Request, error: RequestValidationError) -> JSONResponse:
    faults = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()]
    return problem(422, f"The request is not valid: {'; '.join(faults)}.")


async def _of_vertenet(request: Request, error: VerteNetError) -> JSONResponse:
    return await _of_http(request, http_error(error))


async def _of_monailabel(request: Request, error: MONAILabelException) -> JSONResponse:
    if isinstance(error, (ImageNotFoundException, LabelNotFoundException)):
        return problem(404, f"{error.msg}.")
    # An unknown strategy or scoring method is reported by MONAI Label as an error of initialisation.
    if error.error in (MONAILabelError.INVALID_INPUT, MONAILabelError.APP_INIT_ERROR):
        return problem(404, f"{error.msg.rstrip('.')}.")
    logger.error("%s %s failed: %s", request.method, request.url.path, error.msg, exc_info=error)
    return problem(500, FAULT)


async def _of_json(request: Request, error: json.JSONDecodeError) -> JSONResponse:
    return problem(400, f"A form field should hold JSON but does not: {error}.")


async def _of_disk(request: Request, error: sqlite3.Error | OSError) -> JSONResponse:
    if isinstance(error, FileNotFoundError):  # removed by somebody while it was being read
        return problem(404, "A file that this needs is no longer there.")
    meant = trouble(error)
    if meant is None:
        logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return problem(500, FAULT)
    logger.error("%s %s: %s (%s)", request.method, request.url.path, meant, error)
    return problem(507 if "full" in meant.problem else 503, f"{meant.sentence[0].upper()}{meant.sentence[1:]}")


async def _of_fault(request: Request, error: Exception) -> JSONResponse:
    # Starlette raises it again after this answer, and uvicorn writes the traceback to the log.
    return problem(500, FAULT)
