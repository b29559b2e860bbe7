"""DICOM results: what they say, what they never say, and that they come back as they went."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from highdicom.sr import ComprehensiveSR
from pydicom import dcmread

from tests.imaging import dicom_files as files
from tests.report.dicom_cases import all_cases, case
from vertenet.annotation import convert, dicom_codes, load
from vertenet.cohort import find_items
from vertenet.errors import AnnotationError, ImageReadError, OptionError
from vertenet.reading import RESEARCH_USE
from vertenet.report.dicom import read_report, write_dicom_results
from vertenet.spine import Status


@pytest.fixture(
    scope="module", params=[pytest.param(3, id="ten"), pytest.param(1, id="thirty", marks=pytest.mark.long)]
)
def results(tmp_path_factory, request):
    """Cases with their structured report and presentation state; ten of the thirty have every value of every kind."""
    folder = tmp_path_factory.mktemp("dicom")
    return [
        (one, *write_dicom_results(one.image, one.reading, folder / "out", one.name))
        for one in all_cases(folder, request.param)
    ]


def everything_said(document) -> str:
    """All text and code meanings of a content tree."""
    said = []
    for item in document.get("ContentSequence", ()):
        said.append(str(item.get("TextValue", "")))
        said += [str(code.CodeMeaning) for code in item.get("ConceptCodeSequence", ())]
        said.append(everything_said(item))
    return "\n".join(filter(None, said))


def located(spine):
    return {name: corner.xy for name, corner in spine.named_points() if corner.is_present}


def test_points_come_back_within_a_hundredth_of_a_pixel(results):
    for one, report, state in results:
        wanted = located(one.reading.spine)
        for path in (report, state):
            if one.reading.quality is not None and not one.reading.quality.typical and path is state:
                continue
            (annotation,) = load(path).values()
            assert annotation.size == (one.reading.image.rows, one.reading.image.columns)
            assert annotation.spine.anterior == one.reading.spine.anterior or not wanted
            found = located(annotation.spine)
            assert list(found) == list(wanted), path.name
            for name, xy in wanted.items():
                np.testing.assert_allclose(found[name], xy, atol=0.01, err_msg=f"{path.name} {name}")


def test_a_reading_comes_back_whole(results):
    for one, report, _ in results:
        was, found = one.reading, read_report(report)
        assert (found.image.rows, found.image.columns) == (was.image.rows, was.image.columns)
        assert found.image.spacing == was.image.spacing, one.name
        assert found.image.sha256 == was.image.sha256
        assert found.image.metadata["SOPInstanceUID"] == was.image.metadata["SOPInstanceUID"]
        assert (found.levels.certain, found.levels.margin) == (was.levels.certain, was.levels.margin)
        assert found.quality == was.quality
        assert (found.model, found.reader, found.warnings) == (was.model, was.reader, was.warnings)
        assert found.notes == was.notes
        assert found.aac == was.aac
        assert found.radius_scale == was.radius_scale
        crop, expected = found.crop, was.crop
        assert (crop.state, crop.segments, crop.causes) == (expected.state, expected.segments, expected.causes)
        assert (crop.reason, crop.factor) == (expected.reason, expected.factor)
        for name in ("fraction", "extent_px", "extent_mm"):
            assert getattr(crop, name) == pytest.approx(getattr(expected, name), abs=1e-6), (one.name, name)
        for (name, corner), (other, again) in zip(was.spine.named_points(), found.spine.named_points(), strict=True):
            assert (name, corner.status) == (other, again.status)
            if corner.is_present:
                assert (corner.confidence, corner.radius) == (again.confidence, again.radius)
            if corner.status is Status.OUTSIDE:
                assert (corner.x, corner.y) == pytest.approx((again.x, again.y))
        for level, vertebra in was.morphometry.vertebrae.items():
            again = found.morphometry.vertebrae[level]
            assert (vertebra.genant is None) == (again.genant is None)
            if vertebra.genant is not None:
                assert vertebra.genant.grade == again.genant.grade
        type(found).from_json(found.to_json())


def test_nothing_is_given_in_millimetres_where_the_pixel_size_is_unknown(results):
    seen = set()
    for one, report, _ in results:
        text = dcmread(report).to_json()
        in_mm = '"mm"' in text
        assert in_mm == (one.reading.image.spacing is not None)
        if not in_mm:
            assert "nothing is given in millimetres" in text
        seen.add(in_mm)
    assert seen == {True, False}


def test_no_code_asserts_a_level_that_could_not_be_confirmed(results):
    """A wrong level that looks sure is the worst that a result can say."""
    named = {code.key for code in dicom_codes.LEVELS.values()}
    suggested = dicom_codes.SUGGESTED_LEVEL.key
    sure = unsure = 0
    for one, report, state in results:
        asserted, names = set(), []

        def look(item, asserted=asserted, names=names):
            for child in item.get("ContentSequence", ()):
                concept = child.ConceptNameCodeSequence[0]
                key = (concept.CodeValue, concept.CodingSchemeDesignator)
                for code in child.get("ConceptCodeSequence", ()):
                    if (code.CodeValue, code.CodingSchemeDesignator) in named and key != suggested:
                        asserted.add(code.CodeMeaning)
                if concept.CodeMeaning == "Tracking Identifier":
                    names.append(child.TextValue)
                look(child)

        document = dcmread(report)
        look(document)
        drawn = [
            graphic.UnformattedTextValue
            for annotation in dcmread(state).GraphicAnnotationSequence
            for graphic in annotation.get("TextObjectSequence", ())
        ]
        if one.reading.levels.certain:
            assert asserted
            assert not any("?" in name for name in names)
            sure += 1
        else:
            assert not asserted, one.name
            assert all("?" in name for name in names if "-" in name), names
            said = everything_said(document)
            assert "Levels could not be confirmed" in said
            assert "LORDOSIS_L1_L5" not in document.to_json()
            assert not any(text in ("T12", "L1", "L2", "L3", "L4", "L5") for text in drawn)
            unsure += 1
    assert 2 * sure == 3 * unsure > 0


def test_every_result_says_what_it_is_for_and_what_was_not_looked_at(results):
    for _, report, state in results:
        said = everything_said(dcmread(report))
        assert RESEARCH_USE in said
        assert "Not assessed: T4 to T10" in said
        texts = [
            graphic.UnformattedTextValue
            for annotation in dcmread(state).GraphicAnnotationSequence
            for graphic in annotation.get("TextObjectSequence", ())
        ]
        assert any(RESEARCH_USE in text for text in texts)


def test_the_model_is_named_by_the_hash_of_its_weights(results):
    for one, report, _ in results:
        said = everything_said(dcmread(report))
        assert (f"weights SHA-256: {'3fa9c12e' + '0' * 56}" in said) == (one.reading.model is not None)


def test_every_measurement_group_has_coordinates(results):
    """OHIF 3.13 shows no point at all of a report in which one group has none."""
    for one, report, _ in results:
        root = dcmread(report)
        (container,) = (c for c in root.ContentSequence if c.ConceptNameCodeSequence[0].CodeValue == "126010")
        for group in container.get("ContentSequence", ()):
            with_coordinates = [
                item
                for child in group.ContentSequence
                for item in (child, *child.get("ContentSequence", ()))
                if item.ValueType == "SCOORD"
            ]
            assert with_coordinates, one.name
            # Nor a point whose group has a number without coordinates of its own.
            if any(item.ValueType == "SCOORD" for item in group.ContentSequence):
                numbers = [item for item in group.ContentSequence if item.ValueType == "NUM"]
                assert all(item.ContentSequence[0].ValueType == "SCOORD" for item in numbers), one.name


def test_no_sequence_is_empty(results):
    """Type 1C: it has items or is not there (dciodvfy says so of a report without a single measurement)."""

    def look(item):
        if "ContentSequence" in item:
            assert len(item.ContentSequence), item.ConceptNameCodeSequence[0].CodeMeaning
            for child in item.ContentSequence:
                look(child)

    for _, report, _ in results:
        look(dcmread(report))


def test_graphics_stay_inside_the_image(results):
    for one, _, state in results:
        limit = np.array([one.reading.image.columns, one.reading.image.rows])
        for annotation in dcmread(state).GraphicAnnotationSequence:
            for graphic in annotation.get("GraphicObjectSequence", ()):
                data = np.reshape(graphic.GraphicData, (-1, 2))
                assert (data >= 0).all()
                assert (data <= limit).all()


def test_a_presentation_state_leaves_the_window_to_the_user(results):
    for _, _, state in results:
        assert "SoftcopyVOILUTSequence" not in dcmread(state)


def test_highdicom_reads_the_points_back(results):
    for one, report, _ in results:
        content = ComprehensiveSR.from_dataset(dcmread(report)).content
        wanted = located(one.reading.spine)
        groups = content.get_planar_roi_measurement_groups() if wanted else []
        assert len(groups) == len(wanted)
        for group, xy in zip(groups, wanted.values()):
            # DICOM's first pixel has its centre at (0.5, 0.5), ours at (0, 0).
            np.testing.assert_allclose(group.roi.value[0], xy + 0.5, atol=0.01)


def test_the_image_is_left_as_it_was(tmp_path):
    for state in ("whole", "unsure"):
        one = case(tmp_path, state, "CR", "none", "right", state)
        before = hashlib.sha256(one.image.read_bytes()).hexdigest(), one.image.stat().st_mtime_ns
        write_dicom_results(one.image, one.reading, tmp_path / "out", state)
        assert (hashlib.sha256(one.image.read_bytes()).hexdigest(), one.image.stat().st_mtime_ns) == before


def test_patient_and_study_are_those_of_the_image_and_the_instances_are_new(results):
    uids = set()
    for one, report, state in results:
        image = dcmread(one.image)
        for path in (report, state):
            made = dcmread(path)
            for keyword in ("PatientID", "PatientName", "PatientBirthDate", "StudyInstanceUID", "AccessionNumber"):
                assert made[keyword].value == image[keyword].value
            assert made.SeriesInstanceUID != image.SeriesInstanceUID
            assert made.SOPInstanceUID == made.file_meta.MediaStorageSOPInstanceUID
            uids |= {made.SOPInstanceUID, made.SeriesInstanceUID}
    assert len(uids) == 4 * len(results)


def test_the_same_reading_written_twice_is_the_same_instance(tmp_path):
    one = case(tmp_path, "a", "DX", "none", "right", "whole")
    first, second = (write_dicom_results(one.image, one.reading, tmp_path / n, "a")[0] for n in ("1", "2"))
    assert dcmread(first).SOPInstanceUID == dcmread(second).SOPInstanceUID
    other = write_dicom_results(one.image, replace(one.reading, notes="looked at again"), tmp_path, "a")
    assert dcmread(other[0]).SOPInstanceUID != dcmread(first).SOPInstanceUID


def test_a_document_is_verified_only_by_a_person_of_an_organization(tmp_path):
    one = case(tmp_path, "a", "DX", "none", "right", "whole")
    path, _ = write_dicom_results(one.image, one.reading, tmp_path, "plain")
    assert dcmread(path).VerificationFlag == "UNVERIFIED"
    path, _ = write_dicom_results(one.image, one.reading, tmp_path, "signed", organization="St Elsewhere")
    signed = dcmread(path)
    assert (signed.VerificationFlag, signed.PreliminaryFlag) == ("VERIFIED", "FINAL")
    assert str(signed.VerifyingObserverSequence[0].VerifyingObserverName) == "Müller^Jörg"
    nobody = case(tmp_path, "b", "DX", "none", "right", "unsure")
    with pytest.raises(OptionError, match="names no reader"):
        write_dicom_results(nobody.image, nobody.reading, tmp_path, "b", organization="St Elsewhere")


def test_names_in_any_character_set_come_through(tmp_path):
    names = {"ISO_IR 100": "Müller^Jürgen", "ISO_IR 144": "Люкceмбypг^A", "ISO_IR 192": "山田^太郎"}
    for number, (characters, name) in enumerate(names.items()):
        one = case(tmp_path, f"n{number}", "CR", "none", "right", "whole")
        image = dcmread(one.image)
        image.SpecificCharacterSet, image.PatientName = characters, name
        files.save(image, one.image)
        for path in write_dicom_results(one.image, one.reading, tmp_path / "out", f"n{number}"):
            assert str(dcmread(path).PatientName) == name


def test_a_header_with_impossible_values_gives_results_without_them(tmp_path):
    one = case(tmp_path, "odd", "CR", "none", "right", "whole")
    image = dcmread(one.image)
    image.PatientSex, image.StudyDate, image.StudyTime = "W", "unknown", "noon"
    del image.StudyID, image.AccessionNumber, image.ReferringPhysicianName
    image.WindowCenter, image.WindowWidth = "128", "256"
    files.save(image, one.image)
    for path in write_dicom_results(one.image, one.reading, tmp_path / "out", "odd"):
        made = dcmread(path)
        assert (made.PatientSex, made.StudyDate, made.StudyID) == ("", "", "")
        assert "SoftcopyVOILUTSequence" not in made


def test_a_colour_secondary_capture_has_a_colour_presentation_state(tmp_path):
    one = case(tmp_path, "rgb", "SC", "none", "right", "whole")
    image = dcmread(one.image)
    image.PhotometricInterpretation, image.SamplesPerPixel, image.PlanarConfiguration = "RGB", 3, 0
    image.PixelData = np.repeat(np.frombuffer(image.PixelData, np.uint8)[:, None], 3, axis=1).tobytes()
    files.save(image, one.image)
    _, state = write_dicom_results(one.image, one.reading, tmp_path / "out", "rgb")
    assert "Color Softcopy" in dcmread(state).SOPClassUID.name
    assert len(located(load(state)["rgb"].spine)) == 26


def test_what_cannot_be_referred_to_is_refused_in_a_sentence(tmp_path):
    one = case(tmp_path, "a", "DX", "none", "right", "whole")
    png = tmp_path / "scan.png"
    files.Image.fromarray(files.ramp(bits=8)).save(png)
    with pytest.raises(OptionError, match="no DICOM file"):
        write_dicom_results(png, one.reading, tmp_path, "png")
    image = dcmread(one.image)
    del image.StudyInstanceUID
    files.save(image, one.image)
    with pytest.raises(ImageReadError, match="StudyInstanceUID"):
        write_dicom_results(one.image, one.reading, tmp_path, "a")
    other = case(tmp_path, "other", "DX", "none", "right", "whole")
    with pytest.raises(OptionError, match="another DICOM image"):
        write_dicom_results(other.image, one.reading, tmp_path, "a")
    small = files.save(files.dataset(files.ramp()), tmp_path / "small.dcm")
    with pytest.raises(OptionError, match="40 x 48"):
        write_dicom_results(small, one.reading, tmp_path, "small")


def test_converting_a_report_keeps_the_places_that_slicer_shows(results, tmp_path):
    one, report, state = next(r for r in results if "calibrated" in r[0].name and "whole" in r[0].name)
    for path in (report, state):
        convert(path, tmp_path / "y.mrk.json")
        again = located(load(tmp_path / "y.mrk.json")[one.name].spine)
        for name, xy in located(one.reading.spine).items():
            np.testing.assert_allclose(again[name], xy, atol=0.01)


def test_results_beside_images_are_not_taken_for_images(tmp_path):
    one = case(tmp_path, "a", "DX", "none", "right", "whole")
    write_dicom_results(one.image, one.reading, tmp_path, "a")
    assert [item.path for item in find_items([tmp_path]).items] == [str(one.image)]


def test_other_dicom_files_are_no_landmarks(tmp_path):
    image = case(tmp_path, "a", "DX", "none", "right", "whole").image
    with pytest.raises(AnnotationError, match="neither a structured report nor a presentation state"):
        load(image)
    report = tmp_path / "half.sr.dcm"
    report.write_bytes(image.read_bytes()[:400])
    with pytest.raises(AnnotationError):
        load(report)
