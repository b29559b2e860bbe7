"""``POST /infer/{model}`` off the event loop.

MONAI Label runs inference inside a coroutine, so that one slow image holds up every other request. Here the same code
(`monailabel.endpoints.infer.run_inference`, hence the same answers) runs in a bounded number of threads, after the
request has been checked.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from functools import partial
from pathlib import Path, PurePath
from typing import Annotated, Any, Optional

import anyio
from fastapi import APIRouter, Depends, File, Form, UploadFile
from fastapi.background import BackgroundTasks
from monailabel.config import settings
from monailabel.endpoints.infer import ResultType, run_inference
from monailabel.endpoints.user.auth import RBAC
from monailabel.interfaces.app import MONAILabelApp
from monailabel.interfaces.utils.app import app_instance
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from vertenet.errors import OptionError

#: More at once would only share the same processor cores; further requests wait without holding up anything else.
INFERENCES_AT_ONCE = 2

#: Keys that the address of the request decides; as parameters they would let a client name any file of the server.
RESERVED = frozenset({"model", "image", "session", "label", "description"})

_TAG = re.compile(r"[A-Za-z0-9_-]{1,64}")

router = APIRouter(prefix="/infer", tags=["Infer"])
_slots = anyio.CapacityLimiter(INFERENCES_AT_ONCE)


@router.post(
    "/{model}",
    summary="Landmarks, guides and crop of one image",
    dependencies=[Depends(RBAC(settings.MONAI_LABEL_AUTH_ROLE_USER))],
)
async def infer(
    background: BackgroundTasks,
    model: str,
    image: str = "",
    session_id: str = "",
    output: Optional[ResultType] = None,
    params: Annotated[str, Form()] = "{}",
    file: Annotated[Optional[UploadFile], File()] = None,
    label: Annotated[Optional[UploadFile], File()] = None,
):
    """As MONAI Label's endpoint of the same name: ``image`` (an id), ``session_id`` or ``file`` names the image."""
    parameters = parse_parameters(params)
    if output is ResultType.dicom_seg:
        raise HTTPException(400, "This server gives landmarks, not segmentations. Ask for image, json or all.")
    await run_in_threadpool(check_source, app_instance(), model, image, session_id, has_file=file is not None)
    work = partial(
        _run,
        background,
        model,
        image=image,
        session_id=session_id,
        parameters=parameters,
        file=file,
        label=label,
        output=output,
    )
    try:
        return await anyio.to_thread.run_sync(work, limiter=_slots)
    except Exception:
        # FastAPI runs these after an answer only, and temporary files would stay.
        await background()
        raise


def parse_parameters(text: str) -> dict[str, Any]:
    """The request's parameters, less the reserved ones.

    Raises
    ------
    OptionError
        They are not a JSON object, or name a label tag that is no plain word.
    """
    try:
        parameters = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        raise OptionError(f"the form field params is not JSON ({error})") from error
    if not isinstance(parameters, dict):
        raise OptionError("the form field params is not a JSON object")
    tag = parameters.get("label_tag", "original")
    if not (isinstance(tag, str) and _TAG.fullmatch(tag)):
        raise OptionError(f"the label tag {tag!r} is not a plain word", remedy="Use original or final")
    return {name: value for name, value in parameters.items() if name not in RESERVED}


def check_source(app: MONAILabelApp, model: str, image: str, session_id: str, *, has_file: bool) -> None:
    """Whether the model and the image exist; an image is named by its id, never by a path.

    Raises
    ------
    HTTPException
        404 for what does not exist, 400 where no image is named.
    """
    models = sorted(app.info()["models"])
    if model not in models:
        raise HTTPException(404, f"There is no model {model!r} here. Models: {', '.join(models) or 'none'}.")
    if has_file:
        return
    if session_id:
        if app.sessions() is None or app.sessions().get_session(session_id) is None:
            raise HTTPException(404, f"There is no session {session_id!r}. It may have expired: send the image again.")
    elif not image:
        raise HTTPException(400, "No image is named. Give image=ID, session_id=ID or upload a file.")
    elif image not in app.datastore().list_images():
        raise HTTPException(404, f"There is no image {image!r} here. GET /datastore/?output=all lists what there is.")


def _run(background, model, *, image, session_id, parameters, file, label, output):
    """MONAI Label's own inference. An upload keeps its name, so that messages and results speak of the user's file."""
    with tempfile.TemporaryDirectory(prefix="vertenet-upload-") as folder:
        if file is not None:
            image = str(Path(folder, _plain_name(file.filename)))
            with open(image, "wb") as target:
                shutil.copyfileobj(file.file, target)
        return run_inference(
            background,
            model,
            image=image,
            session_id=session_id,
            params=json.dumps(parameters),
            file=None,
            label=label,
            output=output,
        )


def _plain_name(name: str | None) -> str:
    """The last part of an upload's name, without control characters, short enough for any file system."""
    plain = re.sub(r"[\x00-\x1f/\\]", "_", PurePath((name or "").replace("\\", "/")).name)
    return plain[-120:] or "upload"
