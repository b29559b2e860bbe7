"""truth.csv: centres, corners, partial spines, and what is said of a table that is damaged."""

import pytest

from vertenet.annotation.truth_table import read_truth_table
from vertenet.errors import AnnotationError
from vertenet.spine import Level


def table(tmp_path, *rows, head="image,label,x,y"):
    path = tmp_path / "truth.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def test_centres_and_corners_of_any_vertebrae(tmp_path):
    rows = ["a.png,L4,10,20.5", "a.png,L5,12,60", "", "1.2.dcm,L1-SA,30,5", "1.2.dcm,L1-SP,10,5", "1.2.dcm,L1-IA,31,25"]
    found = read_truth_table(table(tmp_path, *rows, "1.2.dcm,T10,1,2"))
    assert found["a.png"].centres == {Level.L4: (10.0, 20.5), Level.L5: (12.0, 60.0)}
    assert found["a.png"].anterior is None
    assert len(found["a.png"].spine) == 0
    partial = found["1.2.dcm"]
    assert partial.anterior == partial.spine.anterior == "right"
    assert partial.spine.levels == (Level.L1,)
    assert [partial.spine["L1"][name].is_present for name in ("SA", "SP", "IA", "IP")] == [True, True, True, False]
    assert partial.centres == {Level.T10: (1.0, 2.0)}


def test_the_side_is_seen_in_the_corners(tmp_path):
    found = read_truth_table(table(tmp_path, "a,L1-SA,10,5", "a,L1-SP,30,5", "a,L1-IA,10,25"))
    assert found["a"].anterior == "left"


@pytest.mark.parametrize(
    ("rows", "head", "said"),
    [
        (["a,L4,1"], "image,label,x", "no column 'y'"),
        (["a,L9,1,2"], "image,label,x,y", "line 2: 'L9' is no vertebra and no corner"),
        (["a,L4,1,2", "a,L4,1,2"], "image,label,x,y", r"a\): line 3: L4 is there twice"),
        (["a,L4,1,nan"], "image,label,x,y", "line 2: L4 is at '1', 'nan', but numbers are needed"),
        (["a,L4,1"], "image,label,x,y", "line 2: L4 is at '1', ''"),
        ([], "image,label,x,y", "holds no points"),
        (["a,L4,1,2"], "image,label,x,y", "nothing says how high a body is"),
        (["a,L4-SA,1,2", "a,L4-SP,1,2"], "image,label,x,y", "nothing says how high a body is"),
    ],
)
def test_a_damaged_table_is_refused_in_a_sentence(tmp_path, rows, head, said):
    with pytest.raises(AnnotationError, match=said):
        read_truth_table(table(tmp_path, *rows, head=head))
