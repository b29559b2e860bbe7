"""What a request may say: JSON that is plain, parameters that its task knows, ids that are no paths, whom it is for."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from fastapi import Request
from monailabel.interfaces.utils.app import app_instance
from starlette.exceptions import HTTPException

from vertenet.errors import OptionError

from .. import plain
from ..audit import note
from ..store import RadiographStore
from ..store.names import why_not_served

#: What MONAI Label and its clients put into every inference request. ``image``, ``model``, ``session``, ``label`` and
#: ``description`` are missing on purpose: the address of the request decides them.
INFERENCE_KEYS = frozenset(
    {"client_id", "annotator", "device", "label_tag", "save_label", "timeout", "logging", "output", "max_workers"}
    | {"multi_gpu", "gpus", "max_batch_size", "result_extension", "result_dtype", "result_compress"}
    | {"result_write_to_file"}
)
#: The same for tasks that run as processes of their own. What else MONAI Label would read, ``bundle_path`` above all,
#: would have that process load a client's code.
TASK_KEYS = frozenset({"client_id", "annotator", "device", "gpus", "multi_gpu", "logging"})
#: Header by which a client says which store it means: `LabelStore.identity`, as ``GET /info/`` tells it.
STORE_HEADER = "VerteNet-Store"
_TAG = re.compile(r"[A-Za-z0-9_-]{1,64}")
_GPUS = re.compile(r"all|\d{1,3}(,\d{1,3}){0,63}")
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
_CHECKSUM = re.compile(r"((SHA256|SHA512|MD5):)?[0-9a-fA-F]+")


def check_parameters(parameters: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    """``parameters``, all of which are in ``known``.

    Raises
    ------
    OptionError
        One is not, or chooses devices or a label tag in a way that is no plain word.
    """
    unknown = sorted(set(map(str, parameters)) - set(known))
    if unknown:
        raise OptionError(
            f"the parameter {', '.join(unknown)[:200]} is not accepted here", remedy=f"Use {', '.join(sorted(known))}"
        )
    gpus = parameters.get("gpus")
    if gpus not in (None, "") and not (isinstance(gpus, str) and _GPUS.fullmatch(gpus)):
        raise OptionError(f"the parameter gpus is {str(gpus)[:80]!r}", remedy="Use all, or numbers such as 0,1")
    if parameters.get("label_tag") is not None:
        check_tag(parameters["label_tag"])
    return dict(parameters)


def check_tag(tag: Any) -> str:
    """``tag``, where it is a plain word; raises `OptionError`."""
    if not (isinstance(tag, str) and _TAG.fullmatch(tag)):
        raise OptionError(f"the label tag {str(tag)[:80]!r} is not a plain word", remedy="Use original or final")
    return tag


def truth(value: Any) -> bool:
    """A flag as clients send it; MONAI Label takes the text ``false`` for true."""
    return value is True or (isinstance(value, str) and value.strip().lower() in ("true", "1", "yes", "on"))


def check_store(request: Request) -> None:
    """A dependency of every route: a request that is meant for another store changes and tells nothing.

    An address may be another folder's tomorrow, with other patients' images under the same ids.

    Raises
    ------
    HTTPException
        421 (RFC 9110, 15.5.20).
    """
    meant = request.headers.get(STORE_HEADER)
    if meant is not None:
        store = app_instance().datastore()
        if not isinstance(store, RadiographStore) or meant != store.identity:
            raise HTTPException(421, "Another folder of images is served here now than the one that was asked for.")


async def check_body(request: Request) -> None:
    """A dependency of every route: a body of JSON says nothing that `plain.parse` refuses.

    Raises
    ------
    OptionError
        It does.
    """
    if request.method in ("PUT", "POST") and _content_type(request) == "application/json":
        body = await request.body()  # read once by the framework; these are the same bytes
        if body:
            plain.parse(body, "the body of the request")


async def check_request(request: Request) -> None:
    """A dependency of all routes of the store: ids that are no paths, tags that are words, forms that hold objects.

    Raises
    ------
    HTTPException, OptionError
        400 with a sentence.
    """
    for name in ("image", "label", "id"):
        for value in request.query_params.getlist(name):
            note(image=value)
            if why_not_served(value) is not None:
                raise HTTPException(400, f"{value[:80]!r} is not an id. GET /datastore/?output=all lists the ids.")
    for tag in request.query_params.getlist("tag"):
        if tag:
            note(tag=check_tag(tag))
    for checksum in request.query_params.getlist("check_sum"):
        if checksum and not _CHECKSUM.fullmatch(checksum):
            raise HTTPException(400, f"{checksum[:80]!r} is not a checksum. Write it as SHA256:hexadecimal digits.")
    # MONAI Label's client announces the form of its last upload on later requests that have none: do not wait for it.
    if request.method in ("PUT", "POST") and _content_type(request) in _FORMS:
        form = await request.form()  # read once by the framework; this is the same object
        for field in ("params", "info"):
            for text in form.getlist(field):
                if isinstance(text, str):
                    plain.json_object(text, field)


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
