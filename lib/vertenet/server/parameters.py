"""The parameters of an inference request, checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from vertenet.errors import OptionError
from vertenet.measure.crop import DEFAULT_FACTOR

#: What a client's option table shows; the first of a list is the default.
DEFAULTS: dict[str, Any] = {"anterior": ["file", "auto", "left", "right"], "spacing_mm": "", "factor": DEFAULT_FACTOR}

#: What MONAI Label and its clients put into every request. Other unknown names were meant for us and misspelt.
FRAMEWORK_KEYS = frozenset(
    {"model", "image", "images", "session", "session_id", "description", "client_id", "device", "label", "label_tag"}
    | {"save_label", "timeout", "output", "logging", "_id", "_image_id", "max_batch_size", "max_workers", "multi_gpu"}
    | {"gpus", "bundle_path", "result_extension", "result_dtype", "result_compress", "result_write_to_file"}
)


@dataclass(frozen=True)
class InferParameters:
    """How an image is to be read.

    Attributes
    ----------
    anterior : {"left", "right", "auto"} or None
        Anterior side of the image; "auto" detects it, None takes the file's word and detects where there is none.
    spacing_mm : float or None
        Size of a pixel, mm, for files that do not say; overrides the file.
    factor : float
        Reach of the aortic corridor in mean guide lengths.
    ignored : tuple of str
        Names in the request that mean nothing here.
    """

    anterior: Literal["left", "right", "auto"] | None = None
    spacing_mm: float | None = None
    factor: float = DEFAULT_FACTOR
    ignored: tuple[str, ...] = ()

    @classmethod
    def from_request(cls, request: Mapping[str, Any]) -> InferParameters:
        """Parameters of a MONAI Label request; clients send numbers as text, and empty text for "not given".

        Raises
        ------
        OptionError
            A parameter has a value that is not accepted.
        """
        anterior = request.get("anterior")
        anterior = anterior.strip().lower() if isinstance(anterior, str) else anterior
        if anterior not in (None, "", *DEFAULTS["anterior"]):
            raise OptionError(
                f"the parameter anterior is {anterior!r}", remedy="Use left, right, auto, or file for the file's word"
            )
        factor = _positive_number(request, "factor")
        return cls(
            anterior=None if anterior in (None, "", "file") else anterior,
            spacing_mm=_positive_number(request, "spacing_mm"),
            factor=DEFAULT_FACTOR if factor is None else factor,
            ignored=tuple(sorted(set(map(str, request)) - set(DEFAULTS) - FRAMEWORK_KEYS)),
        )


def _positive_number(request: Mapping[str, Any], name: str) -> float | None:
    value = request.get(name)
    if value is None or (isinstance(value, str) and value.strip() in ("", "None")):
        return None
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise OptionError(f"the parameter {name} is {value!r}", remedy="Give a positive number, or leave it out")
    return number
