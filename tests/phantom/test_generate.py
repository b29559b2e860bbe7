"""Images: reproducible, complete over profiles and difficulties, and true to their landmarks."""

from __future__ import annotations

import numpy as np
import pytest

from vertenet.errors import OptionError
from vertenet.phantom import PhantomTruth, difficulties, generate, scanners
from vertenet.phantom.anatomy import sample_column
from vertenet.phantom.canvas import Canvas, Field
from vertenet.phantom.solids import project_body
from vertenet.phantom.switches import Switches
from vertenet.radiograph import SpacingSource
from vertenet.spine import CORNERS, MIDPOINTS, STANDARD_LEVELS, Status

CALM = {"crop": None, "jpeg": None, "motion": 0.0, "gas": 0.0, "metal": None, "stones": 0, "scoliosis": 0.0}


def test_the_same_arguments_give_the_same_bytes():
    first, again, other = generate(7), generate(7), generate(8)
    assert first.radiograph.pixels.tobytes() == again.radiograph.pixels.tobytes()
    assert first.truth == again.truth
    assert first.radiograph.pixels.tobytes() != other.radiograph.pixels.tobytes()


@pytest.mark.parametrize("difficulty", difficulties())
@pytest.mark.parametrize("scanner", scanners())
def test_every_profile_generates_at_every_difficulty(scanner, difficulty):
    radiograph, truth = generate(3, scanner=scanner, difficulty=difficulty)
    assert radiograph.pixels.shape == (truth.rows, truth.columns)
    assert radiograph.name == f"phantom-{scanner}-3"
    assert radiograph.anterior == truth.anterior == truth.spine.anterior
    assert truth.spine.levels == STANDARD_LEVELS
    assert truth.spacing.source is SpacingSource.PHANTOM
    assert radiograph.spacing in (truth.spacing, None)
    assert radiograph.pixels.std() > 5
    assert PhantomTruth.from_json(truth.to_json()) == truth


def test_the_matrix_of_a_profile_is_one_of_its_sizes():
    profile = scanners()["ge-idxa-se"]
    radiograph, truth = generate(2, scanner=profile.name, clipped_top=False)
    assert (radiograph.rows, radiograph.columns) in profile.sizes
    assert truth.spacing.row == truth.spacing.column == profile.spacing_mm


def test_unknown_names_and_bad_seeds_are_refused_in_a_sentence():
    with pytest.raises(OptionError, match="hologic-horizon"):
        generate(0, scanner="nokia")
    with pytest.raises(OptionError, match="training"):
        generate(0, difficulty="insane")
    with pytest.raises(OptionError, match="seed"):
        generate(-1)


@pytest.mark.parametrize("seed", range(4))
def test_a_point_is_outside_if_and_only_if_it_lies_beyond_the_image(seed):
    for switches in ({"clipped_top": True}, {"clipped_bottom": True}, {"crop": "border"}):
        _, truth = generate(seed, difficulty="hard", **switches)
        for _, corner in truth.anatomy.named_points():
            x, y = corner.xy
            beyond = not (-0.5 <= x <= truth.columns - 0.5 and -0.5 <= y <= truth.rows - 0.5)
            assert (corner.status is Status.OUTSIDE) == beyond


def test_clipped_fields_lose_the_level_they_name():
    _, top = generate(4, clipped_top=True)
    assert any(top.spine["T12"][name].status is Status.OUTSIDE for name in CORNERS)
    assert all(top.spine["L1"][name].status is not Status.OUTSIDE for name in CORNERS)
    _, bottom = generate(4, clipped_bottom=True)
    assert any(bottom.spine["L5"][name].status is Status.OUTSIDE for name in CORNERS)
    assert all(bottom.spine["L4"][name].status is not Status.OUTSIDE for name in CORNERS)


def test_a_point_under_a_blanked_region_cannot_be_evaluated():
    found = 0
    for seed in range(12):
        _, truth = generate(seed, scanner="ge-prodigy-de", crop="white")
        mask = truth.crop.blanked_mask(truth.rows, truth.columns)
        for _, corner in truth.anatomy.named_points():
            if corner.status is Status.OUTSIDE:
                continue
            hidden = mask[round(corner.y), round(corner.x)]
            assert (corner.status is Status.UNEVALUABLE) == hidden
            found += hidden
    assert found < 12  # a staircase runs beside the spine, not over it


def test_the_projected_endplates_lie_at_their_landmarks():
    column = sample_column(11, Switches())
    field = Field(1000, 600, -90.0, -200.0, 0.3, 0.3)
    for level in ("T12", "L1", "L2", "L3", "L4", "L5"):
        canvas = Canvas(field)
        body = column[level]
        project_body(canvas, body)
        down = np.array([-body.forward[1], body.forward[0]])
        for middle, inward in ((body.sm, down), (body.im, -down)):
            steps = np.arange(-3, 6, 0.1)
            path = field.to_pixels(middle + steps[:, None] * inward)
            profile = canvas.mass[np.rint(path[:, 1]).astype(int), np.rint(path[:, 0]).astype(int)]
            assert abs(steps[np.argmax(profile)]) < 1.3  # the brightest line is the endplate, a millimetre thick
        mass = canvas.mass > 0.25
        rows, columns = np.nonzero(mass)
        box = field.to_pixels(body.corners)
        assert columns.min() == pytest.approx(box[:, 0].min(), abs=4)
        assert columns.max() == pytest.approx(box[:, 0].max(), abs=4)
        assert rows.min() == pytest.approx(box[:, 1].min(), abs=5)
        assert rows.max() == pytest.approx(box[:, 1].max(), abs=5)


@pytest.mark.parametrize("scanner", ["hologic-horizon", "ge-idxa-de"])
def test_endplates_are_brighter_than_discs_in_the_image(scanner):
    contrast = []
    for seed in range(3):
        radiograph, truth = generate(seed, scanner=scanner, difficulty="easy", fracture=(), **CALM)
        for upper, lower in (("L1", "L2"), ("L2", "L3")):
            plate, disc = truth.spine[upper]["IM"].xy, (truth.spine[upper]["IM"].xy + truth.spine[lower]["SM"].xy) / 2
            values = [
                radiograph.pixels[int(y) - 1 : int(y) + 3, int(x) - 4 : int(x) + 5].max(0).mean()
                for x, y in (plate, disc)
            ]
            contrast.append(values[0] - values[1])
    assert min(contrast) > 5


def test_a_left_facing_image_is_the_mirror_of_the_right_facing_one():
    right, left = (generate(6, anterior=side, jpeg=None, text=False, crop="black") for side in ("right", "left"))
    assert np.array_equal(left.radiograph.pixels, right.radiograph.pixels[:, ::-1])
    assert left.radiograph.anterior == left.truth.spine.anterior == "left"
    mirrored = right.truth.spine.mirrored(right.truth.columns)
    points = (*CORNERS, *MIDPOINTS)
    np.testing.assert_allclose(left.truth.spine.to_array(corners=points), mirrored.to_array(corners=points), atol=1e-9)
    assert np.array_equal(
        left.truth.crop.blanked_mask(left.truth.rows, left.truth.columns),
        right.truth.crop.blanked_mask(right.truth.rows, right.truth.columns)[:, ::-1],
    )
