"""Damaged and unsuitable image files, every one of which has to be refused with a sentence that names it.

Shared by the tests of the reader, the command line and the server.
"""

from __future__ import annotations

import gzip
import io
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK
import tifffile
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.uid import RLELossless

from tests.imaging import dicom_files
from tests.imaging.png_files import png_bytes

Rng = np.random.Generator
_SHAPE = (96, 64)
_HUGE = 20000


def make_damaged(directory: Path, count: int, seed: int, *, folders: bool = True) -> list[Path]:
    """Make ``count`` files that no reader may accept, the same ones for the same seed.

    Parameters
    ----------
    directory : Path
        Where to put them; made if need be.
    count : int
        All `KINDS` come in turn, each time different in detail.
    seed : int
    folders : bool
        Whether a folder with an image's name may be among them.

    Returns
    -------
    list of Path
        Named ``000-empty.png`` and so on, after what is wrong with them.
    """
    directory.mkdir(parents=True, exist_ok=True)
    kinds = [kind for kind in KINDS if folders or kind is not folder]
    paths = []
    for index in range(count):
        kind = kinds[index % len(kinds)]
        suffix, content = kind(np.random.default_rng([seed, index]))
        path = directory / f"{index:03d}-{kind.__name__.replace('_', '-')}{suffix}"
        if content is None:
            path.mkdir()
        else:
            path.write_bytes(content)
        paths.append(path)
    return paths


def _noise(rng: Rng, dtype=np.uint8) -> np.ndarray:
    return rng.integers(0, np.iinfo(dtype).max, _SHAPE).astype(dtype)


def _cut(rng: Rng, content: bytes, least: float = 0.1, most: float = 0.9) -> bytes:
    return content[: int(len(content) * rng.uniform(least, most))]


def _image(array: np.ndarray, format: str, **options) -> bytes:
    out = io.BytesIO()
    Image.fromarray(array).save(out, format, **options)
    return out.getvalue()


def _dicom(ds: Dataset) -> bytes:
    out = io.BytesIO()
    ds.save_as(out, write_like_original=False)
    return out.getvalue()


def _volume(array: np.ndarray, suffix: str, **options) -> bytes:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / f"volume{suffix}"
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(array, **options), str(path))
        return path.read_bytes()


def empty(rng: Rng):
    return rng.choice([".png", ".dcm", ".nii.gz", ".jpg"]), b""


def random_bytes(rng: Rng):
    return rng.choice([".png", ".dcm", ".tif", ".nrrd", ""]), rng.bytes(int(rng.integers(1, 5000)))


def only_a_signature(rng: Rng):
    suffix, content = [
        (".png", b"\x89PNG\r\n\x1a\n"),
        (".jpg", b"\xff\xd8\xff\xe0"),
        (".tif", b"II*\0\x08\0\0\0"),
        (".dcm", b"\0" * 128 + b"DICM"),
        (".nrrd", b"NRRD0004\n"),
        (".mha", b"ObjectType = Image\n"),
    ][rng.integers(6)]
    return suffix, content


def text_called_an_image(rng: Rng):
    content = rng.choice(["Lateral spine, see the other folder.\n", "<html><body>404</body></html>", '{"image": 1}'])
    return rng.choice([".png", ".dcm", ".jpg", ".mha"]), str(content).encode()


def cut_png(rng: Rng):
    return ".png", _cut(rng, _image(_noise(rng), "PNG"))


def cut_jpeg(rng: Rng):
    return ".jpg", _cut(rng, _image(_noise(rng), "JPEG"))


def cut_tiff(rng: Rng):
    return ".tif", _cut(rng, _image(_noise(rng), "TIFF"))


def cut_png_with_another_name(rng: Rng):
    return rng.choice([".dcm", ".jpg", ".nii", ""]), _cut(rng, _image(_noise(rng), "PNG"))


def png_of_scrambled_data(rng: Rng):
    content = bytearray(_image(_noise(rng), "PNG"))
    middle = len(content) // 2
    content[middle : middle + 50] = rng.bytes(50)
    return ".png", bytes(content)


def cut_dicom(rng: Rng):
    return ".dcm", _cut(rng, _dicom(dicom_files.dataset(_noise(rng))))


def cut_compressed_dicom(rng: Rng):
    syntax = rng.choice([RLELossless, dicom_files.JPEG_LOSSLESS, dicom_files.JPEG_2000_LOSSLESS])
    return ".dcm", _cut(rng, _dicom(dicom_files.compressed(_noise(rng, np.uint16), str(syntax))))


def dicom_of_several_frames(rng: Rng):
    ds = dicom_files.dataset(_noise(rng))
    ds.NumberOfFrames = int(rng.integers(2, 6))
    ds.PixelData = ds.PixelData * ds.NumberOfFrames
    return ".dcm", _dicom(ds)


def dicom_that_claims_many_frames(rng: Rng):
    return ".dcm", _dicom(dicom_files.dataset(_noise(rng), NumberOfFrames=int(rng.integers(10**6, 2**31 - 1))))


def dicom_that_lacks_something(rng: Rng):
    lacking = str(rng.choice(["Rows", "Columns", "PixelData", "PhotometricInterpretation", "BitsStored"]))
    return ".dcm", _dicom(dicom_files.dataset(_noise(rng), **{lacking: None}))


def dicom_of_fewer_pixels_than_it_says(rng: Rng):
    return ".dcm", _dicom(dicom_files.dataset(_noise(rng), Rows=int(rng.integers(200, 5000))))


def dicom_in_colour(rng: Rng):
    return ".dcm", _dicom(dicom_files.dataset(rng.integers(0, 255, (*_SHAPE, 3)).astype(np.uint8), kind="SC"))


def dicom_upside_down(rng: Rng):
    return ".dcm", _dicom(dicom_files.dataset(_noise(rng), PatientOrientation=["A", "H"]))


def huge_header(rng: Rng):
    choice = rng.integers(4)
    if choice == 0:
        return ".png", png_bytes(_HUGE, _HUGE, 8, 0, b"\0" * 100)
    if choice == 1:
        return ".dcm", _dicom(dicom_files.dataset(_noise(rng), Rows=_HUGE, Columns=_HUGE))
    if choice == 2:
        header = b"NDims = 2\nDimSize = 20000 20000\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n"
        return ".mha", b"ObjectType = Image\n" + header + b"\0" * 100
    return ".nrrd", b"NRRD0004\ntype: uint8\ndimension: 2\nsizes: 20000 20000\nencoding: raw\n\n" + b"\0" * 100


def tiny(rng: Rng):
    side = int(rng.choice([1, 2, 31]))
    array = rng.integers(0, 255, (side, side)).astype(np.uint8)
    if rng.random() < 0.5:
        return ".png", _image(array, "PNG")
    return ".dcm", _dicom(dicom_files.dataset(array))


def colour(rng: Rng):
    format = str(rng.choice(["PNG", "JPEG", "TIFF"]))
    array = rng.integers(0, 255, (*_SHAPE, 3)).astype(np.uint8)
    return {"PNG": ".png", "JPEG": ".jpg", "TIFF": ".tif"}[format], _image(array, format)


def black_and_white(rng: Rng):
    return ".png", _image(_noise(rng) > 127, "PNG")


def several_pages(rng: Rng):
    out = io.BytesIO()
    pages = rng.integers(0, 255, (int(rng.integers(2, 5)), *_SHAPE)).astype(np.uint8)
    tifffile.imwrite(out, pages, photometric="minisblack")
    return ".tif", out.getvalue()


def tiff_of_nan(rng: Rng):
    out = io.BytesIO()
    tifffile.imwrite(out, np.where(_noise(rng) > 250, np.nan, 1.0).astype(np.float32))
    return ".tif", out.getvalue()


def volume_of_nan(rng: Rng):
    values = _noise(rng).astype(np.float32)
    values[int(rng.integers(_SHAPE[0])), 0] = rng.choice([np.nan, np.inf])
    suffix = str(rng.choice([".nii", ".nii.gz", ".nrrd", ".mha"]))
    return suffix, _volume(values[None], suffix)


def volume_of_several_slices(rng: Rng):
    suffix = str(rng.choice([".nii", ".nii.gz", ".nrrd", ".mha"]))
    return suffix, _volume(np.stack([_noise(rng)] * int(rng.integers(2, 9))), suffix)


def volume_of_vectors(rng: Rng):
    suffix = str(rng.choice([".nrrd", ".mha"]))
    return suffix, _volume(rng.random((*_SHAPE, 3)).astype(np.float32), suffix, isVector=True)


def cut_volume(rng: Rng):
    suffix = str(rng.choice([".nii", ".nii.gz", ".nrrd", ".mha"]))
    return suffix, _cut(rng, _volume(_noise(rng, np.uint16)[None], suffix), 0.02, 0.95)


def gzip_of_something_else(rng: Rng):
    return ".nii.gz", gzip.compress(rng.bytes(int(rng.integers(10, 2000))))


def folder(rng: Rng):
    return rng.choice([".png", ".dcm"]), None


#: Every kind, made from a random generator: suffix and content (None for a folder).
KINDS: tuple[Callable[[Rng], tuple[str, bytes | None]], ...] = (
    empty,
    random_bytes,
    only_a_signature,
    text_called_an_image,
    cut_png,
    cut_jpeg,
    cut_tiff,
    cut_png_with_another_name,
    png_of_scrambled_data,
    cut_dicom,
    cut_compressed_dicom,
    dicom_of_several_frames,
    dicom_that_claims_many_frames,
    dicom_that_lacks_something,
    dicom_of_fewer_pixels_than_it_says,
    dicom_in_colour,
    dicom_upside_down,
    huge_header,
    tiny,
    colour,
    black_and_white,
    several_pages,
    tiff_of_nan,
    volume_of_nan,
    volume_of_several_slices,
    volume_of_vectors,
    cut_volume,
    gzip_of_something_else,
    folder,
)
