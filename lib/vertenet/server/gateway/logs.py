"""``GET /logs/``: the last lines of the server's log, for admins."""

from __future__ import annotations

from collections import deque
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import PlainTextResponse
from starlette.exceptions import HTTPException

router = APIRouter(prefix="/logs", tags=["Others"])


@router.get("/", summary="The last lines of the log", response_class=PlainTextResponse)
def logs(request: Request, lines: Annotated[int, Query(ge=1, le=10_000)] = 300) -> str:
    path = request.app.state.log
    if not path.is_file():
        raise HTTPException(404, "The server has written no log yet.")
    with path.open(encoding="utf-8", errors="replace") as file:
        return "".join(deque(file, lines))
