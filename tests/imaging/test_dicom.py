"""DICOM: pixel values, polarity, windows, compression, and what is refused."""

from __future__ import annotations

import numpy as np
import pydicom.config
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.pixel_data_handlers.util import apply_windowing
from pydicom.sequence import Sequence
from pydicom.uid import RLELossless

from tests.imaging import dicom_files as files
from vertenet.errors import ImageReadError
from vertenet.imaging import read
from vertenet.imaging.intensity import spread


@pytest.fixture
def load(tmp_path):
    """Read a data set through a file."""

    def through_file(ds: Dataset, **options):
        return read(files.save(ds, tmp_path / "scan.dcm"), **options)

    return through_file


@pytest.mark.parametrize("kind", ["DX", "CR", "SC"])
def test_8_bit_values_are_taken_as_they_are(load, kind):
    stored = files.ramp(bits=8)
    radiograph = load(files.dataset(stored, kind=kind))
    np.testing.assert_array_equal(radiograph.pixels, stored)
    assert radiograph.warnings == ()


@pytest.mark.parametrize(("bits", "signed"), [(12, False), (16, False), (12, True), (16, True)])
def test_deeper_values_are_spread_over_their_own_range(load, bits, signed):
    stored = files.ramp(bits=bits, signed=signed)
    pixels = load(files.dataset(stored, bits=bits)).pixels
    low, high = np.percentile(stored, (0.1, 99.9))
    np.testing.assert_allclose(pixels, np.clip((stored - low) / (high - low), 0, 1) * 255, atol=1e-4)
    assert pixels.min() == 0
    assert pixels.max() == 255


def test_12_bit_values_in_16_bits_do_not_turn_black(load):
    stored = files.ramp(bits=12)
    assert load(files.dataset(stored)).pixels.mean() == pytest.approx(127.5, abs=1)


def test_bits_above_the_stored_ones_are_no_image(load):
    stored = files.ramp(bits=12)
    with_overlay = stored | (np.arange(stored.size).reshape(stored.shape) % 16 << 12).astype(np.uint16)
    expected = load(files.dataset(stored, bits=12)).pixels
    np.testing.assert_array_equal(load(files.dataset(with_overlay, bits=12)).pixels, expected)


def test_the_sign_of_12_stored_bits_is_extended(load):
    stored = files.ramp(bits=12, signed=True)
    unfilled = (stored & 0x0FFF).astype(np.int16)
    expected = load(files.dataset(stored, bits=12)).pixels
    np.testing.assert_array_equal(load(files.dataset(unfilled, bits=12)).pixels, expected)


def test_monochrome1_is_inverted_so_that_bone_is_bright(load):
    stored = files.ramp(bits=8)
    radiograph = load(files.dataset(stored, PhotometricInterpretation="MONOCHROME1"))
    np.testing.assert_array_equal(radiograph.pixels, 255 - stored.astype(float))


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("photometric", ["MONOCHROME2", "MONOCHROME1"])
def test_the_window_is_that_of_the_standard(load, function, photometric):
    stored = files.ramp(bits=12)
    window = {"WindowCenter": 1800, "WindowWidth": 1500, "VOILUTFunction": function}
    ds = files.dataset(stored, bits=12, PhotometricInterpretation=photometric, **window)
    # pydicom's own windowing has the range of the stored bits as its output range.
    expected = apply_windowing(stored, ds) / 4095 * 255
    expected = 255 - expected if photometric == "MONOCHROME1" else expected
    np.testing.assert_allclose(load(ds).pixels, expected, atol=1e-3)


def test_a_window_of_8_bit_data_is_applied(load):
    stored = files.ramp(bits=8)
    pixels = load(files.dataset(stored, WindowCenter=100, WindowWidth=101)).pixels
    np.testing.assert_allclose(pixels, np.clip((stored - 99.5) / 100 + 0.5, 0, 1) * 255, atol=1e-4)


def test_the_first_of_several_windows_counts(load):
    stored = files.ramp(bits=12)
    one = files.dataset(stored, bits=12, WindowCenter=500, WindowWidth=400)
    two = files.dataset(stored, bits=12, WindowCenter=[500, 3000], WindowWidth=[400, 10])
    np.testing.assert_array_equal(load(one).pixels, load(two).pixels)


@pytest.mark.parametrize("width", [0, -5])
def test_an_impossible_window_is_passed_over_with_a_warning(load, width):
    stored = files.ramp(bits=12)
    radiograph = load(files.dataset(stored, bits=12, WindowCenter=500, WindowWidth=width))
    np.testing.assert_array_equal(radiograph.pixels, spread(stored))
    assert "window" in radiograph.warnings[0]


def test_rescaling_comes_before_the_window(load):
    stored = files.ramp(bits=12)
    raw = files.dataset(stored, bits=12, WindowCenter=2000, WindowWidth=1001)
    moved = files.dataset(stored, bits=12, RescaleSlope=2, RescaleIntercept=-1000, WindowCenter=3000, WindowWidth=2001)
    np.testing.assert_allclose(load(moved).pixels, load(raw).pixels, atol=0.2)


def test_a_voi_lut_goes_before_a_window_and_over_the_range_of_its_table(load):
    stored = files.ramp(bits=12)
    item = Dataset()
    item.LUTDescriptor = [4096, 0, 16]
    item.LUTData = np.minimum(np.arange(4096) // 4, 1000).astype("<u2").tobytes()
    ds = files.dataset(stored, bits=12, WindowCenter=1, WindowWidth=1)
    ds.VOILUTSequence = Sequence([item])
    np.testing.assert_allclose(load(ds).pixels, np.minimum(stored // 4, 1000) * 0.255, atol=1e-3)


def test_a_modality_lut_is_applied(load):
    stored = files.ramp(bits=8)
    item = Dataset()
    item.LUTDescriptor = [256, 0, 16]
    item.LUTData = (255 * 255 - np.arange(256) ** 2).astype("<u2").tobytes()
    item.ModalityLUTType = "US"
    ds = files.dataset(stored)
    ds.ModalityLUTSequence = Sequence([item])
    np.testing.assert_allclose(load(ds).pixels, spread(255 * 255 - stored.astype(float) ** 2), atol=1e-3)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black_and_does_not_count_for_the_range(load, photometric):
    stored = files.ramp(bits=12) // 2 + 1000
    inside = stored[:, 10:]
    padded = stored.copy()
    padded[:, :10] = 0
    pixels = load(files.dataset(padded, PixelPaddingValue=0, PhotometricInterpretation=photometric)).pixels
    assert (pixels[:, :10] == 0).all()
    expected = spread(inside) if photometric == "MONOCHROME2" else 255 - spread(inside)
    np.testing.assert_allclose(pixels[:, 10:], expected, atol=1e-3)


@pytest.mark.parametrize("syntax", [files.JPEG_LOSSLESS, files.JPEG_LS_LOSSLESS, files.JPEG_2000_LOSSLESS, RLELossless])
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_lossless_compression_changes_nothing(load, syntax, bits):
    stored = files.ramp(bits=bits)
    expected = load(files.dataset(stored, bits=bits)).pixels
    np.testing.assert_array_equal(load(files.compressed(stored, syntax, bits=bits)).pixels, expected)


@pytest.mark.parametrize("syntax", [files.JPEG_LOSSLESS, RLELossless])
def test_signed_values_survive_compression(load, syntax):
    stored = files.ramp(bits=16, signed=True)
    expected = load(files.dataset(stored)).pixels
    np.testing.assert_array_equal(load(files.compressed(stored, syntax)).pixels, expected)


@pytest.mark.parametrize("syntax", [files.JPEG_BASELINE, files.JPEG_EXTENDED])
def test_lossy_jpeg_is_read(load, syntax):
    stored = files.ramp(bits=8)
    np.testing.assert_allclose(load(files.compressed(stored, syntax)).pixels, stored, atol=2)


def test_a_missing_decoder_says_what_to_install(load, monkeypatch):
    from pydicom.pixel_data_handlers import numpy_handler

    monkeypatch.setattr(pydicom.config, "pixel_data_handlers", [numpy_handler])
    with pytest.raises(ImageReadError, match=r"scan\.dcm.*JPEG Lossless.*pip install 'vertenet\[imaging\]'"):
        load(files.compressed(files.ramp(bits=12), files.JPEG_LOSSLESS))


def test_grey_saved_as_rgb_is_grey(load):
    stored = files.ramp(bits=8)
    pixels = load(files.dataset(np.stack([stored] * 3, axis=-1), kind="SC")).pixels
    np.testing.assert_array_equal(pixels, stored)


def test_grey_saved_as_colour_jpeg_is_grey(load):
    stored = np.stack([files.ramp(bits=8)] * 3, axis=-1)
    ds = files.compressed(stored, files.JPEG_BASELINE, kind="SC", PhotometricInterpretation="YBR_FULL")
    np.testing.assert_allclose(load(ds).pixels, stored[..., 0], atol=3)


def test_colour_is_refused(load):
    stored = np.stack([files.ramp(bits=8), files.ramp(bits=8)[::-1], files.ramp(bits=8)], axis=-1)
    with pytest.raises(ImageReadError, match=r"scan\.dcm: the image is in colour"):
        load(files.dataset(stored, kind="SC"))


def test_a_data_set_without_preamble_is_read(tmp_path):
    stored = files.ramp(bits=8)
    ds = files.dataset(stored)
    ds.save_as(tmp_path / "bare")
    content = (tmp_path / "bare").read_bytes()
    assert content[128:132] != b"DICM"
    np.testing.assert_array_equal(read(tmp_path / "bare").pixels, stored)


def test_identifiers_are_kept_and_nothing_of_the_patient(load):
    ds = files.dataset(files.ramp(), ViewPosition="LL")
    metadata = load(ds).metadata
    assert metadata["SOPInstanceUID"] == ds.SOPInstanceUID
    assert metadata["Modality"] == "DX"
    assert metadata["Manufacturer"] == "HOLOGIC"
    assert metadata["ViewPosition"] == "LL"
    everything = " ".join([*metadata, *metadata.values()])
    assert not any(word in everything for word in ("Patient", "Doe", "4711", "1940"))


def test_other_modalities_are_read_with_a_warning(load):
    assert "MR" in load(files.dataset(files.ramp(), Modality="MR")).warnings[0]


def _frames(count):
    stored = np.stack([files.ramp(bits=8)] * count)
    ds = files.dataset(stored[0])
    ds.NumberOfFrames, ds.PixelData = count, stored.tobytes()
    return ds


@pytest.mark.parametrize(
    ("ds", "message"),
    [
        (_frames(3), "3 frames, but one is needed.*single frame"),
        (files.dataset(files.ramp(), PixelData=None), "no pixel data"),
        (files.dataset(files.ramp(), Rows=None), "no image"),
        (files.dataset(files.ramp(), PixelData=b"\0\0"), "ends before its pixel data"),
        (files.dataset(files.ramp(), PhotometricInterpretation="PALETTE COLOR"), "PALETTE COLOR"),
        (files.dataset(files.ramp(), PhotometricInterpretation=None), "missing"),
        (files.dataset(files.ramp(), Rows=20000, Columns=20000), "20000 x 20000 pixels, more than"),
        (files.dataset(files.ramp(8, 8)), "8 x 8 pixels, but a side needs at least 32"),
        (files.dataset(files.ramp(), BitsStored=None), "cannot be read as DICOM"),
    ],
)
def test_files_without_one_grey_image_are_refused(load, ds, message):
    with pytest.raises(ImageReadError, match=message) as error:
        load(ds)
    assert "scan.dcm" in str(error.value)


def test_a_single_frame_that_says_so_is_read(load):
    assert load(_frames(1)).rows == 48


@pytest.mark.parametrize("magic", [b"II*\0", b"MM\0*"])
def test_a_dicom_file_whose_preamble_is_a_tiff_header_is_dicom(tmp_path, magic):
    """Dual-personality files (PS3.10, section 7.1): DICM at byte 128 wins, twice in a row."""
    for number in range(2):
        path = tmp_path / f"{number}.tif"
        plain = files.save(files.dataset(files.ramp(bits=8)), tmp_path / f"{number}.dcm")
        content = plain.read_bytes()
        path.write_bytes(magic + bytes(124) + content[128:])
        np.testing.assert_array_equal(read(path).pixels, read(plain).pixels)


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small.dcm", "MR_small_RLE.dcm"])
def test_public_files_with_a_tiff_preamble_are_read(name):
    path = get_testdata_file(name, download=False)
    if path is None:
        pytest.skip("pydicom was installed without its test files")
    radiograph = read(path)
    assert "modality" in radiograph.warnings[0]
    assert radiograph.metadata["Modality"] == name[:2]


def test_uncompressed_422_is_whole_with_two_bytes_a_pixel(load):
    grey = files.ramp(bits=8)
    ds = files.dataset(np.stack([grey] * 3, axis=-1), kind="SC", PhotometricInterpretation="YBR_FULL_422")
    pairs = grey.reshape(-1, 2)  # then the two differences of colour, once for each pair
    ds.PixelData = np.concatenate([pairs, np.full_like(pairs, 128)], axis=1).tobytes()
    np.testing.assert_array_equal(load(ds).pixels, grey)
    ds.PixelData = ds.PixelData[:-2]
    with pytest.raises(ImageReadError, match="ends before its pixel data"):
        load(ds)


def test_a_public_422_file_is_told_to_be_colour_not_cut_off():
    path = get_testdata_file("SC_ybr_full_422_uncompressed.dcm", download=False)
    if path is None:
        pytest.skip("pydicom was installed without its test files")
    with pytest.raises(ImageReadError, match="in colour"):
        read(path)
