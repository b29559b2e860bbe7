from __future__ import annotations

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from vertenet.annotation import Annotation, load, save
from vertenet.annotation.authors_csv import from_frame, to_frame
from vertenet.annotation.matfile import read_matrix
from vertenet.errors import AnnotationError
from vertenet.imaging.frame import Frame
from vertenet.spine import Level, Spine

SIZE = (1248, 402)
#: Two rows as the authors' software writes them, in the 512 x 1024 frame.
HEADER = (
    ",center_x,center_y,top_left_x,top_left_y,top_right_x,top_right_y,"
    "bottom_left_x,bottom_left_y,bottom_right_x,bottom_right_y,scale_factor"
)


def test_a_mat_file_is_named_after_its_image_and_holds_p2(tmp_path, plain, corners):
    (path,) = save([Annotation(plain, "scan.jpg", 1104, 402)], tmp_path / "scan.jpg.mat")
    stored = loadmat(path)["p2"]
    assert stored.shape == (24, 2)
    np.testing.assert_array_equal(stored[:4], corners[0, [1, 0, 3, 2]])
    assert list(load(path)) == ["scan.jpg"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"p1": np.zeros((24, 2))}, "no variable p2"),
        ({"p2": np.zeros((24, 3))}, "24 x 3"),
        ({"p2": np.array(["a"] * 24)}, "no matrix of real numbers"),
        ({"p2": np.zeros((20, 2))}, "20 points, but 24"),
    ],
)
def test_mat_files_with_something_else_are_refused(tmp_path, content, message):
    savemat(tmp_path / "scan.png.mat", content)
    with pytest.raises(AnnotationError, match=message) as error:
        load(tmp_path / "scan.png.mat")
    assert "scan.png.mat" in str(error.value)


def test_integer_points_of_annotators_are_read(tmp_path, corners):
    savemat(tmp_path / "scan.png.mat", {"p2": np.round(corners).astype(np.int32).reshape(24, 2)})
    found = load(tmp_path / "scan.png.mat")["scan.png"].spine
    np.testing.assert_array_equal(found.to_array(), np.round(corners))


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_every_number_type_that_matlab_writes_is_read(tmp_path, corners, dtype, compressed):
    points = np.floor(corners / 4).astype(dtype).reshape(24, 2)
    savemat(tmp_path / "p.mat", {"other": "text", "p2": points, "more": [[1.5]]}, do_compression=compressed)
    np.testing.assert_array_equal(read_matrix((tmp_path / "p.mat").read_bytes(), "p2"), points)


def test_a_cut_mat_file_is_refused(tmp_path, plain):
    (path,) = save([Annotation(plain, "scan.jpg", 1104, 402)], tmp_path / "scan.jpg.mat")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(AnnotationError, match=r"scan\.jpg\.mat"):
        load(path)


def test_a_mat_file_of_version_7_3_says_how_to_save_it(tmp_path):
    head = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM"
    (tmp_path / "scan.mat").write_bytes(head.ljust(512, b"\0") + b"\x89HDF\r\n\x1a\n")
    with pytest.raises(AnnotationError, match="-v7"):
        load(tmp_path / "scan.mat")


def test_the_csv_is_in_the_normalised_frame_of_the_network():
    points = np.random.default_rng(0).uniform(0, 1200, (50, 2))
    frame = Frame(SIZE)
    np.testing.assert_allclose(to_frame(points, SIZE), frame.from_source(points), atol=1e-12)
    np.testing.assert_allclose(from_frame(points, SIZE), frame.to_source(points), atol=1e-12)


def result_csv(corners: np.ndarray, score: str = "0.5") -> str:
    lines = [HEADER]
    for level, vertebra in zip(("T12", "L1", "L2", "L3", "L4", "L5"), corners[:, [1, 0, 3, 2]]):
        cells = [*vertebra.mean(axis=0), *vertebra.ravel()]
        lines.append(",".join([level, *(repr(float(cell)) for cell in cells), score]))
    return "\n".join(lines)


def test_a_result_csv_needs_the_size_of_the_image(tmp_path, corners):
    (tmp_path / "scan.csv").write_text(result_csv(corners))
    with pytest.raises(AnnotationError, match=r"scan\.csv \(image scan\).*--images"):
        load(tmp_path / "scan.csv")


@pytest.mark.parametrize("anterior", ["right", "left"])
def test_left_and_right_in_a_result_csv_are_those_of_the_image(tmp_path, corners, anterior):
    framed = Frame(SIZE).from_source(corners)
    (tmp_path / "scan.csv").write_text(result_csv(framed))
    spine = load(tmp_path / "scan.csv", sizes={"scan.png": SIZE, "b.png": (9, 9)}, anterior=anterior)["scan"].spine
    left, right = ("SP", "SA") if anterior == "right" else ("SA", "SP")
    np.testing.assert_allclose(spine[Level.L2][left].xy, corners[2, 1], atol=1e-9)
    np.testing.assert_allclose(spine[Level.L2][right].xy, corners[2, 0], atol=1e-9)
    assert spine[Level.L2].confidence == 0.5


def test_an_empty_cell_or_nan_in_a_result_csv_is_a_missing_corner(tmp_path, corners):
    lines = result_csv(corners).splitlines()
    cells = lines[3].split(",")
    cells[3:5], cells[5:7] = ["", ""], ["nan", "nan"]
    lines[3] = ",".join(cells)
    (tmp_path / "scan.csv").write_text("\n".join(lines))
    spine = load(tmp_path / "scan.csv", sizes={"scan": SIZE})["scan"].spine
    assert [spine[Level.L2][name].status.value for name in ("SP", "SA", "IP")] == ["missing", "missing", "present"]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: "\n".join(text.splitlines()[:-1]), "L5 is there 0 times"),
        (lambda text: text.replace("L4", "L3"), "L3 is there 2 times"),
        (lambda text: text.replace("\nL1", "\nC7"), "'C7'"),
        (lambda text: text.replace(",0.5", ",1.5", 1), "T12 has the score 1.5"),
        (lambda text: text.replace(",0.5", ",x", 1), "scale_factor of T12"),
    ],
)
def test_a_damaged_result_csv_is_refused(tmp_path, corners, spoil, message):
    (tmp_path / "scan.csv").write_text(spoil(result_csv(corners)))
    with pytest.raises(AnnotationError, match=message):
        load(tmp_path / "scan.csv", sizes={"scan": SIZE})


def test_a_result_csv_of_an_incomplete_spine_leaves_cells_empty(tmp_path, corners):
    corners = corners.copy()
    corners[2, 0] = np.nan
    (path,) = save([Annotation(Spine.from_array(corners), "scan", *SIZE)], tmp_path / "scan.csv", "authors-csv")
    row = path.read_text().splitlines()[3].split(",")
    assert row[0] == "L2"
    assert row[1:3] == ["", ""]
    assert row[5:7] == ["", ""]
    assert row[3] != ""
