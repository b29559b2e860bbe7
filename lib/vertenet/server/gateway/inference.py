"""``POST /infer/{model}`` off the event loop.

MONAI Label runs inference inside a coroutine, so that one slow image holds up every other request. Here a bounded
number of threads does it, after the request has been checked; the answer has MONAI Label's forms.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import uuid
from functools import partial
from pathlib import Path, PurePath
from typing import Annotated, Any, Optional

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi.background import BackgroundTasks
from monailabel.endpoints.infer import ResultType, send_response
from monailabel.interfaces.app import MONAILabelApp
from monailabel.interfaces.utils.app import app_instance
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from ..audit import note
from ..identity import annotator_of, current_caller
from ..plain import json_object
from ..store import ORIGINAL
from .access import identity_of
from .requests import INFERENCE_KEYS, check_parameters, truth

router = APIRouter(prefix="/infer", tags=["Infer"])


@router.post("/{model}", summary="Landmarks, guides and crop of one image")
async def infer(
    request: Request,
    background: BackgroundTasks,
    model: str,
    image: Annotated[str, Query(description="Id of an image in the store")] = "",
    session_id: str = "",
    output: Optional[ResultType] = None,
    params: Annotated[str, Form(description="A JSON object")] = "{}",
    file: Annotated[Optional[UploadFile], File()] = None,
):
    """As MONAI Label's endpoint of the same name: ``image`` (an id), ``session_id`` or ``file`` names the image."""
    if output is ResultType.dicom_seg:
        raise HTTPException(400, "This server gives landmarks, not segmentations. Ask for image, json or all.")
    parameters = json_object(params, "params")
    app = app_instance()
    await run_in_threadpool(check_source, app, model, image, session_id, has_file=file is not None)
    config = app.info()["models"][model].get("config") or {}
    parameters = check_parameters(parameters, INFERENCE_KEYS | set(config))
    parameters["client_id"] = annotator_of(parameters)
    parameters["save_label"] = truth(parameters.get("save_label"))
    if parameters["save_label"] and parameters.get("label_tag") not in (None, "", ORIGINAL):
        raise HTTPException(400, f"What a model found is kept as {ORIGINAL}. Submit it once somebody has seen it.")
    caller = current_caller.get()
    if parameters["save_label"] and caller is not None and not caller.may("annotator"):
        raise HTTPException(
            403, f"To save labels needs the role annotator, but {caller.name} has the role {caller.role}."
        )
    note(model=model, image=image or ("upload" if file else "session"))
    work = partial(_run, background, app, model, image, session_id, parameters, file, output)
    try:
        return await request.app.state.queue.run(identity_of(request.scope), work)
    except Exception:
        # FastAPI runs these after an answer only, and temporary files would stay.
        await background()
        raise


def check_source(app: MONAILabelApp, model: str, image: str, session_id: str, *, has_file: bool) -> None:
    """Whether the model and the image exist; an image is named by its id, never by a path.

    Raises
    ------
    HTTPException
        404 for what does not exist, 400 where no image is named.
    """
    models = sorted(app.info()["models"])
    if model not in models:
        raise HTTPException(404, f"There is no model {model[:80]!r} here. Models: {', '.join(models) or 'none'}.")
    if has_file:
        return
    if session_id:
        if not is_session(session_id) or app.sessions() is None or app.sessions().get_session(session_id) is None:
            raise HTTPException(
                404, f"There is no session {session_id[:80]!r}. It may have expired: send the image again."
            )
    elif not image:
        raise HTTPException(400, "No image is named. Give image=ID, session_id=ID or upload a file.")
    elif image not in app.datastore().list_images():
        raise HTTPException(
            404, f"There is no image {image[:80]!r} here. GET /datastore/?output=all lists what there is."
        )


def is_session(session_id: str) -> bool:
    """Whether this is the form of a session's id; MONAI Label joins it to a path as it comes."""
    try:
        return str(uuid.UUID(session_id)) == session_id
    except ValueError:
        return False


def _run(
    background: BackgroundTasks,
    app: MONAILabelApp,
    model: str,
    image: str,
    session_id: str,
    parameters: dict[str, Any],
    file: UploadFile | None,
    output: ResultType | None,
) -> Any:
    with tempfile.TemporaryDirectory(prefix="vertenet-upload-") as folder:
        request = {**parameters, "model": model, "image": image}
        if file is not None:
            # An upload keeps its name, so that messages and results speak of the user's file.
            request["image"] = str(Path(folder, plain_name(file.filename)))
            with open(request["image"], "wb") as target:
                shutil.copyfileobj(file.file, target)
        elif session_id:
            session = app.sessions().get_session(session_id)
            if session is None:
                raise HTTPException(404, "The session has expired. Send the image again.")
            request.update(image=session.image, session=session.to_json())
        result = app.infer(request)
    identity = (result.get("params") or {}).get("model")
    if isinstance(identity, dict):
        note(model_sha256=identity.get("sha256"), model_version=identity.get("version"))
    return send_response(app.datastore(), result, output, background)


def plain_name(name: str | None) -> str:
    """The last part of an upload's name, without control characters, short enough for any file system."""
    plain = re.sub(r"[\x00-\x1f\x7f/\\]", "_", PurePath((name or "").replace("\\", "/")).name)
    while len(plain.encode("utf-8", "replace")) > 200:
        plain = plain[1:]
    return "upload" if plain in ("", ".", "..") else plain
