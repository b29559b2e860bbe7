"""Endpoints of the store: MONAI Label's two uploads anew, off the event loop, and what MONAI Label has no endpoint for.

Of the name of an uploaded file MONAI Label keeps all that follows the first dot (``1.2.840.dcm`` becomes the image
``1``); here an upload keeps its name. To be included before MONAI Label's own router of the same prefix.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path, PurePath
from typing import Annotated, Any, Optional

from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi.responses import FileResponse, Response
from monailabel.interfaces.utils.app import app_instance
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException

from vertenet.reading import RESEARCH_USE

from ..plain import json_object
from .datastore import RadiographStore
from .enclosures import SubmissionConflictError
from .names import FINAL, check_tag

router = APIRouter(prefix="/datastore", tags=["Datastore"])

#: A dataset is a copy of every labelled image: one is packed at a time.
_packing = threading.Lock()

ImageId = Annotated[str, Query(description="Id of an image, see GET /datastore/?output=all")]
Parameters = Annotated[str, Form(description="A JSON object; client_id names the annotator where no token does")]


# FastAPI runs these functions in worker threads, because they are no coroutines.
@router.put("/image", summary="Upload an image")
@router.put("/", include_in_schema=False)
def put_image(file: Annotated[UploadFile, File()], image: Optional[str] = None, params: Parameters = "{}"):
    """Keep an image under the id ``image``, by default its file's name without the ending."""
    with _saved(file) as path:
        store, info = app_instance().datastore(), json_object(params, "params")
        if isinstance(store, RadiographStore):
            return {"image": store.add_image_file(image, path, path.name, info)}
        return {"image": store.add_image(image, str(path), info)}


@router.put("/label", summary="Submit a landmark label")
def put_label(image: ImageId, label: Annotated[UploadFile, File()], tag: str = FINAL, params: Parameters = "{}"):
    """Keep a Markups file (``.mrk.json``) as a new revision of the image's label; once answered, it is on the disk.

    In params: ``submission``, an id (UUID) of the client's; sent again under it, the label is not kept again and the
    answer says ``repeated``. ``reading``, a reading of the label's landmarks, kept with the revision. ``image_sha256``,
    that of the image file which the annotator saw: 409 where it is another one than this store's.
    """
    app = app_instance()
    store, info, answer = app.datastore(), json_object(params, "params"), {"image": image, "label": image}
    if isinstance(store, RadiographStore):
        try:
            kept = store.keep(image, label.file.read(), tag or FINAL, info)
        except SubmissionConflictError as error:
            raise HTTPException(409, error.sentence) from error
        answer.update(revision=kept.revision.number, repeated=kept.repeated)
    else:
        with _saved(label) as path:
            answer["label"] = store.save_label(image, str(path), check_tag(tag or FINAL), info)
    return {**(app.on_save_label(image, answer["label"]) or {}), **answer}


@router.get("/label/history", summary="Every revision of an image's labels")
def history(image: ImageId) -> dict[str, Any]:
    revisions = _store().revisions(image)
    if not revisions and image not in _store().list_images():
        raise _no_image(image)
    measured = _store().revisions_with_reading(image)
    return {
        "image": image,
        "revisions": [
            {**asdict(r), "has_reading": r.number in measured, "image_changed": _store().is_outdated(r)}
            for r in revisions
        ],
    }


@router.get("/label/revision", summary="The label file of one revision")
def revision(image: ImageId, number: Annotated[int, Query(ge=1, le=2**31)]) -> Response:
    content = _store().content_of(image, number)
    if content is None:
        raise HTTPException(404, f"The image {image!r} has no label file of revision {number}.")
    return Response(content, media_type="application/json")


@router.get("/label/reading", summary="The reading that came with one revision")
def reading(image: ImageId, number: Annotated[int, Query(ge=1, le=2**31)]) -> Response:
    content = _store().reading_of(image, number)
    if content is None:
        raise HTTPException(404, f"The image {image!r} has no reading of revision {number}.")
    return Response(content, media_type="application/json")


@router.get("/agreement", summary="How far an image's annotators lie apart")
def agreement(image: ImageId) -> dict[str, Any]:
    """Pairs of annotators with distances of their points in pixels, and in mm where the pixel spacing is known."""
    pairs = [asdict(pair) for pair in _store().agreement(image)]
    return {"image": image, "pairs": pairs, "notice": RESEARCH_USE}


@router.post("/consensus", summary="One label out of several annotators'")
def make_consensus(image: ImageId) -> dict[str, Any]:
    made, undecided = _store().make_consensus(image)
    app_instance().on_save_label(image, image)
    return {"image": image, "tag": made.tag, "revision": made.number, "undecided": undecided, "notice": RESEARCH_USE}


@router.put("/labels", summary="Import a landmark file of another program")
def import_labels(file: Annotated[UploadFile, File()], tag: str = FINAL, params: Parameters = "{}") -> dict[str, Any]:
    """MakeSense or the authors' CSV, COCO keypoints, the authors' .mat, Markups; labels find their images by name."""
    with _saved(file) as path:
        return asdict(_store().import_labels(path, tag=tag, info=json_object(params, "params")))


@router.get("/dataset", summary="The labelled images as a zip that vertenet train --data reads")
def dataset(limit_cases: Annotated[Optional[int], Query(ge=1)] = None) -> FileResponse:
    if not _packing.acquire(blocking=False):
        raise HTTPException(429, "A dataset is being packed already. Try again in 30 seconds.", {"Retry-After": "30"})
    try:
        path = app_instance().datastore().get_dataset_archive(limit_cases)
    finally:
        _packing.release()
    remove = BackgroundTask(Path(path).unlink, missing_ok=True)
    return FileResponse(path, media_type="application/zip", filename="dataset.zip", background=remove)


def _store() -> RadiographStore:
    store = app_instance().datastore()
    if not isinstance(store, RadiographStore):
        raise HTTPException(404, "This server's images lie in a remote store, which keeps no history.")
    return store


def _no_image(image: str) -> HTTPException:
    return HTTPException(404, f"There is no image {image!r} here. GET /datastore/?output=all lists what there is.")


@contextmanager
def _saved(upload: UploadFile) -> Iterator[Path]:
    """The upload as a temporary file of its own name: the last part of it, without control characters."""
    name = PurePath((upload.filename or "").replace("\\", "/")).name
    plain = re.sub(r"[\x00-\x1f\x7f/]", "_", name)[-120:] or "upload"
    with tempfile.TemporaryDirectory(prefix="vertenet-upload-") as folder:
        path = Path(folder, plain)
        with path.open("wb") as target:
            shutil.copyfileobj(upload.file, target)
        yield path
