from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from vertenet.annotation import markups
from vertenet.errors import ModelError
from vertenet.imaging import read
from vertenet.server.active.scoring import ActiveScoring, stamps

from .conftest import SCANS


@pytest.fixture
def scoring(scores, predictor):
    return ActiveScoring(scores, lambda: predictor)


def test_every_image_is_scored_once_and_a_second_run_has_nothing_to_do(scored, scoring, scores, store, predictor):
    _, first = scored
    sha256 = predictor.identity.sha256
    assert (first["total"], first["scored"], first["unreadable"]) == (5, 5, 1)
    assert first["model_sha256"] == sha256
    kept = scores.of_model(sha256)
    assert set(kept) == {*SCANS, "noise", "broken"}
    assert scoring({}, store)["scored"] == 0

    for name in SCANS:
        path = store.get_image_uri(name)
        reading = predictor(read(path))
        found = kept[name].found
        assert found.typical is reading.quality.typical
        assert found.margin == pytest.approx(reading.levels.margin, abs=1e-3)
        assert found.doubt == pytest.approx(1 / (1 + np.exp(reading.levels.margin)), abs=1e-4)
        assert 0 < found.dispersion < 0.5
        upright = read(path) if reading.spine.anterior == "right" else read(path).mirrored()
        np.testing.assert_allclose(found.features, predictor.maps(upright)["deepest"], atol=1e-4)
    assert kept["noise"].found.typical is False
    assert kept["noise"].found.dispersion > max(kept[name].found.dispersion for name in SCANS)
    assert kept["broken"].found is None
    assert str(store.get_image_uri("broken")) not in kept["broken"].error


def test_a_new_file_under_an_old_name_and_a_new_image_are_scored_and_nothing_else(scoring, scores, store, predictor):
    path = store.get_image_uri("broken")
    with open(store.get_image_uri("hologic"), "rb") as good, open(path, "wb") as bad:
        bad.write(good.read())
    with open(os.path.join(os.path.dirname(path), "later.png"), "wb") as later, open(path, "rb") as good:
        later.write(good.read())
    store.refresh()
    assert scoring({}, store)["scored"] == 2
    kept = scores.of_model(predictor.identity.sha256)
    np.testing.assert_array_equal(kept["broken"].found.features, kept["later"].found.features)


def test_a_run_that_was_cut_off_goes_on_where_it_was_and_labelled_images_come_last(scores, store, predictor, tmp_path):
    radiograph = read(store.get_image_uri("hologic"))
    size = radiograph.pixels.shape
    label = tmp_path / "hologic.mrk.json"
    label.write_text(markups.dumps(predictor(radiograph).spine, radiograph.geometry, image="hologic", size=size))
    store.save_label("hologic", str(label), "final", {})
    scores.forget_other_models("none")
    asked = []

    def dies_at_the_fourth():
        asked.append(1)
        if len(asked) == 4:
            raise ModelError("the model has gone")
        return predictor

    with pytest.raises(ModelError):
        ActiveScoring(scores, dies_at_the_fourth)({}, store)
    kept = scores.of_model(predictor.identity.sha256)
    assert len(kept) == 2
    assert "hologic" not in kept
    assert ActiveScoring(scores, lambda: predictor)({}, store)["scored"] == 3
    assert "hologic" in scores.of_model(predictor.identity.sha256)


def test_scores_of_the_last_model_serve_until_the_new_one_has_seen_as_many(scoring, scores, store, predictor):
    old, current, ids = "0" * 64, predictor.identity.sha256, store.list_images()
    for score in scores.of_model(current).values():
        scores.put(replace(score, model_sha256=old))
    new = "1" * 64
    assert scores.missing(stamps(store), new) == list(stamps(store))
    for image_id in ids:
        assert scores.best_informed(ids, current=new) in (old, current)
        scores.put(replace(scores.of_model(old)[image_id], model_sha256=new))
    assert scores.best_informed(ids, current=new) == new


def test_scores_of_models_that_are_served_no_more_are_forgotten_once_there_are_new_ones(
    scoring, scores, store, predictor
):
    for score in scores.of_model(predictor.identity.sha256).values():
        scores.put(replace(score, model_sha256="0" * 64))
    assert scoring({}, store)["scored"] == 0
    assert scores.of_model("0" * 64) == {}
    assert len(scores.of_model(predictor.identity.sha256)) == 5
