"""A reading as softcopy presentation state: what a workstation draws over the image (PS3.3 A.33)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import resources

import numpy as np
from highdicom.color import CIELabColor
from highdicom.content import PresentationLUTTransformation
from highdicom.pr import (
    ColorSoftcopyPresentationState,
    GraphicAnnotation,
    GraphicLayer,
    GraphicObject,
    GrayscaleSoftcopyPresentationState,
    TextObject,
)
from pydicom.dataset import Dataset

from ...measure.corridor import mean_guide_length
from ...reading import RESEARCH_USE, Reading
from ..words import crop_words, levels_sentence, unassessed_words
from .identification import equipment, result_uid, tracking_uid
from .items import TO_DICOM
from .lines import inside, runs
from .vertebrae import shown_level

SERIES_NUMBER = 9802
LABEL, DESCRIPTION = "VERTENET", "VerteNet points, guides and crop (research use only)"
#: Layers from back to front: name, what is in it, CIELab.
_LAYERS = {
    "GUIDES": ("Intervertebral guides", (90.0, -25.0, -10.0)),
    "THIRDS": ("Thirds of the AAC segments", (75.0, -20.0, -10.0)),
    "CORRIDOR": ("Front edge of the aortic corridor", (95.0, 0.0, 0.0)),
    "CROP": ("What is lost of the corridor", (55.0, 75.0, 55.0)),
    "POINTS": ("Corners and mid-endplate points", (90.0, 0.0, 75.0)),
    "TEXT": ("Levels and statements", (95.0, 0.0, 0.0)),
}


def presentation_state(reading: Reading, image: Dataset) -> Dataset:
    """Points, guides, thirds, corridor and its lost stretches as graphics, levels and statements as text.

    It holds no window: a viewer keeps the user's. A colour image gets a colour presentation state.

    Parameters
    ----------
    reading : Reading
    image : Dataset
        See `vertenet.report.dicom.source.image_header`.
    """
    drawn = {
        "GUIDES": list(_guides(reading, image, thirds=False)),
        "THIRDS": list(_guides(reading, image, thirds=True)),
        "CORRIDOR": list(_polylines(runs(reading.crop.edge), image)),
        "CROP": list(_polylines(runs(reading.crop.edge, reading.crop.lost), image)),
        "POINTS": list(_points(reading, image)),
    }
    texts = [*_names(reading, image), _statement(reading)]
    layers = {
        name: GraphicLayer(name, order, description, CIELabColor(*colour))
        for order, (name, (description, colour)) in enumerate(_LAYERS.items(), start=1)
        if drawn.get(name) or name == "TEXT"
    }
    annotations = [
        GraphicAnnotation(
            [image], layer, graphic_objects=drawn.get(name), text_objects=texts if name == "TEXT" else None
        )
        for name, layer in layers.items()
    ]
    shared = {
        "referenced_images": [image],
        "series_instance_uid": result_uid(reading, image, "presentation series"),
        "series_number": SERIES_NUMBER,
        "sop_instance_uid": result_uid(reading, image, "presentation"),
        "instance_number": 1,
        "content_label": LABEL,
        "content_description": DESCRIPTION,
        "graphic_annotations": annotations,
        "graphic_layers": list(layers.values()),
        "series_description": DESCRIPTION,
        **equipment(reading),
    }
    if image.PhotometricInterpretation in ("MONOCHROME1", "MONOCHROME2"):
        shape = "INVERSE" if image.PhotometricInterpretation == "MONOCHROME1" else "IDENTITY"
        state = GrayscaleSoftcopyPresentationState(
            presentation_lut_transformation=PresentationLUTTransformation(presentation_lut_shape=shape), **shared
        )
    else:
        state = ColorSoftcopyPresentationState(icc_profile=_srgb(), **shared)
    spacing = reading.image.spacing
    if spacing is not None and not spacing.is_isotropic:
        area = state.DisplayedAreaSelectionSequence[0]
        area.PresentationPixelAspectRatio = [round(spacing.row * 1e4), round(spacing.column * 1e4)]
    state.SpecificCharacterSet = "ISO_IR 192"
    state.BodyPartExamined = "SPINE"  # not paired, so the series needs no laterality
    del state.ContentDate, state.ContentTime  # highdicom's; this object has its own date of creation
    return state


def _points(reading: Reading, image: Dataset) -> Iterator[GraphicObject]:
    for vertebra in reading.spine:
        for name, corner in vertebra.points.items():
            if corner.is_present:
                shown = f"{shown_level(reading, vertebra.level)}-{name}"
                uid = tracking_uid(image, f"{vertebra.level}-{name}")
                yield _object("POINT", corner.xy[None], image, tracking_id=shown, tracking_uid=uid)


def _guides(reading: Reading, image: Dataset, *, thirds: bool) -> Iterator[GraphicObject]:
    """From the posterior midpoint out to the edge of the aortic corridor, as far as the image reaches."""
    if not reading.guides:
        return
    forward = reading.crop.factor * mean_guide_length(reading.guides.values())
    forward *= 1 if reading.spine.anterior == "right" else -1
    for guide in reading.guides.values():
        end = guide.at_x(guide.anterior[0] + forward)
        if guide.is_third == thirds and np.isfinite(end).all():
            yield from _polylines([np.array([guide.posterior, end])], image)


def _polylines(lines: Iterable[np.ndarray], image: Dataset) -> Iterator[GraphicObject]:
    """The parts of the lines (n, 2) that lie inside the image: graphics must (PS3.3 C.10.5.1.1)."""
    for line in lines:
        for part in inside(np.asarray(line, dtype=np.float64), image.Columns, image.Rows):
            yield _object("POLYLINE", part, image)


def _object(kind: str, xy: np.ndarray, image: Dataset, **names) -> GraphicObject:
    within = np.clip(xy + TO_DICOM, 0, [image.Columns, image.Rows])  # the rounding of a clipped end
    return GraphicObject(kind, within, "PIXEL", **names)


def _names(reading: Reading, image: Dataset) -> Iterator[TextObject]:
    """The level's name behind each vertebra."""
    backward = -1 if reading.spine.anterior == "right" else 1
    for vertebra in reading.spine:
        corners = [corner.xy for corner in vertebra.points.values() if corner.is_present]
        if not corners:
            continue
        x, y = np.mean(corners, axis=0)
        x += backward * 0.9 * np.ptp(np.array(corners)[:, 0])
        at = np.clip(np.array([x, y]) + TO_DICOM, 0, [image.Columns, image.Rows])
        yield TextObject(
            shown_level(reading, vertebra.level), "PIXEL", anchor_point=tuple(at.tolist()), anchor_point_visible=False
        )


def _statement(reading: Reading) -> TextObject:
    lines = [RESEARCH_USE, *(f"{words(reading)}." for words in (levels_sentence, unassessed_words, crop_words))]
    return TextObject(
        "\r\n".join(lines)[:1024], "DISPLAY", bounding_box=(0.01, 0.9, 0.99, 0.99), text_justification="LEFT"
    )


def _srgb() -> bytes:
    """The profile that highdicom ships; Pillow's is of a display, which DICOM does not allow here (PS3.3 C.11.15)."""
    return resources.files("highdicom").joinpath("_icc_profiles/sRGB_v4_ICC_preference.icc").read_bytes()
