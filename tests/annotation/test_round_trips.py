"""What is written comes back: exactly where a format can hold it, and refused where it cannot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import image_sizes, plain_spines, spines
from vertenet.annotation import FORMATS, Annotation, convert, load, markups, save
from vertenet.errors import AnnotationError, OptionError
from vertenet.radiograph import Radiograph, ViewerGeometry
from vertenet.spine import CORNERS, STANDARD_LEVELS, Corner, CornerName, Level, Spine, Status, Transition, Vertebra

SIZE = (1104, 402)
WRITABLE = [name for name, entry in FORMATS.items() if entry.write]
POSITIONS_ONLY = ["makesense", "authors-mat"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("annotations")


def there_and_back(annotation: Annotation, name: str, folder: Path, **known) -> Annotation:
    (path,) = save([annotation], folder / f"{annotation.image}{FORMATS[name].suffix}", name)
    (found,) = load(path, **known).values()
    return found


@st.composite
def geometries(draw: st.DrawFn) -> ViewerGeometry:
    """Image planes anywhere in the patient, any pixel size."""
    number = st.floats(-300, 300)
    rotation = np.linalg.qr(np.random.default_rng(draw(st.integers(0, 2**32 - 1))).standard_normal((3, 3)))[0]
    steps = draw(st.tuples(st.floats(0.05, 3), st.floats(0.05, 3)))
    origin = draw(st.tuples(number, number, number))
    return ViewerGeometry(origin, rotation[0] * steps[0], rotation[1] * steps[1])


@given(spine=plain_spines(SIZE), name=st.sampled_from(POSITIONS_ONLY))
@settings(max_examples=60, deadline=None)
def test_formats_of_positions_return_the_very_positions(spine, name, folder):
    found = there_and_back(Annotation(spine, "scan", *SIZE), name, folder, anterior=spine.anterior)
    assert found.image == "scan"
    assert found.spine.anterior == spine.anterior
    np.testing.assert_array_equal(found.spine.to_array(), spine.to_array())


@given(spine=plain_spines(), size=image_sizes(), name=st.sampled_from(WRITABLE))
@settings(max_examples=60, deadline=None)
def test_every_format_returns_a_plain_spine_within_a_billionth_of_a_pixel(spine, size, name, folder):
    size = (max(size[0], 1700), max(size[1], 800))
    found = there_and_back(
        Annotation(spine, "scan", *size), name, folder, anterior=spine.anterior, sizes={"scan": size}
    )
    assert found.size == size
    np.testing.assert_allclose(found.spine.to_array(STANDARD_LEVELS), spine.to_array(), rtol=0, atol=1e-9)


@given(spine=spines(SIZE))
@settings(max_examples=80, deadline=None)
def test_coco_returns_statuses_confidences_and_everything_else(spine, folder):
    assert there_and_back(Annotation(spine, "scan.png", *SIZE), "coco", folder) == Annotation(spine, "scan.png", *SIZE)


@given(spine=spines(), geometry=geometries())
@settings(max_examples=80, deadline=None)
def test_markups_return_the_same_spine_whatever_the_geometry(spine, geometry):
    text = markups.dumps(spine, geometry)
    assert markups.loads(text, geometry) == spine
    assert markups.loads(text) == spine


@given(spine=spines(SIZE))
@settings(max_examples=40, deadline=None)
def test_markup_files_keep_name_and_size_of_the_image(spine, folder):
    found = there_and_back(Annotation(spine, "scan.png", *SIZE), "markups", folder)
    assert found == Annotation(spine, "scan.png", *SIZE)


@given(spine=spines(SIZE, midpoints=False))
@settings(max_examples=60, deadline=None)
def test_the_authors_csv_keeps_present_corners_and_scores_and_leaves_the_others_missing(spine, folder):
    known = {"anterior": spine.anterior, "sizes": {"scan": SIZE}}
    found = there_and_back(Annotation(spine, "scan", *SIZE), "authors-csv", folder, **known).spine
    for vertebra in spine:
        assert found[vertebra.level].confidence == vertebra.confidence
        for name in CORNERS:
            corner = found[vertebra.level][name]
            if vertebra[name].is_present:
                np.testing.assert_allclose(corner.xy, vertebra[name].xy, rtol=0, atol=1e-9)
            else:
                assert corner == Corner.missing()


@given(spine=spines(SIZE), name=st.sampled_from(POSITIONS_ONLY))
@settings(max_examples=40, deadline=None)
def test_formats_of_24_points_refuse_a_spine_that_lacks_one_and_name_it(spine, name, folder):
    lacking = [f"{v.level}-{corner}" for v in spine for corner in CORNERS if v[corner].status is not Status.PRESENT]
    path = folder / f"incomplete{FORMATS[name].suffix}"
    path.unlink(missing_ok=True)
    if not lacking:
        save([Annotation(spine, "scan", *SIZE)], path, name)
        return
    with pytest.raises(AnnotationError, match=lacking[0]) as error:
        save([Annotation(spine, "scan", *SIZE)], path, name)
    assert "incomplete" in str(error.value)
    assert "scan" in str(error.value)
    assert not path.exists()


@given(points=st.permutations(range(24)), spine=plain_spines(SIZE))
@settings(max_examples=80, deadline=None)
def test_a_mat_file_in_any_order_of_points_gives_the_same_spine(points, spine, folder):
    from scipy.io import savemat

    path = folder / "shuffled.png.mat"
    savemat(path, {"p2": spine.to_array().reshape(24, 2)[list(points)]})
    found = load(path, anterior=spine.anterior)["shuffled.png"].spine
    np.testing.assert_array_equal(found.to_array(), spine.to_array())


@pytest.mark.parametrize("name", ["coco", "markups"])
def test_levels_beyond_the_six_and_midpoints_survive(name, folder, plain):
    middle = plain[Level.L3].to_array()[:2].mean(axis=0)
    with_midpoint = replace(plain[Level.L3], points={**plain[Level.L3].points, CornerName.SM: Corner(*middle)})
    ends = [
        Vertebra(Level.S1, {"SA": Corner(210.5, 900.25, confidence=0.125)}, 0.5),
        Vertebra(Level.T11, {"IP": Corner(-3.0, 4.0, Status.OUTSIDE)}),
    ]
    kept = [v for v in plain if v.level not in (Level.L3, Level.L5)]
    spine = Spine((*kept, with_midpoint, *ends), plain.anterior, Transition.SACRALISED_L5)
    found = there_and_back(Annotation(spine, "scan", *SIZE), name, folder).spine
    assert found == spine


@pytest.mark.parametrize("name", WRITABLE)
def test_conversion_from_each_format_to_each_other_keeps_the_corners(name, folder, plain):
    images = {"scan": Radiograph(np.zeros(SIZE), geometry=ViewerGeometry.identity(0.4, 0.3))}
    (first,) = save([Annotation(plain, "scan", *SIZE)], folder / f"scan{FORMATS[name].suffix}", name)
    for other in WRITABLE:
        out = folder / f"from-{name}" / f"scan{FORMATS[other].suffix}"
        assert convert(first, out, target_format=other, images=images) == [out]
        (found,) = load(out, other, images=images).values()
        np.testing.assert_allclose(found.spine.to_array(STANDARD_LEVELS), plain.to_array(), rtol=0, atol=1e-9)


def test_conversion_to_markups_uses_the_geometry_of_the_image(folder, plain):
    geometry = ViewerGeometry([5, -7, 11], [0.4, 0, 0], [0, 0, -0.3])
    images = {"scan": Radiograph(np.zeros(SIZE), geometry=geometry)}
    (source,) = save([Annotation(plain, "scan", *SIZE)], folder / "geometry.csv", "makesense")
    (target,) = convert(source, folder / "geometry.mrk.json", images=images)
    import json

    point = json.loads(target.read_text())["markups"][0]["controlPoints"][0]
    x, y = plain[Level.T12]["SA"].xy
    np.testing.assert_allclose(point["position"], [5 + 0.4 * x, -7, 11 - 0.3 * y], atol=1e-9)


def test_several_images_go_into_one_file_or_into_a_folder_of_files(folder, plain):
    both = [Annotation(plain, name, *SIZE) for name in ("b.png", "a.png")]
    for name in WRITABLE:
        target = folder / f"several-{name}" if not FORMATS[name].many else folder / f"several-{name}.json"
        written = save(both, target, name)
        assert len(written) == (1 if FORMATS[name].many else 2)
        assert set(load(target, name, sizes={"a.png": SIZE, "b.png": SIZE})) == {"a.png", "b.png"}


def test_a_folder_with_landmarks_of_one_image_twice_is_refused(tmp_path, plain):
    save([Annotation(plain, "scan", *SIZE)], tmp_path / "one.csv", "makesense")
    save([Annotation(plain, "scan", *SIZE)], tmp_path / "two.json", "coco")
    with pytest.raises(AnnotationError, match=r"two\.json.*scan"):
        load(tmp_path)


def test_two_images_of_one_name_do_not_overwrite_each_other(tmp_path, plain):
    both = [Annotation(plain, name, *SIZE) for name in ("left/scan.png", "right/scan.png")]
    with pytest.raises(AnnotationError, match=r"scan\.png"):
        save(both, tmp_path, "markups")
    assert list(tmp_path.iterdir()) == []


def test_a_file_name_that_fits_two_formats_asks_which(tmp_path, plain):
    with pytest.raises(OptionError, match="makesense"):
        save([Annotation(plain, "scan", *SIZE)], tmp_path / "points.csv")


def test_readings_are_not_written_by_conversion(tmp_path, plain):
    with pytest.raises(OptionError, match="measure"):
        save([Annotation(plain, "scan", *SIZE)], tmp_path / "x.reading.json", "reading")


def test_an_unknown_format_is_answered_with_the_known_ones(tmp_path):
    with pytest.raises(OptionError, match=r"voc.*makesense, authors-mat, authors-csv, coco, markups, reading"):
        load(tmp_path / "x", "voc")
