"""The one view: fitted, upright, flipped, in windows for bone and soft tissue, and as a picture."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from vertenet.errors import OptionError
from vertenet.imaging import read

from . import files
from .conftest import sample, truth_of


def picture(stage, path) -> np.ndarray:
    stage.view.capture(path)
    return np.asarray(Image.open(path).convert("L"), dtype=np.float64)


def as_served(world, path, flipped: bool = False) -> np.ndarray:
    """The image as the server sees it, scaled into the view like the view scales it."""
    served = Image.fromarray(np.rint(read(path).pixels).astype(np.uint8))
    scale = min(world.width / served.width, world.height / served.height)
    size = (round(served.width * scale), round(served.height * scale))
    canvas = Image.new("L", (world.width, world.height))
    corner = ((world.width - size[0]) // 2, (world.height - size[1]) // 2)
    canvas.paste(served.resize(size, Image.Resampling.BILINEAR), corner)
    return np.asarray(canvas.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flipped else canvas, dtype=np.float64)


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


@pytest.mark.parametrize("number", [1, 2, 9, 10, 11])
def test_the_view_shows_the_file_upright_fitted_and_bone_bright(world, stage, tmp_path, number):
    stage.load(sample(number), "image")
    shown = picture(stage, tmp_path / "view.png")
    assert likeness(shown, as_served(world, sample(number))) > 0.98
    stage.view.set_flipped(True)
    assert stage.view.is_flipped()
    shown = picture(stage, tmp_path / "view.png")
    assert likeness(shown, as_served(world, sample(number), flipped=True)) > 0.98
    stage.view.set_flipped(False)
    assert likeness(picture(stage, tmp_path / "view.png"), as_served(world, sample(number))) > 0.98


@pytest.mark.parametrize(
    "direction",
    [
        (1, 0, 0, 0, 1, 0, 0, 0, 1),
        (0, 0, 1, -1, 0, 0, 0, -1, 0),
        (0, 0, -1, 1, 0, 0, 0, -1, 0),
        (0, 0, 1, 1, 0, 0, 0, 1, 0),
        (0, 0, 1, 0, -1, 0, -1, 0, 0),
        (0, 0, 1, -0.8, 0.6, 0, -0.6, -0.8, 0),
    ],
    ids=["axial", "sagittal, anterior right", "sagittal, anterior left", "foot first", "on its side", "oblique"],
)
def test_however_the_volume_lies_in_space_it_is_shown_as_the_server_sees_it(world, stage, tmp_path, direction):
    path = files.volume(tmp_path / "a.nrrd", direction, spacing=(0.5, 0.5, 1.0))
    stage.load(path, "image")
    assert likeness(picture(stage, tmp_path / "view.png"), as_served(world, path)) > 0.98


def test_presets_change_the_window_and_nothing_else(world, stage, tmp_path):
    stage.load(sample(2), "image")
    volume = world.scene.GetNodeByID(stage.image.volume_id)
    values = volume.GetImageData().GetScalarRange()
    shown = {}
    for preset in ("bone", "soft tissue", "inverted"):
        stage.view.set_preset(preset)
        shown[preset] = picture(stage, tmp_path / f"{preset}.png")
    served = as_served(world, sample(2))
    inside = served > 8
    assert likeness(shown["inverted"][inside], served[inside]) < -0.95
    assert shown["soft tissue"][inside].mean() > shown["bone"][inside].mean() + 10
    assert volume.GetImageData().GetScalarRange() == values
    with pytest.raises(OptionError, match="Choose one of bone"):
        stage.view.set_preset("lung")


def test_the_window_for_bone_is_the_one_in_the_file(world, stage, tmp_path):
    stage.load(files.dicom(tmp_path / "a.dcm", bits=12, WindowCenter="2048", WindowWidth="1000"), "image")
    display = world.scene.GetNodeByID(stage.image.volume_id).GetDisplayNode()
    assert display.GetLevel() == pytest.approx(2048, abs=12)
    assert display.GetWindow() == pytest.approx(1000, abs=25)


def test_jumping_brings_a_point_to_the_middle_and_fit_brings_the_image_back(world, stage):
    stage.load(sample(2), "image")
    stage.landmarks.show(truth_of(sample(2)))
    middle = world.width // 2, world.height // 2
    before = world.to_display(stage.landmarks.position("L5-IP"))
    assert np.abs(np.subtract(before, middle)).max() > 50
    stage.view.jump_to("L5-IP")
    assert np.abs(np.subtract(world.to_display(stage.landmarks.position("L5-IP")), middle)).max() <= 1
    stage.view.jump_to("no such point")
    stage.view.fit()
    assert world.to_display(stage.landmarks.position("L5-IP")) == before


def test_flipping_moves_no_landmark_and_a_fit_keeps_the_view_flipped(world, stage):
    spine = truth_of(sample(2))
    stage.load(sample(2), "image")
    stage.landmarks.show(spine)
    left = world.to_display(stage.landmarks.position("L3-SA"))
    stage.view.set_flipped(True)
    right = world.to_display(stage.landmarks.position("L3-SA"))
    assert abs(left[0] + right[0] - world.width) <= 2
    assert left[1] == right[1]
    assert stage.landmarks.spine() == spine
    stage.view.fit()
    assert world.to_display(stage.landmarks.position("L3-SA")) == right
    stage.load(sample(1), "next")
    assert not stage.view.is_flipped()


def test_points_are_drawn_on_their_pixels(world, stage, tmp_path):
    """The crosses of the landmarks, by their colour, where the view puts the corners."""
    stage.load(sample(2), "image")
    stage.landmarks.show(truth_of(sample(2)))
    for kind in ("guides", "bands", "corridor", "crop", "labels", "levels"):
        stage.overlays.set_visible(kind, False)
    stage.view.capture(tmp_path / "view.png")
    rgb = np.asarray(Image.open(tmp_path / "view.png").convert("RGB"), dtype=np.int64)
    green = (rgb[..., 1] - rgb[..., 0] > 40) & (rgb[..., 1] - rgb[..., 2] > 40)
    for name, corner in truth_of(sample(2)).named_points():
        if corner.is_present and not name.endswith("M"):
            x, y = world.to_display(stage.landmarks.position(name))
            row = world.height - 1 - y
            assert green[row - 3 : row + 4, x - 3 : x + 4].any(), name


def test_a_view_without_an_image_does_nothing(stage):
    stage.view.fit()
    stage.view.set_preset("bone")
    stage.view.jump_to("L1-SA")
    assert not stage.view.is_flipped()
