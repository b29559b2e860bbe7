import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vertenet.annotation import Annotation, save
from vertenet.errors import AnnotationError
from vertenet.learning.cases import Case, annotated_cases, case_samples, phantom_cases, split_by_person
from vertenet.learning.samples import CENTRE_LEVELS
from vertenet.phantom import generate, write
from vertenet.spine import STANDARD_LEVELS, Level, Spine

EMPTY = Spine((), "right")


def case(person, name="image"):
    return Case(name, person, "scanner", EMPTY, EMPTY, load=lambda: None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A DICOM image annotated by a person, a phantom with its truth, and a picture that nobody annotated."""
    folder = tmp_path_factory.mktemp("cases")
    dicom = generate(60, difficulty="easy", crop=None)
    image = write(dicom, folder, name="dicom", format="dicom")
    image.with_name("dicom.truth.json").unlink()
    save([Annotation(dicom.truth.spine, image.name, *dicom.radiograph.pixels.shape)], folder / "dicom.mrk.json")
    write(generate(61, difficulty="easy", crop=None), folder, name="phantom")
    write(generate(62, difficulty="easy", crop=None), folder, name="stranger").with_name("stranger.truth.json").unlink()
    return folder


def test_annotated_images_become_cases_in_the_order_of_their_names(folder):
    cases = annotated_cases(folder)
    assert [found.name for found in cases] == ["dicom.dcm", "phantom.png"]
    for found in cases:
        assert found.radiograph().anterior == found.spine.anterior
    assert cases[1].anatomy.levels != cases[1].spine.levels
    assert Level.S1 in cases[1].anatomy
    assert [found.synthetic for found in cases] == [False, True]


def test_a_dicom_header_says_whose_scan_it_is_and_a_table_has_the_last_word(folder, tmp_path):
    dicom, phantom = annotated_cases(folder)
    assert dicom.person.startswith("patient-")
    assert dicom.scanner != "unknown"
    assert phantom.person == "phantom.png"
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with (tmp_path / "cases.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows(
            [("image", "person", "scanner"), ("dicom.dcm", "ada", ""), ("phantom.png", "", "x")]
        )
    named, other = annotated_cases(tmp_path)
    assert (named.person, named.scanner) == ("ada", dicom.scanner)
    assert (other.person, other.scanner) == ("phantom.png", "x")


def test_a_table_without_a_column_of_images_is_refused(folder, tmp_path):
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "cases.csv").write_text("person\nada\n")
    with pytest.raises(AnnotationError, match="no column 'image'"):
        annotated_cases(tmp_path)


def test_levels_that_a_person_did_not_mark_are_not_taught_to_be_absent(folder):
    annotated, phantom = annotated_cases(folder)
    samples = case_samples([annotated, phantom], (128, 64))
    assert samples.taught[0].tolist() == [False, *(level in STANDARD_LEVELS for level in CENTRE_LEVELS)]
    assert samples.taught[1].all()
    assert np.isfinite(samples.centres[0, 1:7]).all()


def test_phantom_cases_draw_truth_now_and_pixels_when_asked():
    (only,) = phantom_cases(1, difficulty="easy", first_seed=1_000_000)
    rows, columns = only.radiograph().pixels.shape
    inside = only.spine.to_array()
    assert np.isfinite(inside).all()
    assert (inside[..., 1] < rows + columns).all()
    assert set(only.grades) == set(only.spine.levels)


people = st.lists(st.text("abcdefghij", min_size=1, max_size=6), min_size=1, max_size=60)


@given(people, st.sampled_from([0.1, 0.15, 0.3]))
def test_a_persons_scans_stay_on_one_side_and_none_is_lost(names, share):
    cases = [case(person, str(i)) for i, person in enumerate(names)]
    training, validation = split_by_person(cases, share)
    sides = [{found.person for found in side} for side in (training, validation)]
    assert not sides[0] & sides[1]
    assert sorted(found.name for found in training + validation) == sorted(str(i) for i in range(len(names)))
    assert training
    assert bool(validation) == (len(set(names)) > 1)
    assert len(sides[1]) >= share * len(set(names)) / 2 - 0.5 or len(set(names)) == 1


def test_nobody_changes_sides_when_others_join():
    first = [case(f"person{i}") for i in range(200)]
    more = first + [case(f"newcomer{i}") for i in range(300)]
    held = {found.person for found in split_by_person(first, 0.15)[1]}
    later = {found.person for found in split_by_person(more, 0.15)[1]}
    assert held == {person for person in later if person.startswith("person")}
    assert 0.08 < len(later) / 500 < 0.22
