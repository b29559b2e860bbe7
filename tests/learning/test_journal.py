import csv

from vertenet.learning.journal import Journal


def read(folder):
    return list(csv.DictReader((folder / "log.csv").open()))


def write(folder, after, *rows):
    journal = Journal(folder, after)
    for row in rows:
        journal.write(row)
    journal.close()


def test_rows_of_a_sitting_that_was_killed_after_its_checkpoint_are_forgotten(tmp_path):
    write(tmp_path, 0, {"step": 10, "loss": 3.0}, {"step": 20, "loss": 2.0}, {"step": 30, "loss": 9.0})
    write(tmp_path, 20, {"step": 30, "loss": 1.0})
    assert [(row["step"], row["loss"]) for row in read(tmp_path)] == [("10", "3"), ("20", "2"), ("30", "1")]


def test_a_line_that_was_torn_by_a_kill_does_no_harm(tmp_path):
    write(tmp_path, 0, {"step": 10, "loss": 3.0, "best": 0.5})
    with (tmp_path / "log.csv").open("a") as handle:
        handle.write("2")
    write(tmp_path, 10, {"step": 20, "loss": 2.0, "best": 0.5})
    assert [row["step"] for row in read(tmp_path)] == ["10", "20"]


def test_columns_that_come_later_are_empty_in_the_rows_before(tmp_path):
    write(tmp_path, 0, {"step": 10, "loss": 3.0}, {"step": 20, "loss": 2.0, "levels_right": 0.25, "median_px": None})
    assert [row["levels_right"] for row in read(tmp_path)] == ["", "0.25"]
