"""A real OHIF beside a real Orthanc, in a headless Chromium: our points are drawn where they belong."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from tests.e2e.browser import Browser
from tests.e2e.ohif import Viewer, package
from tests.e2e.orthanc import Orthanc
from tests.report.dicom_cases import case
from tests.tools import needs
from vertenet.report.dicom import write_dicom_results

#: Where screenshots are kept; a temporary folder unless it is named.
SHOTS = os.environ.get("VERTENET_SHOTS")
VIEWPORT = "cornerstone.getRenderingEngines()[0].getViewports()[0]"
SHOW_REPORT = """(() => {
  const report = services.displaySetService.getActiveDisplaySets().find(set => set.Modality === 'SR');
  const viewportId = services.viewportGridService.getActiveViewportId();
  services.viewportGridService.setDisplaySetsForViewport(
    {viewportId, displaySetInstanceUIDs: [report.displaySetInstanceUID]});
  return true;
})()"""
#: The page's own answer to "continue tracking measurements?", and the end of its tour.
PRESS = "[...document.querySelectorAll('button')].filter(b => /^({})$/i.test(b.innerText.trim())).map(b => b.click())"
#: Centres of the circles that the viewer draws, CSS pixels of the page, and the box of the viewport.
CIRCLES = """(() => {
  const box = document.querySelector('.viewport-element').getBoundingClientRect();
  const circles = [...document.querySelectorAll('svg.svg-layer circle')].map(circle => {
    const at = circle.getBoundingClientRect();
    return [at.x + at.width / 2 - box.x, at.y + at.height / 2 - box.y];
  });
  return JSON.stringify({circles, width: box.width, height: box.height});
})()"""


def shown(viewer: Viewer, profile: Path, study: str, points: int, picture: Path) -> dict:
    """Circles that OHIF draws for the report of a study, after a person has agreed to go on with it."""
    with Browser(profile) as browser:
        browser.open(f"{viewer.url}/viewer?StudyInstanceUIDs={study}")
        browser.wait_for(f"{VIEWPORT}.getCurrentImageId()", 240)
        browser.run(PRESS.format("skip all"))
        browser.wait_for(SHOW_REPORT, 60)
        browser.wait_for(PRESS.format("yes") + ".length", 120)
        try:
            browser.wait_for(f"document.querySelectorAll('svg.svg-layer circle').length >= {points}", 300)
        finally:
            browser.screenshot(picture)
        return json.loads(browser.run(CIRCLES))


@needs("Orthanc", "chromium|chromium-browser|google-chrome", "npm")
@pytest.mark.long
def test_ohif_draws_every_point_where_it_belongs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ohif")
    built = package(Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "vertenet-tests")
    shots = Path(SHOTS) if SHOTS else folder
    states = ("calibrated", "right", "whole"), ("none", "left", "gaps")
    with Orthanc(folder / "pacs") as pacs, Viewer(built, pacs.dicomweb) as viewer:
        for spacing, side, state in states:
            one = case(folder, f"{spacing}-{side}-{state}", "DX", spacing, side, state)
            for path in (one.image, *write_dicom_results(one.image, one.reading, folder, one.name)):
                pacs.store(path)
            study = dcmread(one.image, stop_before_pixels=True).StudyInstanceUID
            located = {name: corner.xy for name, corner in one.reading.spine.named_points() if corner.is_present}
            picture = shots / f"ohif-{one.name}.png"
            found = shown(viewer, folder / one.name, study, len(located), picture)
            # The image fills the viewport's height or width, centred: nothing here is asked of the viewer.
            rows, columns = one.reading.image.rows, one.reading.image.columns
            scale = min(found["height"] / rows, found["width"] / columns)
            middle = np.array([found["width"], found["height"]]) / 2
            drawn = (np.array(found["circles"]) - middle) / scale + np.array([columns, rows]) / 2 - 0.5
            assert len(drawn) == len(located)
            for name, xy in located.items():
                assert np.hypot(*(drawn - xy).T).min() <= 2.0, f"{one.name} {name}"
