"""Every switch does what it says and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from vertenet.errors import OptionError
from vertenet.phantom import Switches, difficulties, generate
from vertenet.phantom.anatomy import sample_column
from vertenet.phantom.aorta import _pieces, sample_aorta, thirds_grade
from vertenet.phantom.corridor import SEGMENTS, corridor_of
from vertenet.phantom.difficulty import difficulty_of
from vertenet.phantom.draw import draw_switches
from vertenet.phantom.profiles import scanner_profile
from vertenet.spine import Transition

QUIET = {
    "crop": None, "blanking": None, "jpeg": None, "text": False, "motion": 0.0, "gas": 0.0, "stones": 0, "metal": None,
    "osteophytes": 0.0, "fracture": (), "scoliosis": 0.0, "rotation": 0.0, "lstv": "none", "collapsed_disc": (),
    "aac": 0, "tone": 0.0, "clipped_top": False, "clipped_bottom": False, "bone": 1.0, "overlap": 1.0, "noise": 0.5,
}  # fmt: skip


def image(seed=2, scanner="ge-prodigy-se", **switches):
    return generate(seed, scanner=scanner, **{**QUIET, **switches})


def changed(a, b):
    return np.abs(a.radiograph.pixels - b.radiograph.pixels) > 12


@pytest.fixture(scope="module")
def plain():
    return image()


def test_gas_is_dark_in_front_of_and_over_the_lower_lumbar_spine(plain):
    gas = image(gas=1.0)
    darker = plain.radiograph.pixels - gas.radiograph.pixels
    centre = plain.truth.spine["L4"].centre
    rows = slice(int(centre[1]) - 150, int(centre[1]) + 150)
    assert darker[rows].max() > 30
    assert gas.truth.spine == plain.truth.spine


def test_stones_and_metal_are_bright():
    base = image(scanner="ge-prodigy-de")
    for switch in ({"stones": 3}, {"metal": "screws"}, {"metal": "clips"}, {"metal": "button"}):
        other = image(scanner="ge-prodigy-de", **switch)
        brighter = other.radiograph.pixels - base.radiograph.pixels
        assert brighter.max() > 60, switch
        assert other.truth.spine == base.truth.spine


def test_osteophytes_grow_in_front_of_the_corners():
    base, spurs = image(scanner="ge-prodigy-de"), image(scanner="ge-prodigy-de", osteophytes=1.0)
    mask = changed(base, spurs)
    assert mask.any()
    fronts = base.truth.anatomy.to_array(("L1", "L2", "L3", "L4"), ("SA", "IA"))[..., 0]
    ys = base.truth.spine.to_array(("L1", "L4"))[..., 1]
    lumbar = np.argwhere(mask[int(ys[0].min()) : int(ys[1].max())])
    assert lumbar[:, 1].mean() > fronts.min() - 5


def test_calcification_shows_in_front_of_the_spine():
    base, hard = image(scanner="ge-prodigy-de"), image(scanner="ge-prodigy-de", aac=24)
    top, bottom = (base.truth.spine[level].centre[1] for level in ("L1", "L4"))
    brighter = (hard.radiograph.pixels - base.radiograph.pixels)[int(top) : int(bottom)]
    assert (brighter > 15).sum() > 100
    assert hard.truth.aac_total == 24


@pytest.mark.parametrize("total", [0, 1, 5, 13, 24])
def test_aac_cells_follow_the_thirds_rule_and_add_up(total):
    for seed in range(6):
        column = sample_column(seed, Switches())
        aorta = sample_aorta(column, corridor_of(column), total, seed)
        assert sum(thirds_grade(share) for share in aorta.shares.values()) == total
        for cell, pieces in aorta.plaques.items():
            assert all(b > a for a, b in pieces)
            assert all(nxt[0] >= this[1] - 1e-9 for this, nxt in zip(pieces, pieces[1:]))
            assert (aorta.shares[cell] > 0) == bool(pieces)


@pytest.mark.parametrize(("share", "grade"), [(0, 0), (1e-6, 1), (1 / 3, 1), (0.34, 2), (2 / 3, 2), (0.67, 3), (1, 3)])
def test_the_thirds_rule_at_its_boundaries(share, grade):
    assert thirds_grade(share) == grade


@pytest.mark.parametrize("grade", [0, 1, 2, 3])
def test_plaque_pieces_have_the_length_of_their_grade(grade):
    rng = np.random.default_rng(0)
    for _ in range(50):
        pieces = _pieces(grade, rng)
        assert thirds_grade(sum(b - a for a, b in pieces)) == grade
        assert all(0 <= a < b <= 1 for a, b in pieces)


def test_aac_totals_have_the_published_distribution():
    totals = np.array(
        [draw_switches(s, difficulty_of("default"), scanner_profile("hologic-horizon"), {}).aac for s in range(600)]
    )
    assert np.mean(totals <= 1) == pytest.approx(0.45, abs=0.06)
    assert np.mean(totals > 5) == pytest.approx(0.19, abs=0.05)


def test_scoliosis_and_rotation_tilt_the_bodies():
    straight, bent = (sample_column(3, Switches(scoliosis=s, rotation=s)) for s in (0.0, 20.0))
    assert max(abs(b.coronal) for b in straight.bodies) < 6
    assert max(abs(b.coronal) for b in bent.bodies) > 15
    assert max(abs(b.axial) for b in bent.bodies) > 10
    for a, b in zip(straight.bodies, bent.bodies):
        np.testing.assert_allclose(a.corners, b.corners)


def test_noise_grows_with_thickness():
    def grain(**switches):
        pixels = image(**switches).radiograph.pixels
        return np.abs(np.diff(pixels[-250:-50, 150:300], axis=0)).mean()

    assert grain(thickness="thick") > 1.4 * grain(thickness="thin")
    assert grain(noise=3.0) > 1.5 * grain(noise=0.5)


def test_motion_moves_the_truth_with_the_image(plain):
    swayed = image(motion=2.0)
    shift = swayed.truth.spine.to_array()[..., 0] - plain.truth.spine.to_array()[..., 0]
    assert np.ptp(shift) > 0.2
    assert np.abs(shift).max() <= 2.0
    np.testing.assert_array_equal(swayed.truth.spine.to_array()[..., 1], plain.truth.spine.to_array()[..., 1])
    for corner, moved in zip(plain.truth.spine["L3"].points.values(), swayed.truth.spine["L3"].points.values()):
        before = plain.radiograph.pixels[round(corner.y), round(corner.x) - 12 : round(corner.x) + 13]
        after = swayed.radiograph.pixels[round(moved.y)]
        errors = [
            np.abs(after[round(corner.x) - 12 + s : round(corner.x) + 13 + s] - before).mean() for s in range(-4, 5)
        ]
        assert abs((np.argmin(errors) - 4) - (moved.x - corner.x)) <= 1.6


def test_depth_inversion_text_jpeg_and_blur(plain):
    assert len(np.unique(image(bits=12).radiograph.pixels)) > 1000
    turned = image(inverted=True).radiograph.pixels
    np.testing.assert_allclose(turned, 255 - plain.radiograph.pixels, atol=1)  # both are rounded
    assert changed(plain, image(text=True)).any()
    assert not np.array_equal(image(jpeg=50).radiograph.pixels, plain.radiograph.pixels)
    sharp, soft = (np.abs(np.diff(image(blur=b, noise=0.0).radiograph.pixels, axis=0)).mean() for b in (0.5, 2.5))
    assert soft < sharp


def test_bone_overlap_and_tone_change_the_look_and_not_the_truth(plain):
    for switch in ({"bone": 1.5}, {"overlap": 2.0}, {"tone": 1.0}):
        other = image(**switch)
        assert changed(plain, other).any(), switch
        assert other.truth.spine == plain.truth.spine


def test_unknown_spacing_is_withheld_from_the_image_alone():
    radiograph, truth = image(spacing_unknown=True)
    assert radiograph.spacing is None
    assert truth.spacing.row == 0.44


def test_true_and_false_mean_usual_and_none():
    forced = draw_switches(
        0,
        difficulty_of("hard"),
        scanner_profile("hologic-horizon"),
        {"gas": True, "scoliosis": False, "collapsed_disc": True},
    )
    assert (forced.gas, forced.scoliosis, forced.collapsed_disc) == (0.8, 0.0, ("L4/L5",))


@pytest.mark.parametrize(
    "wrong",
    [
        {"colour": "red"},
        {"crop": "green"},
        {"gas": 7},
        {"fracture": ("T4", "wedge", 1)},
        {"fracture": ("L1", "wedge", 4)},
        {"lstv": "unknown"},
        {"collapsed_disc": "L5/S1"},
        {"bits": 9},
        {"thickness": "enormous"},
        {"thickness": True},
        {"fracture": True},
    ],
)
def test_a_wrong_switch_is_refused_in_a_sentence(wrong):
    with pytest.raises(OptionError, match=next(iter(wrong)).split("_")[0][:5]):
        generate(0, **wrong)


@pytest.mark.parametrize("difficulty", difficulties())
def test_drawn_switches_are_valid_and_round_trip(difficulty):
    from vertenet.phantom.switches import checked

    for seed in range(80):
        drawn = draw_switches(seed, difficulty_of(difficulty), scanner_profile("ge-idxa-de"), {})
        assert Switches.from_dict(drawn.to_dict()) == drawn
        for name, value in drawn.__dict__.items():
            assert checked(name, value) == value


def test_training_never_turns_the_polarity_or_the_patient_round():
    for seed in range(200):
        drawn = draw_switches(seed, difficulty_of("training"), scanner_profile("hologic-horizon"), {})
        assert not drawn.inverted
        assert drawn.anterior == "right"


def test_four_lumbar_vertebrae_keep_an_aac_cell_for_each_segment():
    _, truth = generate(5, lstv=Transition.SACRALISED_L5, aac=10)
    assert [level.value for level in truth.aac] == list(SEGMENTS)
    assert truth.aac_total == 10


def within(phantom, level, grow=0.0):
    """Pixels of the box about a level's centre; ``grow`` of its height more on every side."""
    xy = phantom.truth.anatomy[level].to_array()
    low, high = xy.min(axis=0), xy.max(axis=0)
    more = grow * (high - low)
    (x0, y0), (x1, y1) = (low - more).astype(int).clip(0), (high + more).astype(int)
    return phantom.radiograph.pixels[y0:y1, x0:x1]


PELVIS = {"residue": 0.5, "saturation": 0.8, "posterior": 1.0, "crests": 0.6, "arm": 0.0, "lines": None}


def test_a_strong_pelvis_makes_l5_whiter_than_l4_and_leaves_l3_nearly_as_it_was():
    faint, strong = (image(scanner="ge-idxa-de", **{**PELVIS, "pelvis": p}) for p in (0.2, 2.5))
    assert within(strong, "L5").mean() > 1.5 * within(strong, "L4").mean()
    assert within(strong, "L5").mean() > within(faint, "L5").mean() + 40
    # The display's white lies where little of the patient is denser: a denser pelvis moves it a little.
    np.testing.assert_allclose(within(strong, "L3").mean(), within(faint, "L3").mean(), rtol=0.1)
    assert strong.truth.spine == faint.truth.spine


def test_the_first_sacral_body_can_be_lost_in_the_pelvis():
    low = {"pelvis": 0.5, "field_bottom": 2.0, "saturation": 2.0}
    shown, lost = (image(scanner="ge-idxa-de", **{**PELVIS, **low, "sacrum": s}) for s in (1.0, 0.0))
    assert within(shown, "S1").mean() > within(lost, "S1").mean() + 5
    np.testing.assert_allclose(within(shown, "L4").mean(), within(lost, "L4").mean(), rtol=0.1)


def test_heavy_arches_stand_white_behind_grey_bodies():
    light, heavy = (image(scanner="ge-idxa-de", **{**PELVIS, "posterior": p}) for p in (1.0, 3.5))
    behind = [int(light.truth.spine["L2"].points["SP"].x) - 80, int(light.truth.spine["L2"].points["SP"].x) - 8]
    row = int(light.truth.spine["L2"].centre[1])
    a, b = (p.radiograph.pixels[row - 20 : row + 60, behind[0] : behind[1]].mean() for p in (light, heavy))
    assert b / within(heavy, "L2").mean() > 1.5 * a / within(light, "L2").mean()


def test_the_upper_half_of_a_body_goes_on_behind_its_wall_and_the_foramen_below_is_dark():
    shown = image(scanner="ge-idxa-de", **{**PELVIS, "posterior": 0.5})
    for level in ("L2", "L3"):
        sp, ip = (shown.truth.spine[level].points[name].xy for name in ("SP", "IP"))
        pedicle, foramen = (sp + share * (ip - sp) - [12, 0] for share in (0.35, 1.05))
        grey = [
            shown.radiograph.pixels[int(y) - 3 : int(y) + 4, int(x) - 4 : int(x) + 5].mean()
            for x, y in (pedicle, foramen)
        ]
        assert grey[0] > 0.8 * within(shown, level).mean()
        assert grey[1] < 0.5 * within(shown, level).mean()


@pytest.mark.parametrize(("bottom", "s1"), [(-0.4, False), (1.2, True)])
def test_the_field_ends_where_it_is_told_to(bottom, s1):
    phantom = image(scanner="ge-idxa-de", field_bottom=bottom)
    truth, rows = phantom.truth, phantom.truth.rows
    lowest = truth.anatomy["L5"].to_array()[:, 1].max()
    depth = np.linalg.norm(np.subtract(*truth.anatomy["L3"].to_array()[:2]))
    # Never inside the aortic corridor, which ends at the last disc.
    assert (rows - lowest) / depth == pytest.approx(bottom, abs=0.3)
    assert bool(truth.anatomy["S1"].centre[1] < rows) is s1


def test_bodies_can_be_little_more_than_two_endplates():
    plain, hollow = (image(scanner="ge-prodigy-de", cancellous=c, saturation=1.0) for c in (1.0, 0.2))
    centre = plain.truth.spine["L2"].centre.astype(int)
    inside = np.s_[centre[1] - 8 : centre[1] + 8, centre[0] - 12 : centre[0] + 12]
    assert hollow.radiograph.pixels[inside].mean() < 0.75 * plain.radiograph.pixels[inside].mean()


def test_arm_lines_and_seam_change_the_picture_and_not_the_truth():
    base = image(scanner="spine-film", seam=False, lines=None, arm=0.0)
    for switch in ({"arm": 1.0}, {"lines": "grid"}, {"lines": "boxes"}, {"seam": True}):
        other = image(scanner="spine-film", **{"seam": False, "lines": None, "arm": 0.0, **switch})
        assert changed(base, other).mean() > 0.001, switch
        assert other.truth.spine == base.truth.spine


def test_a_construct_joins_many_vertebrae_and_a_cage_lies_in_a_disc():
    base = image(scanner="lumbar-film")
    metal = {kind: changed(base, image(scanner="lumbar-film", metal=kind)) for kind in ("screws", "construct", "cage")}
    assert metal["construct"].sum() > metal["screws"].sum() > 0
    assert metal["cage"].any()
