"""Other people's programs on our DICOM results: validators, dcmtk, and a PACS."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread

from tests.e2e.orthanc import Orthanc
from tests.report.dicom_cases import all_cases
from tests.tools import find_tool, needs
from vertenet.report.dicom import write_dicom_results

pytestmark = pytest.mark.long
PIXELMED = Path("/usr/share/java/pixelmed.jar")
#: Java refuses the validator's own style sheet without these: it has more operators than the default allows.
LIMITS = ["-XX:TieredStopAtLevel=1", *(f"-Djdk.xml.xpath{name}Limit=0" for name in ("ExprOp", "TotalOp", "ExprGrp"))]
VALIDATE = """
import com.pixelmed.validate.DicomSRValidator;

public class Validate {
    public static void main(String[] files) throws Exception {
        DicomSRValidator validator = new DicomSRValidator();
        for (String file : files) System.out.println("== " + file + "\\n" + validator.validate(file));
    }
}
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """30 cases, each with its structured report and presentation state."""
    folder = tmp_path_factory.mktemp("dicom")
    return [(one, *write_dicom_results(one.image, one.reading, folder / "out", one.name)) for one in all_cases(folder)]


def output(*command: object, **options) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=3000, **options)
    return done.stdout + done.stderr


@needs("dciodvfy")
def test_dciodvfy_finds_no_error(results):
    for one, *paths in results:
        for path in paths:
            said = output("dciodvfy", "-new", path)
            assert ("ComprehensiveSR" in said) or ("SoftcopyPresentationState" in said)
            assert "Error" not in said, f"{one.name}: {said}"


@needs("dsrdump")
def test_dcmtk_reads_every_report(results):
    for one, report, _ in results:
        done = subprocess.run(["dsrdump", report], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        assert "Research use only" in done.stdout, one.name


@needs("java")
def test_pixelmed_finds_no_error(results, tmp_path):
    """All in one run of Java, for it takes a minute to read the rules."""
    reports = [report for _, report, _ in results]
    assert PIXELMED.is_file(), "pixelmed-apps is not installed: run tests/install_tools.sh"
    (tmp_path / "Validate.java").write_text(VALIDATE)
    said = output("java", *LIMITS, "-cp", PIXELMED, tmp_path / "Validate.java", *reports)
    assert said.count("Found Root Template TID_1500") == said.count("IOD validation complete") == len(reports), said
    assert [line for line in said.splitlines() if line.startswith("Error")] == []


@needs("dcmp2pgm")
def test_dcmtk_shows_the_image_through_the_presentation_state_with_bone_bright(results, tmp_path):
    """It draws no annotations (its manual says so), but it must accept the state and keep the polarity."""
    for one, *_ in results[:5]:
        for polarity in ("MONOCHROME2", "MONOCHROME1"):
            image = dcmread(one.image)
            if polarity == "MONOCHROME1":
                image.PixelData = (255 - image.pixel_array).tobytes()
            image.PhotometricInterpretation = polarity
            image.save_as(tmp_path / "image.dcm", write_like_original=False)
            _, state = write_dicom_results(tmp_path / "image.dcm", one.reading, tmp_path, "x")
            drawn = tmp_path / "x.pgm"
            done = subprocess.run(["dcmp2pgm", "--pstate", state, tmp_path / "image.dcm", drawn], capture_output=True)
            assert done.returncode == 0, done.stderr
            shown, meant = np.asarray(Image.open(drawn), float), dcmread(one.image).pixel_array
            assert np.corrcoef(shown.ravel(), meant.ravel())[0, 1] > 0.95, (one.name, polarity)


@needs("Orthanc")
def test_orthanc_stores_and_finds_every_result(results, tmp_path):
    with Orthanc(tmp_path / "pacs") as pacs:
        for one, report, state in results:
            for path in (one.image, report, state):
                pacs.store(path)
        for one, report, state in results:
            study = dcmread(one.image, stop_before_pixels=True).StudyInstanceUID
            found = {each["MainDicomTags"]["SOPInstanceUID"] for each in pacs.find(StudyInstanceUID=study)}
            assert {dcmread(path).SOPInstanceUID for path in (report, state)} < found
            assert len(found) == 3


def test_a_run_that_demands_the_tools_has_them():
    """Where tests/install_tools.sh was run, no test of this file may pass by being left out."""
    if os.environ.get("VERTENET_REQUIRE_TOOLS") != "1":
        pytest.skip("VERTENET_REQUIRE_TOOLS is not 1")
    wanted = ("dciodvfy", "dsrdump", "java", "dcmp2pgm", "Orthanc", "chromium", "npm")
    assert [name for name in wanted if find_tool(name) is None] == []
