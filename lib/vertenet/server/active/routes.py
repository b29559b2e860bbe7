"""Routes of active learning: MONAI Label's own two off the event loop, and leases and skips, which it does not have."""

from __future__ import annotations

from typing import Annotated, Any, Optional

from fastapi import APIRouter, Body
from monailabel.endpoints.activelearning import sample
from monailabel.endpoints.scoring import run_method
from monailabel.interfaces.utils.app import app_instance
from starlette.exceptions import HTTPException

from ..audit import note
from ..gateway.paths import for_caller
from ..identity import annotator_of
from .desk import Desk

router = APIRouter(tags=["ActiveLearning"])

#: What a client may say to a strategy; anything else never reaches it.
PARAMETERS = frozenset({"k", "count", "seed", "client_id", "annotator", "label_tag", "labels"})

Parameters = Annotated[Optional[dict[str, Any]], Body()]


@router.post("/activelearning/skip", summary="Put an image aside, with a reason")
def skip(params: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
    """``{"image": ID, "reason": "..."}``. It is not offered to this annotator again, and to nobody after two skips."""
    image = params.get("image")
    if not isinstance(image, str) or image not in app_instance().datastore().list_images():
        raise HTTPException(404, f"There is no image {image!r} here. GET /datastore/?output=all lists what there is.")
    note(image=image)
    return _desk().skip(annotator_of(params), image, params.get("reason")).to_dict()


@router.get("/activelearning/leases", summary="Who has which image on the desk, and who put which aside")
def leases() -> dict[str, list[dict[str, Any]]]:
    desk = _desk()
    unlabelled = set(app_instance().datastore().get_unlabeled_images())
    held = [lease.to_dict() for lease in desk.leases() if lease.image_id in unlabelled]
    return {"leases": held, "skips": [one.to_dict() for one in desk.skips()]}


@router.post("/activelearning/{strategy}", summary="Images to annotate next, leased to the annotator")
def next_sample(strategy: str, params: Parameters = None) -> dict[str, Any]:
    """As MONAI Label's route of the same name. ``k`` asks for several, ``ids`` in the answer."""
    wanted = {name: value for name, value in (params or {}).items() if name in PARAMETERS}
    offered = sample(strategy, wanted, annotator_of(wanted))
    if offered:
        note(image=offered["id"])
    return for_caller(offered)


@router.post("/scoring/{method}", summary="Score the images that the served model has not looked at")
def score(method: str, params: Parameters = None, run_sync: bool = False) -> dict[str, Any]:
    """As MONAI Label's route of the same name; the method takes no parameters. 429 while a scoring process runs."""
    methods = app_instance().info()["scoring"]
    if method not in methods:
        raise HTTPException(
            404, f"There is no scoring method {method!r} here. Methods: {', '.join(methods) or 'none'}."
        )
    return for_caller(run_method(method, None, run_sync))


def _desk() -> Desk:
    desk = getattr(app_instance(), "desk", None)
    if desk is None:
        raise HTTPException(404, "This app keeps no leases.")
    return desk
