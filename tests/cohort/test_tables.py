"""Issue 16, items 1 and 6: tables with their dictionary, long forms, counts by reason and scanner, pages in order."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.cohort.boxes import dcm, options, png
from tests.cohort.readers import FixedReader
from tests.report.test_gallery import Page
from vertenet.cohort import Workers, page, read_cohort
from vertenet.cohort.attention import kind_of_problem
from vertenet.cohort.key import secret_key
from vertenet.errors import OptionError
from vertenet.report.dictionary import RESULTS


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Twelve images of two scanners and two months, two of them damaged in one way, one in another."""
    home = tmp_path_factory.mktemp("cohort")
    for number in range(8):
        scanner = {"Manufacturer": "GE", "ManufacturerModelName": "iDXA"} if number % 2 else {}
        dcm(home / "in" / f"1.2.{number}", number, StudyDate=f"2024{'0311' if number < 4 else '0402'}", **scanner)
    png(home / "in" / "x" / "unsure <b>.png", 9, bright=False)
    dcm(home / "in" / "many1", 10, NumberOfFrames=3)
    dcm(home / "in" / "many2", 11, NumberOfFrames=40)
    (home / "in" / "z.png").write_bytes(b"")
    read_cohort([str(home / "in")], home / "out", options(home), workers=Workers(0), make=FixedReader)
    return home


def test_every_table_has_the_columns_that_its_dictionary_lists(home):
    listed = pd.read_csv(home / "out" / "dictionary.csv", keep_default_na=False)
    tables = {path.stem for path in (home / "out").glob("*.csv")} - {"dictionary"}
    assert set(listed["table"]) == tables == {"results", "failures", "landmarks", "vertebrae"}
    for name, entries in listed.groupby("table"):
        columns = pd.read_csv(home / "out" / f"{name}.csv", nrows=0).columns.tolist()
        assert columns == entries["column"].tolist(), name
        assert entries["meaning"].str.len().min() > 5
        parquet = home / "out" / f"{name}.parquet"
        assert parquet.exists() == (name != "failures")
        if parquet.exists():
            assert pq.read_schema(parquet).names == columns
    assert pq.read_schema(home / "out" / "results.parquet").field("L1_anterior_mm").metadata[b"unit"] == b"mm"


def test_the_page_of_docs_lists_the_columns_as_the_dictionary_does():
    text = (Path(__file__).parents[2] / "docs" / "cohort.md").read_text(encoding="utf-8")
    for column in RESULTS:
        unit = f" ({column.unit})" if column.unit else ""
        assert f"| `{column.name}` | {column.meaning.replace('|', '&#124;')}{unit} |" in text


def test_csv_and_parquet_say_the_same(home):
    from_csv = pd.read_csv(home / "out" / "results.csv")
    from_parquet = pd.read_parquet(home / "out" / "results.parquet")
    assert len(from_csv) == len(from_parquet) == 12
    for column in from_parquet.columns:
        left, right = from_csv[column], from_parquet[column]
        assert (left.isna() == right.isna()).all(), column
        if pd.api.types.is_numeric_dtype(right):
            assert np.allclose(left.astype(float), right.astype(float), equal_nan=True), column
        else:
            assert left.dropna().astype(str).tolist() == right.dropna().astype(str).tolist(), column


def test_the_long_forms_hold_a_row_a_point_and_a_row_a_vertebra(home):
    results = pd.read_csv(home / "out" / "results.csv")
    points = pd.read_csv(home / "out" / "landmarks.csv")
    vertebrae = pd.read_csv(home / "out" / "vertebrae.csv")
    read = results[results["outcome"] == "read"]
    assert len(read) == 9
    assert set(points["path"]) == set(vertebrae["path"]) == set(read["path"])
    assert (points.groupby("path")["level"].nunique() == 6).all()
    assert len(vertebrae) == 54
    first = read.iloc[0]
    corner = points[(points["path"] == first["path"]) & (points["level"] == "L3") & (points["point"] == "SA")]
    assert corner[["x", "y"]].values.tolist() == [[first["L3-SA_x"], first["L3-SA_y"]]]
    level = vertebrae[(vertebrae["path"] == first["path"]) & (vertebrae["level"] == "L3")]
    assert level["anterior_px"].tolist() == [first["L3_anterior_px"]]


def test_failures_are_counted_by_kind_of_reason_and_by_scanner(home):
    summary = json.loads((home / "out" / "summary.json").read_text())
    frames = "the DICOM file holds # frames, but one is needed"
    assert summary["by_reason"]["failed"] == {frames: 2, "the file is empty": 1}
    assert (summary["images"], summary["read"], summary["failed"], summary["uncertain"]) == (
        12,
        9,
        3,
        1 + uncertain(home),
    )
    assert summary["by_scanner"]["HOLOGIC Horizon"]["by_reason"]["failed"] == {frames: 2}
    assert summary["by_scanner"]["HOLOGIC Horizon"]["images"] == 6
    assert summary["by_scanner"]["GE iDXA"]["images"] == 4
    assert summary["by_month"]["2024-03"]["images"] + summary["by_month"]["2024-04"]["images"] == 10
    both = {(row["scanner"], row["month"]): row["images"] for row in summary["by_scanner_and_month"]}
    assert both["GE iDXA", "2024-04"] == 2
    assert sum(row["images"] for row in summary["by_scanner_and_month"]) == 12
    rows = pd.read_csv(home / "out" / "failures.csv")
    assert rows["reason"].tolist() == [frames, frames, "the file is empty"]
    assert "40 frames" in rows["error"][1]


def uncertain(home) -> int:
    """DICOM images whose first pixel the display window left dark."""
    results = pd.read_csv(home / "out" / "results.csv")
    return int(((results["levels_certain"] == "no") & results["path"].str.contains("/1.2.")).sum())


def test_the_gallery_shows_first_what_is_most_urgent_and_quality_by_scanner_and_month(home):
    source = (home / "out" / "index.html").read_text(encoding="utf-8")
    shown = Page(source)
    assert not shown.open
    order = [shown.text.rindex(name) for name in ("z.png", "unsure <b>.png")]
    assert f"Images are named from {home}/in/." in shown.text
    assert order == sorted(order)
    for text in ("Quality by scanner and month", "GE iDXA, 2024-04", "2024-03", "# frames, but one is needed"):
        assert text in shown.text
    targets = [unquote(link) for link in shown.links if not link.startswith("#")]
    assert len(targets) >= 9 * 4
    assert [link for link in targets if not (home / "out" / link).is_file()] == []


def test_a_large_gallery_has_pages(home, monkeypatch):
    monkeypatch.setattr(page, "A_PAGE", 5)
    read_cohort([str(home / "in")], home / "out", options(home), workers=Workers(0), make=FixedReader)
    pages = sorted((home / "out").glob("index*.html"))
    assert [path.name for path in pages] == ["index-2.html", "index-3.html", "index.html"]
    assert sum(Page(path.read_text()).tags.count("article") for path in pages) == 12
    assert "index-3.html" in Page((home / "out" / "index.html").read_text()).links
    monkeypatch.undo()
    read_cohort([str(home / "in")], home / "out", options(home), workers=Workers(0), make=FixedReader)
    assert [path.name for path in (home / "out").glob("index*.html")] == ["index.html"]


def test_a_reason_is_without_what_is_particular_to_one_image():
    assert kind_of_problem("the file cannot be read as PNG (cannot identify x.png)") == "the file cannot be read as PNG"
    assert kind_of_problem("12 x 4000.5 pixels") == "# x # pixels"


def test_the_key_of_pseudonyms_is_made_once_and_for_the_owner_alone(tmp_path):
    path = tmp_path / "config" / "key"
    key = secret_key(path)
    assert len(key) == 64
    assert secret_key(path) == key
    assert path.stat().st_mode & 0o077 == 0
    assert [file.name for file in path.parent.iterdir()] == ["key"]
    path.write_text("short")
    with pytest.raises(OptionError, match="5 bytes"):
        secret_key(path)
    with pytest.raises(OptionError, match="neither be read nor made"):
        secret_key(path / "below")
