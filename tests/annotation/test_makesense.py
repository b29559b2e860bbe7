from __future__ import annotations

import numpy as np
import pytest

from vertenet.annotation import Annotation, load, save
from vertenet.errors import AnnotationError
from vertenet.spine import STANDARD_LEVELS

SIZE = (1104, 402)


def rows(points: np.ndarray, image: str = "scan.jpg", label: str = "vertebra", size=SIZE) -> list[str]:
    return [f"{label},{x:g},{y:g},{image},{size[1]},{size[0]}" for x, y in points.reshape(-1, 2)]


def test_an_export_without_names_is_read_in_the_order_of_the_authors(tmp_path, corners):
    lines = rows(corners[:, [1, 0, 3, 2]])
    (tmp_path / "points.csv").write_text("\n".join(lines))
    found = load(tmp_path / "points.csv")["scan.jpg"]
    assert found.size == SIZE
    assert found.spine.anterior == "right"
    np.testing.assert_array_equal(found.spine.to_array(), corners)


def test_a_header_windows_line_ends_and_a_byte_order_mark_do_not_matter(tmp_path, corners):
    text = "\r\n".join(["label,x,y,fname,x_dim,y_dim", *rows(corners), ""])
    (tmp_path / "points.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    np.testing.assert_array_equal(load(tmp_path / "points.csv")["scan.jpg"].spine.to_array(), corners)


def test_images_may_be_interleaved(tmp_path, corners):
    pairs = zip(rows(corners, "a.png"), rows(corners + 3, "b.png"))
    (tmp_path / "points.csv").write_text("\n".join(line for pair in pairs for line in pair))
    found = load(tmp_path / "points.csv")
    np.testing.assert_array_equal(found["a.png"].spine.to_array() + 3, found["b.png"].spine.to_array())


def test_images_that_face_left_need_to_be_told(tmp_path, corners):
    mirrored = corners * [-1, 1] + [401, 0]
    (tmp_path / "points.csv").write_text("\n".join(rows(mirrored)))
    found = load(tmp_path / "points.csv", anterior="left")["scan.jpg"].spine
    np.testing.assert_array_equal(found.to_array(), mirrored)


def test_what_we_write_has_named_rows_in_the_order_of_the_authors(tmp_path, plain):
    (path,) = save([Annotation(plain, "scan.png", *SIZE)], tmp_path / "out.csv", "makesense")
    lines = path.read_text().splitlines()
    assert lines[0] == "label,x,y,fname,x_dim,y_dim"
    assert [line.split(",")[0] for line in lines[1:6]] == ["T12-SP", "T12-SA", "T12-IP", "T12-IA", "L1-SP"]
    x, y = plain[STANDARD_LEVELS[0]]["SP"].xy
    assert lines[1] == f"T12-SP,{x},{y},scan.png,402,1104"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda lines: lines[:-1], r"scan\.jpg.*23 points, but 24"),
        (lambda lines: [*lines, lines[3]], r"scan\.jpg.*25 points"),
        (lambda lines: [*lines[:-1], lines[4]], r"scan\.jpg.*point 5 .*point 24 .*same place"),
        (lambda lines: [*lines[:5], "a,b,c,d,e,f", *lines[6:]], "line 6"),
        (lambda lines: [*lines[:5], "vertebra,1", *lines[6:]], "line 6"),
        (lambda lines: [*lines[:5], "v,nan,3,scan.jpg,402,1104", *lines[6:]], "line 6"),
        (lambda lines: [*lines[:-1], lines[-1].replace("402", "403")], r"line 24 .*another image size"),
        (lambda lines: [*lines[:-1], "v,900,900,scan.jpg,402,1104"], r"point 24 \(900, 900\) lies outside"),
        (lambda lines: ["T12-SA" + lines[0][8:], *lines[1:]], "'vertebra' .* names no corner"),
    ],
)
def test_slips_are_refused_naming_file_image_and_place(tmp_path, corners, spoil, message):
    (tmp_path / "points.csv").write_text("\n".join(spoil(rows(corners))))
    with pytest.raises(AnnotationError, match=message) as error:
        load(tmp_path / "points.csv", "makesense")
    assert "points.csv" in str(error.value)


def test_a_name_given_twice_is_refused(tmp_path, plain):
    (path,) = save([Annotation(plain, "scan.png", *SIZE)], tmp_path / "out.csv", "makesense")
    path.write_text(path.read_text().replace("L2-IA", "L2-IP"))
    with pytest.raises(AnnotationError, match="L2-IP is there twice"):
        load(path)
