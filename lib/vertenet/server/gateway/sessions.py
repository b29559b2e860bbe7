"""Images that a client sends once and asks about several times, kept outside of the store until they expire.

MONAI Label's endpoints unpack archives anywhere on the disk and join a session's id to a path as it comes; here a
session is one file, and its id a UUID.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from pathlib import Path
from typing import Annotated, Union

from fastapi import APIRouter, File, Query, Request, UploadFile
from fastapi.responses import FileResponse
from monailabel.interfaces.utils.app import app_instance
from monailabel.utils.sessions import SessionInfo, Sessions
from starlette.exceptions import HTTPException

from vertenet.imaging.sniff import kind_of

from .access import identity_of
from .inference import is_session, plain_name

router = APIRouter(prefix="/session", tags=["Session"])

#: Images that one client may have in sessions at once.
MOST_HELD = 8
_held: dict[str, list[str]] = {}
_counting = threading.Lock()


@router.put("/", summary="Send an image")
def create(
    request: Request,
    files: Annotated[list[UploadFile], File()],
    uncompress: bool = False,
    expiry: Annotated[int, Query(ge=0, le=86400, description="Seconds; 0: as long as the server allows")] = 0,
) -> dict:
    if uncompress:
        raise HTTPException(400, "This server unpacks no archives. Send the image file itself.")
    if len(files) != 1:
        raise HTTPException(400, "A session is one image. Send one file.")
    with _counting, tempfile.TemporaryDirectory(prefix="vertenet-upload-") as folder:
        who, sessions = identity_of(request.scope), _sessions()
        held = [one for one in _held.get(who, ()) if sessions.get_session(one, update_ts=False) is not None]
        if len(held) >= MOST_HELD:
            raise HTTPException(
                429,
                f"You have {len(held)} images in sessions. Delete one, or wait until one expires.",
                {"Retry-After": "60"},
            )
        # MONAI Label keeps its own notes beside the image under this name.
        name = plain_name(files[0].filename)
        path = Path(folder, f"image-{name}" if name == "meta.info" else name)
        with path.open("wb") as target:
            shutil.copyfileobj(files[0].file, target)
        kind_of(path)  # what is no image would lie here until it expires, and be of no use
        session_id, session = sessions.add_session(str(path), expiry)
        _held[who] = [*held, session_id]
    return {"session_id": session_id, "session_info": _shown(session)}


@router.get("/{session_id}", summary="A session, or its image", response_model=None)
def get(session_id: str, update_ts: bool = False, image: bool = False) -> Union[dict, FileResponse]:
    session = _session(session_id, update_ts)
    if image:
        return FileResponse(session.image, filename=Path(session.image).name)
    return _shown(session)


@router.delete("/{session_id}", summary="Forget a session")
def delete(session_id: str) -> dict:
    session = _session(session_id)
    _sessions().remove_session(session_id)
    return _shown(session)


def _sessions() -> Sessions:
    sessions = app_instance().sessions()
    if sessions is None:
        raise HTTPException(404, "This server keeps no sessions.")
    return sessions


def _session(session_id: str, update_ts: bool = False) -> SessionInfo:
    session = _sessions().get_session(session_id, update_ts=update_ts) if is_session(session_id) else None
    if session is None:
        raise HTTPException(404, f"There is no session {session_id[:80]!r}. It may have expired: send the image again.")
    return session


def _shown(session: SessionInfo) -> dict:
    """Without the folders of the server."""
    return {**session.to_json(), "path": "", "image": Path(session.image).name}
