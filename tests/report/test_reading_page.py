"""The page and the text of a reading: what was assessed, what was not, and nothing that looks surer than it is."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from tests.e2e.browser import Browser
from tests.measure.scenes import radiograph, straight_spine, tissue
from tests.report.cases import MODEL, cropped, unsure
from tests.tools import needs
from vertenet.assess import assess
from vertenet.measure.aac import Aac24
from vertenet.reading import RESEARCH_USE, Levels, Quality, Reading
from vertenet.report.height_errors import change_words, height_of
from vertenet.report.plain_text import plain_text
from vertenet.report.reading_page import write_reading_page
from vertenet.spine import Level, Spine, Vertebra


def with_radii(reading: Reading, radius: float) -> Reading:
    vertebrae = [
        Vertebra(v.level, {name: replace(c, radius=radius) for name, c in v.points.items()}) for v in reading.spine
    ]
    return replace(reading, spine=replace(reading.spine, vertebrae=tuple(vertebrae)))


def whole(spacing: float | None = 0.5, loss: float = 0.0) -> tuple:
    """A reading without a fault; ``loss`` of the anterior height of L2, a share."""
    xy = straight_spine().to_array()
    xy[2, 0, 1] += loss * (xy[2, 2, 1] - xy[2, 0, 1])
    image = radiograph(tissue(), spacing=spacing)
    return image, assess(image, Spine.from_array(xy), model=MODEL)


class Words(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.words, self.links = [], []
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attributes) -> None:
        self.links += [value for name, value in attributes if name in ("src", "href")]

    def __str__(self) -> str:
        return " ".join(self.words)


def test_the_page_needs_nothing_beside_it_and_says_what_the_text_says(tmp_path):
    for number, (image, reading) in enumerate((cropped(), unsure())):
        page, text = write_reading_page(image, reading, tmp_path, f"case-{number}")
        words = Words(page.read_text("utf-8"))
        assert all(link.startswith("data:image/png;base64,") for link in words.links)
        for line in text.read_text("utf-8").splitlines():
            assert " ".join(line.split()) in " ".join(str(words).replace("±", "+/-").split())
        assert RESEARCH_USE in str(words)


def test_levels_that_were_and_were_not_assessed_are_named():
    _, reading = whole()
    text = plain_text(reading)
    assert "Levels assessed: T12, L1, L2, L3, L4, L5." in text
    assert "Not assessed: T4 to T10, T11." in text
    _, reading = unsure()
    text = plain_text(reading)
    assert "Levels could not be confirmed: T12?, L1?, L2?, L4?, L5? may each be one level off." in text
    assert "Not assessed: T4 to T10, T11, L3." in text
    assert not re.search(r"^L1:", text, re.M)
    assert re.search(r"^L1\?:", text, re.M)
    assert re.search(r"^Lordosis .*; the levels are not confirmed\.$", text, re.M)
    _, reading = cropped()
    text = plain_text(replace(reading, levels=Levels(False)))
    assert re.search(r"^Aorta may be cropped at L1, L2.*; the levels are not confirmed\.$", text, re.M)


def test_heights_have_the_errors_of_their_two_ends():
    _, reading = whole()
    assert str(height_of(reading, Level.L2, "anterior")) == "37.5 mm"
    known = with_radii(reading, 3.0)
    assert height_of(known, Level.L2, "anterior").error == pytest.approx(np.hypot(3, 3) * 0.5)
    assert "anterior 37.5 +/- 2.1 mm" in plain_text(known)
    _, without = whole(spacing=None)
    assert str(height_of(with_radii(without, 3.0), Level.L2, "anterior")) == "75.0 ± 4.2 px"
    assert " mm" not in plain_text(without).replace("no millimetres", "").replace("in millimetres", "")


def test_a_suggested_grade_has_its_basis():
    _, reading = whole(loss=0.4)
    (line,) = [line for line in plain_text(reading).splitlines() if line.startswith("L2:")]
    assert "at least Genant grade 2 (wedge) suggested, 34 % lost" in line
    assert "healthy Ha/Hp 0.91" in line
    assert "biconcave not judged" in line
    assert "no loss of height of 20 % or more" in plain_text(whole()[1])


def test_cells_of_a_cropped_segment_are_suggested_as_unreadable(tmp_path):
    image, reading = cropped()
    page, _ = write_reading_page(image, reading, tmp_path, "a")
    assert str(Words(page.read_text("utf-8"))).count("suggested: unreadable (cropped)") == 4
    assert "cells of L1, L2 suggested unreadable" in plain_text(reading)
    scored = replace(reading, aac=Aac24(("unreadable", "unreadable", 2, None, 0, 0, 1, 1)))
    text = plain_text(scored)
    assert "AAC-24 between 4 and 13 of 24: not every wall has a grade." in text
    assert "L1: anterior wall unreadable, posterior wall unreadable" in text
    assert "L2: anterior wall 2, posterior wall not scored; suggested: unreadable (cropped)" in text


def test_a_refused_image_has_no_findings():
    _, reading = whole()
    refused = replace(
        reading,
        spine=Spine(()).select([v.level for v in reading.spine]),
        quality=Quality(False, 0.0, ("The image was refused: it looks upside down",)),
    )
    text = plain_text(refused)
    assert "The image was refused: it looks upside down." in text
    assert "Nothing was measured." in text
    assert "Genant" not in text
    assert "AAC" not in text


def test_a_prior_is_compared_where_both_are_sure_and_in_millimetres(tmp_path):
    image, now = whole(loss=0.3)
    _, before = whole()
    assert "L2 anterior -30 %" in plain_text(now, before)
    page, _ = write_reading_page(image, now, tmp_path, "a", before)
    assert "-30 %" in page.read_text("utf-8")
    near = change_words(*(height_of(with_radii(one, 20.0), Level.L2, "anterior") for one in (now, before)))
    assert near == "-30 % (within error)"
    unsure_prior = replace(before, levels=Levels(False))
    assert "Not compared with the prior reading: levels could not be confirmed." in plain_text(now, unsure_prior)
    _, in_pixels = whole(spacing=None)
    assert "not comparable" in plain_text(now, in_pixels)


def test_what_a_reader_wrote_is_text_and_no_markup(tmp_path):
    image, reading = whole()
    page, _ = write_reading_page(image, replace(reading, notes="<script>alert(1)</script>"), tmp_path, "a")
    assert "<script" not in page.read_text("utf-8")


@needs("chromium|chromium-browser|google-chrome")
@pytest.mark.long
def test_the_page_prints_on_one_sheet(tmp_path):
    with Browser(tmp_path / "profile") as browser:
        for number, (image, reading) in enumerate((cropped(), unsure())):
            page, _ = write_reading_page(image, with_radii(reading, 2.0), tmp_path, f"case-{number}", reading)
            browser.open(page.as_uri())
            browser.wait_for("document.images.length == 1 && document.images[0].complete")
            printed = browser.print_pdf(tmp_path / "page.pdf").read_bytes()
            assert len(re.findall(rb"/Type\s*/Page[^s]", printed)) == 1
