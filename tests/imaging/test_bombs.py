"""Small files that would unpack to much: refused before they are decoded, in a sentence, without the memory."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless

from tests.imaging.dicom_files import (
    JPEG_2000_LOSSLESS,
    JPEG_BASELINE,
    JPEG_LOSSLESS,
    JPEG_LS_LOSSLESS,
    compressed,
    dataset,
    ramp,
    save,
)
from tests.imaging.png_files import png_bytes
from vertenet.errors import ImageReadError
from vertenet.imaging import read
from vertenet.imaging.identity import identity_of
from vertenet.imaging.intensity import ROBUST_PERCENTILES, spread
from vertenet.imaging.limits import MAX_PIXELS

MIB = 1 << 20


def deflated(path: Path, inflated_mib: int) -> Path:
    """A good image in the deflated transfer syntax, with a private element of zeros in front of it."""
    ds = dataset(ramp())
    ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    save(ds, path)
    content = path.read_bytes()
    start = 132 + 12 + ds.file_meta.FileMetaInformationGroupLength
    body = zlib.decompress(content[start:], -zlib.MAX_WBITS)
    at = body.index(b"\x28\x00\x02\x00US")  # SamplesPerPixel
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    parts = [content[:start], packer.compress(body[:at])]
    parts.append(packer.compress(struct.pack("<HH2sHI", 0x0019, 0x0010, b"OB", 0, inflated_mib * MIB)))
    zeros = bytes(MIB)
    parts += [packer.compress(zeros) for _ in range(inflated_mib)]
    parts += [packer.compress(body[at:]), packer.flush()]
    path.write_bytes(b"".join(parts))
    return path


def peak_mib(work) -> float:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / MIB
    finally:
        tracemalloc.stop()


def refused(path: Path, words: str) -> None:
    with pytest.raises(ImageReadError, match=words) as caught:
        read(path)
    assert path.name in str(caught.value)


def test_11_a_deflated_dicom_file_is_not_inflated_beyond_what_an_image_may_have(tmp_path):
    bomb = deflated(tmp_path / "bomb.dcm", 400)
    assert bomb.stat().st_size < MIB
    assert peak_mib(lambda: refused(bomb, "unpack to more than")) < 16


def test_11_nor_for_the_patient_and_scanner_in_its_header(tmp_path):
    bomb = deflated(tmp_path / "bomb.dcm", 400)
    with pytest.raises(ImageReadError, match="unpack to more than"):
        identity_of(bomb)


def test_a_deflated_dicom_file_of_an_ordinary_size_is_read(tmp_path):
    plain = read(save(dataset(ramp()), tmp_path / "plain.dcm"))
    packed = deflated(tmp_path / "packed.dcm", 1)
    np.testing.assert_array_equal(read(packed).pixels, plain.pixels)
    assert identity_of(packed) == identity_of(tmp_path / "plain.dcm")


@pytest.mark.parametrize("syntax", [JPEG_BASELINE, JPEG_LOSSLESS, JPEG_LS_LOSSLESS, JPEG_2000_LOSSLESS])
def test_11_an_image_in_a_dicom_file_that_is_larger_than_its_header_says_is_not_decoded(tmp_path, syntax):
    ds = compressed(ramp(500, 300, bits=8), syntax)
    ds.Rows = ds.Columns = 64
    refused(save(ds, tmp_path / "a.dcm"), "compressed image.*300 x 500.*64 x 64")


def test_11_run_lengths_that_unpack_to_more_than_the_image_are_not_unpacked(tmp_path):
    ds = dataset(ramp(bits=8))
    runs = b"\x81\x00" * (MIB // 2)  # each pair of bytes is a run of 128
    frame = struct.pack("<16L", 1, 64, *[0] * 14) + runs
    ds.PixelData = encapsulate([frame])
    ds["PixelData"].is_undefined_length = True
    ds.file_meta.TransferSyntaxUID = RLELossless
    assert peak_mib(lambda: refused(save(ds, tmp_path / "a.dcm"), "run lengths")) < 16


@pytest.mark.parametrize(("samples", "bits"), [(200, 8), (3, 64), (1, 4096)])
def test_11_the_bytes_of_all_samples_count(tmp_path, samples, bits):
    ds = compressed(ramp(bits=8), RLELossless)
    ds.Rows = ds.Columns = 8000
    ds.SamplesPerPixel, ds.BitsAllocated = samples, bits
    refused(save(ds, tmp_path / "a.dcm"), "MiB of pixels")


def test_11_a_png_with_deep_colours_is_refused_by_its_bytes(tmp_path):
    (tmp_path / "a.png").write_bytes(png_bytes(8192, 8191, 16, 2, b""))
    refused(tmp_path / "a.png", "MiB of pixels")


def test_11_tiff_tiles_larger_than_an_image_may_be_are_refused(tmp_path):
    out = io.BytesIO()
    tifffile.imwrite(out, ramp(64, 64, bits=8), tile=(64, 64), compression="zlib")
    content = bytearray(out.getvalue())
    with tifffile.TiffFile(io.BytesIO(bytes(content))) as file:
        tags = file.pages[0].tags
        for name in ("TileWidth", "TileLength"):
            tag = tags[name]
            size = 4 if tag.dtype == 4 else 2
            content[tag.valueoffset : tag.valueoffset + size] = (32768).to_bytes(size, "little")
    (tmp_path / "a.tif").write_bytes(content)
    refused(tmp_path / "a.tif", "its tiles have 32768 x 32768")


def test_a_nifti_header_of_many_bytes_is_refused(tmp_path):
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 2, 8192, 8191, 1, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 64, 64)  # float64
    struct.pack_into("<f", header, 108, 352.0)
    header[344:348] = b"n+1\0"
    (tmp_path / "a.nii").write_bytes(bytes(header) + bytes(64))
    refused(tmp_path / "a.nii", "MiB of pixels")


def test_11_an_image_of_the_largest_size_takes_a_few_times_its_own_memory(tmp_path):
    rows = MAX_PIXELS // 8192 // 8  # an eighth of the largest: the ratio is what matters
    noise = np.random.default_rng(1).integers(0, 4000, (rows, 8192), np.uint16)
    Image.fromarray(noise).save(tmp_path / "a.png", compress_level=1)
    displayed = noise.size * 4 / MIB
    assert peak_mib(lambda: read(tmp_path / "a.png")) < 3.5 * displayed


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("some", [False, True])
def test_stretching_in_strips_gives_every_digit_of_stretching_at_once(kind, some):
    random = np.random.default_rng(3)
    values = (random.normal(1, 0.3, (700, 90)) * 100).astype(kind)
    counted = random.random(values.shape) < 0.5 if some else None
    exact = values.astype(np.float64)
    low, high = np.percentile(exact if counted is None else exact[counted], ROBUST_PERCENTILES)
    wanted = (np.clip((exact - low) / (high - low), 0.0, 1.0) * 255.0).astype(np.float32)
    np.testing.assert_array_equal(spread(values, counted=counted), wanted)
