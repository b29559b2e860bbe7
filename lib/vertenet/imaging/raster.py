"""PNG, JPEG and TIFF to Radiograph.

8-bit values are taken as they are; deeper ones are spread over the robust range of the data, never of the container.
No raster resolution (PNG pHYs, JFIF density, TIFF resolution) is taken for a pixel size: they describe a print.
"""

from __future__ import annotations

import warnings as python_warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
import SimpleITK
from PIL import Image, UnidentifiedImageError

from ..errors import ImageReadError
from ..radiograph import Radiograph
from .colour import grey_of
from .geometry import Turn, named_with, open_header, viewer_geometry
from .intensity import as_display
from .limits import MAX_PIXELS, check_size
from .sniff import Kind
from .tiff import read_page

#: EXIF orientation to the turn that shows the image upright (CIPA DC-008, Orientation).
EXIF_TURNS = {
    2: Turn(flip_columns=True),
    3: Turn(flip_rows=True, flip_columns=True),
    4: Turn(flip_rows=True),
    5: Turn(transpose=True),
    6: Turn(transpose=True, flip_columns=True),
    7: Turn(transpose=True, flip_rows=True, flip_columns=True),
    8: Turn(transpose=True, flip_rows=True),
}
_ORIENTATION = 0x0112
#: Colour types of PNG (ISO/IEC 15948, 11.2.2).
_PNG_COLOURS, _PNG_GREY_ALPHA = (2, 6), 4
_DEEP_GREY = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")


def read_raster(path: Path, kind: Kind) -> Radiograph:
    """The grey image of a PNG, JPEG or TIFF file, without spacing or anterior side.

    Raises
    ------
    ImageReadError
        Colour, one bit a pixel, several pages, damaged, or of an impossible size.
    """
    warnings: list[str] = []
    with python_warnings.catch_warnings():
        # Pillow's own size warning (the limit here is lower) and its remarks on damaged tags.
        python_warnings.simplefilter("ignore")
        load = _tiff if kind is Kind.TIFF else _png_or_jpeg
        orientation, display = load(path, kind, warnings)
    turn = EXIF_TURNS.get(orientation, Turn())
    pixels = turn.array(display)
    geometry = turn.geometry(viewer_geometry(path, warnings), *pixels.shape)
    return Radiograph(pixels, name=path.name, warnings=tuple(warnings), geometry=geometry)


def _png_or_jpeg(path: Path, kind: Kind, warnings: list[str]) -> tuple[int, np.ndarray]:
    """EXIF orientation and display values as stored."""
    with _open(path, path, kind) as image:
        deep = kind is Kind.PNG and _is_deep_colour_png(path)
        check_size(path, image.height, image.width, len(image.getbands()) * (2 if deep else 1))
        if getattr(image, "n_frames", 1) > 1:
            raise ImageReadError(
                f"the file holds {image.n_frames} images, but one is needed", subject=path, remedy="Split it"
            )
        orientation = image.getexif().get(_ORIENTATION, 1)
        if deep:
            return orientation, as_display(_deep_colour(path, ".png"))
        return orientation, as_display(_grey_values(image, path, warnings))


def _tiff(path: Path, kind: Kind, warnings: list[str]) -> tuple[int, np.ndarray]:
    """Orientation and display values as stored."""
    page = read_page(path)
    if page.is_deep_colour:
        return page.orientation, as_display(_deep_colour(path, ".tif"))
    with _open(page.upright_bytes(path), path, kind) as image:
        display = as_display(_grey_values(image, path, warnings))
        # Pillow inverts 1-bit and 8-bit images whose white is zero, and leaves deeper ones as they are.
        inverted = page.white_is_zero and image.mode in _DEEP_GREY
    return page.orientation, 255.0 - display if inverted else display


def _open(file: Path | BinaryIO, path: Path, kind: Kind) -> Image.Image:
    """The image with its header read; nothing is allocated for its pixels yet."""
    try:
        return Image.open(file, formats=[kind.value])
    except UnidentifiedImageError as error:
        raise ImageReadError(f"the header of the {kind} file is damaged", subject=path) from error
    except Image.DecompressionBombError as error:
        raise ImageReadError(
            f"the header says more pixels than the limit of {MAX_PIXELS >> 20} megapixels",
            subject=path,
            remedy="Check the file; a radiograph is never that large",
        ) from error


def _grey_values(image: Image.Image, path: Path, warnings: list[str]) -> np.ndarray:
    """(rows, columns) stored values of a loaded image."""
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA" if "transparency" in image.info or image.mode == "PA" else "RGB")
    if image.mode in ("LA", "RGBA"):
        if np.asarray(image.getchannel("A")).min() < 255:
            warnings.append("The image is partly transparent; transparency was ignored")
        image = image.convert("L" if image.mode == "LA" else "RGB")
    if image.mode == "RGB":
        return grey_of(np.asarray(image), path)
    if image.mode == "L" or image.mode in _DEEP_GREY:
        return _finite(np.asarray(image), path)
    what = "only black and white, without greys" if image.mode == "1" else f"in the colour space {image.mode}"
    raise ImageReadError(f"the image is {what}", subject=path, remedy="Save it as a grey image of 8 or 16 bits")


def _finite(values: np.ndarray, path: Path) -> np.ndarray:
    if not np.isfinite(values).all():
        raise ImageReadError("the image holds values that are not finite numbers (NaN or infinity)", subject=path)
    return values


def _is_deep_colour_png(path: Path) -> bool:
    """16 bits a channel with colour: Pillow would cut them to 8 bits, and 12-bit data to black."""
    with path.open("rb") as file:
        header = file.read(26)
    depth, kind = header[24:26]
    if depth == 16 and kind == _PNG_GREY_ALPHA:  # which ITK cannot read either
        raise ImageReadError(
            "the image is grey of 16 bits with transparency", subject=path, remedy="Save it without transparency"
        )
    return depth == 16 and kind in _PNG_COLOURS


def _deep_colour(path: Path, extension: str) -> np.ndarray:
    """(rows, columns) uint16 grey values of an image with several 16-bit channels, read by ITK."""
    with named_with(path, extension) as readable:
        channels = SimpleITK.GetArrayFromImage(open_header(readable).Execute())
    return grey_of(channels[..., :3], path)
