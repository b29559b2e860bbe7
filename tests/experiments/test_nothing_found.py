"""A method that found no point is a result too: tables, plots and the page say so, alone and beside another."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from vertenet.assess import assess
from vertenet.evaluation.landmark_table import landmark_rows
from vertenet.experiments.comparison import Comparison
from vertenet.experiments.report import write_comparison
from vertenet.experiments.tables import headline
from vertenet.phantom import generate
from vertenet.reading import Levels
from vertenet.spine import Spine


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    """Three images as read by a method that finds nothing, and by one that is some pixels off."""
    rng, rows = np.random.default_rng(0), {"nothing": [], "something": []}
    for seed in range(3):
        radiograph, truth = generate(seed, scanner="hologic-horizon", difficulty="easy")
        blank = assess(radiograph, Spine((), truth.anterior), levels=Levels(certain=False))
        near = assess(radiograph, truth.spine.map_points(lambda p: p + rng.normal(size=p.shape)))
        for method, reading in (("nothing", blank), ("something", near)):
            rows[method].append(landmark_rows(reading, truth.spine, image=f"image {seed}").assign(method=method))
    return {method: pd.concat(parts, ignore_index=True) for method, parts in rows.items()}


@pytest.mark.parametrize("methods", [("nothing",), ("nothing", "something"), ("something", "nothing")], ids="-".join)
def test_it_is_written_and_its_errors_are_dashes(tables, methods, tmp_path):
    costs = pd.DataFrame({"method": methods, "gmac": 2.0, "parameters_m": 1.0})
    models = pd.DataFrame({"method": methods, "fold": 0, "weights": "0" * 12, "trained on": "nothing"})
    comparison = Comparison(
        "What was found",
        pd.concat([tables[method] for method in methods], ignore_index=True),
        methods,
        methods[0],
        "three synthetic images",
        "Budget: none",
        True,
        models,
        costs,
    )
    page, written = write_comparison(comparison, tmp_path, resamples=20)
    assert page.is_file()
    assert (tmp_path / "plots" / "cumulative-error.png").stat().st_size > 1000
    words = headline(written).set_index("method")
    assert words.loc["nothing"].iloc[0].startswith("0.0")
    assert list(words.loc["nothing"].iloc[1:3]) == ["–", "–"]
    if "something" in methods:
        assert words.loc["something"].iloc[1] != "–"
