"""Windows about the lowest bodies, to learn from: where they lie, and that landmarks go with them."""

from dataclasses import replace

import numpy as np
import pytest

from vertenet.learning.cases import case_samples, phantom_cases
from vertenet.learning.lower_looks import FEWEST, lower_look
from vertenet.learning.samples import make_sample, phantom_samples
from vertenet.phantom import generate


def drawn(seed: int, **switches):
    radiograph, truth = generate(seed, scanner="ge-idxa-de", difficulty="default", crop=None, **switches)
    return radiograph, truth.spine, truth.anatomy


@pytest.mark.parametrize("seed", range(6))
def test_a_window_shows_the_pixels_that_its_landmarks_say(seed):
    radiograph, spine, anatomy = drawn(40)
    cut, moved, whole = lower_look(radiograph, spine, anatomy, np.random.default_rng(seed))
    shift = np.round(spine["L4"]["SA"].xy - moved["L4"]["SA"].xy).astype(int)
    left, top = shift
    np.testing.assert_array_equal(cut.pixels, radiograph.pixels[top : top + cut.rows, left : left + cut.columns])
    assert whole["L4"]["SA"].xy == pytest.approx(moved["L4"]["SA"].xy)
    centres = np.array([v.centre for v in whole if np.isfinite(v.to_array()).all()])
    inside = ((centres >= 0) & (centres < [cut.columns, cut.rows])).all(axis=1)
    assert inside.sum() >= FEWEST
    # The lowest bodies, and no others: the last lumbar one is always among them, the chest seldom.
    assert 0 <= moved["L4"].centre[1] < cut.rows
    assert cut.rows < radiograph.rows


def test_windows_differ_and_an_image_that_faces_left_is_turned():
    radiograph, spine, anatomy = drawn(41)
    sizes = {lower_look(radiograph, spine, anatomy, np.random.default_rng(s))[0].pixels.shape for s in range(6)}
    assert len(sizes) == 6
    columns = radiograph.columns
    turned = radiograph.mirrored(), spine.mirrored(columns), anatomy.mirrored(columns)
    one, other = (lower_look(*image, np.random.default_rng(3)) for image in ((radiograph, spine, anatomy), turned))
    np.testing.assert_array_equal(one[0].pixels, other[0].pixels)
    assert one[1]["L3"]["IA"].xy == pytest.approx(other[1]["L3"]["IA"].xy)


def test_what_nobody_looked_for_stays_unknown_and_too_few_bodies_give_the_image_itself():
    radiograph, spine, _ = drawn(42)
    _, moved, anatomy = lower_look(radiograph, spine, spine, np.random.default_rng(0))
    assert moved is anatomy
    assert not make_sample(radiograph, moved, anatomy, (128, 64)).taught[0, 0]
    three = replace(spine, vertebrae=tuple(spine)[:3])
    assert lower_look(radiograph, three, three, np.random.default_rng(0))[0] is radiograph


def test_samples_of_cases_come_with_their_looks_and_those_of_phantoms_are_kept(tmp_path):
    cases = phantom_cases(2, difficulty="easy", first_seed=1_000_003)
    plain, looks = case_samples(cases, (128, 64)), case_samples(cases, (128, 64), lower=2)
    assert len(looks) == 6
    np.testing.assert_array_equal(looks[[0, 3]].images, plain.images)
    assert (looks.images[1] != looks.images[2]).any()
    np.testing.assert_array_equal(case_samples(cases, (128, 64), lower=2).images, looks.images)
    kept = phantom_samples(tmp_path, 2, (128, 64), difficulty="easy", first_seed=1_000_003, lower=True)
    assert [path.name for path in tmp_path.iterdir()] == ["easy-lower-128x64-1000003-2.npz"]
    assert len(kept) == 2
