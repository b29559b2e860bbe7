"""How MONAI Label's clients log in: a name and a password, where the password is the token."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.exceptions import HTTPException

from .access import CHALLENGE, address_of

router = APIRouter(prefix="/auth", tags=["Auth"])


@router.get("/", summary="Whether a token is needed")
def enabled(request: Request) -> dict:
    """In MONAI Label's form; ``client_id`` and ``realm`` belong to single sign-on, which is not used."""
    return {"enabled": request.app.state.doorkeeper is not None, "client_id": None, "realm": None}


@router.post("/token", summary="A token for a name and its token")
def token(request: Request, username: Annotated[str, Form()], password: Annotated[str, Form()]) -> dict:
    """RFC 6749, section 4.3, as far as clients rely on it. 401 unless ``password`` is the token of ``username``."""
    doorkeeper = request.app.state.doorkeeper
    if doorkeeper is None:
        return {"access_token": None, "token_type": None}
    if doorkeeper.admit(address_of(request.scope), password).name != username:
        raise HTTPException(401, "This token was issued under another name.", CHALLENGE)
    return {"access_token": password, "token_type": "bearer"}


@router.get("/token/valid", summary="Whose token this is")
def valid(request: Request) -> dict:
    caller = request.scope["caller"]
    return {"username": caller.name if caller else None, "roles": [caller.role] if caller else []}
