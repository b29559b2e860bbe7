"""Radiograph, Spacing and ViewerGeometry: invariants and geometry."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vertenet.errors import ImageReadError, OptionError
from vertenet.radiograph import Radiograph, Spacing, SpacingSource, ViewerGeometry

PIXELS = np.arange(12.0).reshape(3, 4)


class TestRadiograph:
    def test_pixels_are_float32_read_only_and_its_own(self):
        source = PIXELS.copy()
        image = Radiograph(source)
        source[0, 0] = 99
        assert image.pixels.dtype == np.float32
        assert image.pixels[0, 0] == 0
        assert (image.rows, image.columns) == (3, 4)
        with pytest.raises(ValueError, match="read-only"):
            image.pixels[0, 0] = 1

    @pytest.mark.parametrize("shape", [(0, 4), (3, 0), (3,), (3, 4, 3), (1, 3, 4)])
    def test_anything_but_one_grey_image_is_refused(self, shape):
        with pytest.raises(ImageReadError, match="one grey image"):
            Radiograph(np.zeros(shape), name="a.png")

    @pytest.mark.parametrize("value", [math.nan, math.inf, -1.0, 255.5])
    def test_values_no_screen_can_show_are_refused_by_name(self, value):
        pixels = PIXELS.copy()
        pixels[1, 1] = value
        with pytest.raises(ImageReadError, match=r"a\.png"):
            Radiograph(pixels, name="a.png")

    def test_only_two_sides_and_unknown_exist(self):
        assert Radiograph(PIXELS).anterior is None
        with pytest.raises(OptionError, match="anterior"):
            Radiograph(PIXELS, anterior="front")

    @pytest.mark.parametrize(("side", "other"), [("left", "right"), ("right", "left"), (None, None)])
    def test_mirroring_turns_pixels_side_and_geometry_together(self, side, other):
        geometry = ViewerGeometry([10, 20, 30], [0.5, 0, 0], [0, 0, -0.5])
        image = Radiograph(PIXELS, anterior=side, geometry=geometry)
        mirrored = image.mirrored()
        np.testing.assert_array_equal(mirrored.pixels, PIXELS[:, ::-1])
        assert mirrored.anterior == other
        # The same anatomy lies at the same place in the patient.
        np.testing.assert_allclose(mirrored.geometry.to_lps([[3 - 1, 2]]), image.geometry.to_lps([[1, 2]]))
        again = mirrored.mirrored()
        np.testing.assert_array_equal(again.pixels, image.pixels)
        np.testing.assert_allclose(again.geometry.origin, geometry.origin)

    def test_side_and_spacing_can_be_replaced(self):
        spacing = Spacing(0.5, 0.5, SpacingSource.USER)
        image = Radiograph(PIXELS).with_anterior("left").with_spacing(spacing)
        assert image.anterior == "left"
        assert image.spacing == spacing
        assert image.with_spacing(None).spacing is None


class TestSpacing:
    @pytest.mark.parametrize("name", ["row", "column", "magnification"])
    @pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
    def test_a_size_that_is_none_is_refused(self, name, value):
        sizes = {"row": 0.5, "column": 0.5, "magnification": 1.0, name: value}
        with pytest.raises(OptionError, match=name):
            Spacing(source=SpacingSource.USER, **sizes)

    def test_lengths_count_both_directions(self):
        spacing = Spacing(row=2.0, column=0.5, source="PixelSpacing")
        assert spacing.length([0, 0], [6, 2]) == pytest.approx(5.0)
        assert not spacing.is_isotropic

    @given(st.floats(1e-3, 10), st.floats(1e-3, 10), st.sampled_from(SpacingSource), st.floats(0.5, 2), st.text())
    def test_it_survives_its_dictionary(self, row, column, source, magnification, note):
        spacing = Spacing(row, column, source, magnification, note)
        assert Spacing.from_dict(spacing.to_dict()) == spacing


class TestViewerGeometry:
    @given(st.integers(0, 2**32 - 1))
    def test_pixels_survive_the_way_to_the_patient_and_back(self, seed):
        rng = np.random.default_rng(seed)
        axes = np.linalg.qr(rng.standard_normal((3, 3)))[0]
        geometry = ViewerGeometry(
            rng.uniform(-500, 500, 3), axes[0] * rng.uniform(0.1, 2), axes[1] * rng.uniform(0.1, 2)
        )
        xy = rng.uniform(-100, 2000, (7, 2))
        np.testing.assert_allclose(geometry.to_pixels(geometry.to_lps(xy)), xy, atol=1e-6)
        # A point dragged out of the plane of the image falls back onto it.
        np.testing.assert_allclose(geometry.to_pixels(geometry.to_lps(xy) + 5 * axes[2]), xy, atol=1e-6)

    def test_identity_is_one_millimetre_a_pixel(self):
        np.testing.assert_array_equal(ViewerGeometry.identity().to_lps([3.5, 7]), [[3.5, 7, 0]])
