"""The gallery: one page, nothing from elsewhere, every text escaped, every link relative and alive."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import unquote

from tests.report.cases import cropped, unsure
from vertenet.reading import RESEARCH_USE
from vertenet.report import GalleryEntry, write_gallery


class Page(HTMLParser):
    """What a browser would see: tags that are open at the end, links, and text."""

    VOID = ("meta", "img", "br", "link")

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open, self.links, self.tags, self.text = [], [], [], ""
        self.feed(source)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name in ("href", "src")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def entries(folder):
    (folder / "a b.png").write_bytes(b"png")
    return [
        GalleryEntry(
            "case <1>", cropped()[1], folder / "a b.png", {"median error": "1.2 px"}, {"markups": "m.mrk.json"}
        ),
        GalleryEntry("case 2", unsure()[1], None, {"levels right": "no"}),
        GalleryEntry("case 3", problem="c.dcm: the file ends early. <script>alert(1)</script>"),
    ]


def test_the_page_is_whole_and_says_what_it_is_for(tmp_path):
    path = write_gallery(entries(tmp_path), tmp_path / "index.html", title="A & B", introduction="Truth < model")
    page = Page(path.read_text(encoding="utf-8"))
    assert not page.open
    assert RESEARCH_USE in page.text
    assert "A & B" in page.text
    assert "Truth < model" in page.text
    assert "trained on synthetic images only" in page.text
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a b.png", "index.html"]


def test_text_is_escaped_and_there_is_no_script(tmp_path):
    source = write_gallery(entries(tmp_path), tmp_path / "index.html").read_text(encoding="utf-8")
    page = Page(source)
    assert "script" not in page.tags
    assert "case <1>" in page.text
    assert "<script>alert(1)</script>" in page.text


def test_links_are_relative_and_nothing_comes_from_the_network(tmp_path):
    page = Page(write_gallery(entries(tmp_path), tmp_path / "index.html").read_text(encoding="utf-8"))
    for link in page.links:
        assert not link.startswith(("http", "/", "file"))
    assert (tmp_path / unquote("a%20b.png")).is_file()
    assert page.links.count("a%20b.png") == 2
    assert "m.mrk.json" in page.links


def test_pictures_may_lie_in_another_folder(tmp_path):
    (tmp_path / "pictures").mkdir()
    entry = GalleryEntry("case", cropped()[1], tmp_path / "pictures" / "x.png")
    page = Page(write_gallery([entry], tmp_path / "pages" / "index.html").read_text(encoding="utf-8"))
    assert "../pictures/x.png" in page.links


def test_a_case_shows_its_heights_as_suggestions_and_what_is_not_evaluable(tmp_path):
    page = Page(write_gallery(entries(tmp_path), tmp_path / "index.html").read_text(encoding="utf-8"))
    assert page.tags.count("details") == 2  # the third case has no reading
    for expected in ("37.5 mm", "75.0 px", "grade 0, biconcave not judged", "not evaluable: not found"):
        assert expected in page.text
    assert "Lordosis L1-L5 0 degrees, T12-S1 not measurable (S1 is not marked). Grades are suggested" in page.text
    assert "S1 is not marked) (pixels taken for square)" in page.text


def test_the_table_holds_every_fact_and_every_failure(tmp_path):
    text = Page(write_gallery(entries(tmp_path), tmp_path / "index.html").read_text(encoding="utf-8")).text
    for expected in (
        "median error",
        "1.2 px",
        "levels right",
        "cropped (L1, L2)",
        "could not be assessed",
        "uncertain",
    ):
        assert expected in text
    assert "the file ends early" in text


def test_no_entries_make_an_empty_page(tmp_path):
    assert not Page(write_gallery([], tmp_path / "index.html").read_text(encoding="utf-8")).open
