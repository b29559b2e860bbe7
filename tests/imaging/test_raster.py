"""PNG, JPEG and TIFF."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK
import tifffile
from PIL import Image

from tests.imaging.dicom_files import ramp
from tests.imaging.png_files import png_bytes, write_deep_png
from vertenet.errors import ImageReadError
from vertenet.imaging import read
from vertenet.imaging.intensity import spread


def test_8_bit_grey_is_taken_as_it_is(tmp_path):
    Image.fromarray(ramp(bits=8)).save(tmp_path / "a.png")
    radiograph = read(tmp_path / "a.png")
    np.testing.assert_array_equal(radiograph.pixels, ramp(bits=8))
    assert radiograph.name == "a.png"
    assert (radiograph.spacing, radiograph.anterior, radiograph.warnings) == (None, None, ())


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
@pytest.mark.parametrize("bits", [12, 16])
def test_16_bit_grey_is_spread_over_the_range_of_its_data(tmp_path, name, bits):
    Image.fromarray(ramp(bits=bits)).save(tmp_path / name)
    pixels = read(tmp_path / name).pixels
    np.testing.assert_array_equal(pixels, spread(ramp(bits=bits)))
    assert pixels.mean() == pytest.approx(127.5, abs=1)


def test_big_endian_tiff_is_read(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", ramp(bits=12), byteorder=">")
    np.testing.assert_array_equal(read(tmp_path / "a.tif").pixels, spread(ramp(bits=12)))


@pytest.mark.parametrize("bits", [8, 16])
def test_tiff_whose_white_is_zero_is_turned_round(tmp_path, bits):
    tifffile.imwrite(tmp_path / "a.tif", ramp(bits=bits), photometric="miniswhite")
    expected = ramp(bits=8).astype(float) if bits == 8 else spread(ramp(bits=16))
    np.testing.assert_allclose(read(tmp_path / "a.tif").pixels, 255 - expected, atol=1e-4)


def test_jpeg_is_read(tmp_path):
    Image.fromarray(ramp(bits=8)).save(tmp_path / "a.jpg", quality=95)
    np.testing.assert_allclose(read(tmp_path / "a.jpg").pixels, ramp(bits=8), atol=4)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P"])
@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_grey_in_other_modes_is_grey(tmp_path, mode, name):
    Image.fromarray(ramp(bits=8)).convert(mode).save(tmp_path / name)
    radiograph = read(tmp_path / name)
    np.testing.assert_array_equal(radiograph.pixels, ramp(bits=8))
    # ITK has no pixel type for grey with transparency, and then nobody knows where 3D Slicer puts the image.
    assert bool(radiograph.warnings) == ((mode, name) == ("LA", "a.png"))


@pytest.mark.parametrize("channels", [3, 4])
def test_16_bit_grey_saved_as_colour_keeps_its_depth(tmp_path, channels):
    stored = ramp(bits=12)
    opaque = np.full_like(stored, 65535)
    write_deep_png(tmp_path / "a.png", np.stack([stored, stored, stored, opaque][:channels], axis=-1))
    np.testing.assert_array_equal(read(tmp_path / "a.png").pixels, spread(stored))


def test_16_bit_rgb_tiff_is_read(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.stack([ramp(bits=12)] * 3, axis=-1), photometric="rgb")
    np.testing.assert_array_equal(read(tmp_path / "a.tif").pixels, spread(ramp(bits=12)))


def test_transparency_is_ignored_with_a_warning(tmp_path):
    image = Image.fromarray(ramp(bits=8)).convert("RGBA")
    image.putalpha(100)
    image.save(tmp_path / "a.png")
    radiograph = read(tmp_path / "a.png")
    np.testing.assert_array_equal(radiograph.pixels, ramp(bits=8))
    assert "transparen" in radiograph.warnings[0]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.jpg", "a.tif", "lzw.tif", "a.png"])
def test_exif_turns_the_image_and_its_geometry_together(tmp_path, orientation, name):
    # A bright patch near the stored corner (3, 5) must be where the geometry says that stored pixel is.
    stored = np.zeros((48, 40), np.uint8)
    stored[5, 3] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"a.jpg": {"quality": 100}, "lzw.tif": {"compression": "tiff_lzw"}}.get(name, {})
    Image.fromarray(stored).save(tmp_path / name, exif=exif, **options)
    radiograph = read(tmp_path / name)
    assert radiograph.pixels.shape == ((40, 48) if orientation >= 5 else (48, 40))
    y, x = np.unravel_index(radiograph.pixels.argmax(), radiograph.pixels.shape)
    itk = SimpleITK.ReadImage(str(tmp_path / name))
    place = itk.TransformIndexToPhysicalPoint((3, 5))
    np.testing.assert_allclose(radiograph.geometry.to_lps([[x, y]])[0], [*place, 0], atol=1e-9)


@pytest.mark.parametrize(("name", "mm"), [("a.png", 1.0), ("a.jpg", 0.1), ("a.tif", 0.1)])
def test_a_resolution_is_no_pixel_size_but_moves_the_viewer(tmp_path, name, mm):
    Image.fromarray(ramp(bits=8)).save(tmp_path / name, dpi=(254, 254))
    radiograph = read(tmp_path / name)
    assert radiograph.spacing is None
    np.testing.assert_allclose(radiograph.geometry.column_step, [mm, 0, 0], rtol=1e-6)


def colour() -> Image.Image:
    return Image.fromarray(np.stack([ramp(bits=8), ramp(bits=8)[::-1], ramp(bits=8)], axis=-1))


def save_pages(path):
    Image.fromarray(ramp(bits=8)).save(path, save_all=True, append_images=[Image.fromarray(ramp(bits=8))])


def save_nan(path):
    tifffile.imwrite(path, np.full((48, 40), np.nan, np.float32))


@pytest.mark.parametrize(
    ("name", "save", "message"),
    [
        ("a.png", lambda path: colour().save(path), "in colour"),
        ("a.jpg", lambda path: colour().save(path), "in colour"),
        ("a.png", lambda path: colour().quantize().save(path), "in colour"),
        ("a.jpg", lambda path: colour().convert("CMYK").save(path), "CMYK"),
        ("a.png", lambda path: Image.fromarray(ramp(bits=8)).convert("1").save(path), "only black and white"),
        ("a.tif", save_pages, "2 images, but one"),
        ("a.png", save_pages, "2 images, but one"),
        ("a.tif", save_nan, "not finite"),
        ("a.png", lambda path: Image.fromarray(ramp(31, 50, 8)).save(path), "50 x 31 pixels"),
        ("a.png", lambda path: write_deep_png(path, np.stack([ramp()] * 2, axis=-1)), "without transparency"),
    ],
)
def test_what_is_no_single_grey_image_is_refused(tmp_path, name, save, message):
    save(tmp_path / name)
    with pytest.raises(ImageReadError, match=message) as error:
        read(tmp_path / name)
    assert name in str(error.value)


@pytest.mark.parametrize("side", [9000, 20000, 2**31 - 1])
def test_a_header_of_an_impossible_size_is_refused_before_anything_is_allocated(tmp_path, side):
    (tmp_path / "bomb.png").write_bytes(png_bytes(side, side, 8, 0, b"\0" * 100))
    with pytest.raises(ImageReadError, match=r"bomb\.png.*64 megapixels"):
        read(tmp_path / "bomb.png")
