from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException

from vertenet import phantom
from vertenet.errors import ModelError
from vertenet.imaging import read
from vertenet.inference import Predictor
from vertenet.models import find_weights
from vertenet.reading import Reading
from vertenet.server.application import find_model
from vertenet.server.infer import LandmarkInfer
from vertenet.server.training.versions import ModelVersions
from vertenet.spine import CORNERS


def served(weights):
    """The task over weights of which there is no other version."""
    return LandmarkInfer(ModelVersions(weights.parent / "no versions", weights))


@pytest.fixture(scope="module")
def task():
    return served(find_weights("vertenet-lite"))


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    made = phantom.generate(5, scanner="hologic-4500a", difficulty="easy")
    return phantom.write(made, tmp_path_factory.mktemp("scans"), format="dicom", name="1.2.3")


def ask(task, **request):
    file, answer = task({"model": "vertenet", **request})
    markups = json.loads(Path(file).read_text("utf-8"))
    Path(file).unlink()
    return markups, answer


def test_a_scan_becomes_markups_and_a_reading(task, scan):
    markups, answer = ask(task, image=str(scan))
    assert len(markups["markups"][0]["controlPoints"]) == 24
    reading = Reading.from_dict(answer)
    assert reading.image.name == "1.2.3.dcm"
    assert reading.model.sha256 == Predictor().identity.sha256
    assert answer == json.loads(json.dumps(answer, allow_nan=False))


def test_landmarks_are_the_reading_s_in_pixels_and_millimetres(task, scan):
    _, answer = ask(task, image=str(scan))
    reading = Reading.from_dict(answer)
    corners = {name: point for name, point in reading.spine.named_points() if name.split("-")[1] in CORNERS}
    assert [row["name"] for row in answer["landmarks"]] == list(corners)
    assert len(corners) == 24
    for row in answer["landmarks"]:
        corner = corners[row["name"]]
        assert (row["x_px"], row["y_px"], row["status"]) == (corner.x, corner.y, corner.status.value)
        assert row["radius_px"] == corner.radius
        assert row["name"] == f"{row['level']}-{row['corner']}"
        if corner.x is not None:
            spacing = reading.image.spacing
            assert (row["x_mm"], row["y_mm"]) == (corner.x * spacing.column, corner.y * spacing.row)


@pytest.mark.parametrize(
    ("request_", "status", "words"),
    [
        ({"image": ""}, 404, "not in the datastore"),
        ({"image": None}, 404, "not in the datastore"),
        ({"image": "/nowhere/at/all.png"}, 404, "all.png"),
        ({"image": "."}, 422, "folder"),
    ],
)
def test_an_image_that_is_not_there_is_told_from_one_that_is_wrong(task, request_, status, words):
    with pytest.raises(HTTPException, match=words) as caught:
        task(request_)
    assert caught.value.status_code == status


def test_a_damaged_file_is_a_422_that_names_it_without_its_folder(task, scan, tmp_path):
    damaged = tmp_path / "half.dcm"
    damaged.write_bytes(scan.read_bytes()[:2000])
    with pytest.raises(HTTPException) as caught:
        task({"image": str(damaged)})
    assert caught.value.status_code == 422
    assert caught.value.detail.startswith("half.dcm: ")
    assert str(tmp_path) not in caught.value.detail


def test_a_bad_parameter_is_a_400(task, scan):
    with pytest.raises(HTTPException, match="factor") as caught:
        task({"image": str(scan), "factor": -1})
    assert caught.value.status_code == 400


def test_damaged_weights_are_a_503_and_the_task_recovers_when_they_are_mended(scan, tmp_path):
    good = find_weights("vertenet-lite")
    weights = tmp_path / "vertenet-lite.safetensors"
    shutil.copy(good.with_suffix(".json"), tmp_path)
    weights.write_bytes(b"not weights")
    task = served(weights)
    with pytest.raises(HTTPException, match="SHA-256") as caught:
        task({"image": str(scan)})
    assert caught.value.status_code == 503
    shutil.copy(good, weights)
    assert len(ask(task, image=str(scan))[1]["landmarks"]) == 24


def test_threads_that_come_first_together_share_one_model_and_agree(scan):
    task = served(find_weights("vertenet-lite"))
    with ThreadPoolExecutor(4) as pool:
        models = list(pool.map(lambda _: task.predictor(), range(8)))
        answers = list(pool.map(lambda _: ask(task, image=str(scan))[1]["landmarks"], range(4)))
    assert len(set(map(id, models))) == 1
    for answer in answers[1:]:
        for one, other in zip(answers[0], answer):
            assert one["status"] == other["status"]
            assert one["x_px"] == pytest.approx(other["x_px"], abs=1e-3)


def test_a_task_without_weights_is_not_offered(tmp_path):
    assert not served(tmp_path / "none.safetensors").is_valid()


def test_the_app_s_own_models_go_before_the_shipped_ones(tmp_path):
    assert find_model("vertenet-lite", tmp_path) == find_weights("vertenet-lite")
    own = tmp_path / "model" / "vertenet-lite.safetensors"
    own.parent.mkdir()
    own.write_bytes(b"")
    assert find_model("vertenet-lite", tmp_path) == own
    with pytest.raises(ModelError, match="nobody"):
        find_model("nobody", tmp_path)


@pytest.mark.parametrize("moment", ["before it is read", "while it is looked at"])
def test_16_an_image_that_is_deleted_meanwhile_is_no_longer_there(task, scan, tmp_path, monkeypatch, moment):
    image = Path(shutil.copy(scan, tmp_path))
    serving = task._now()

    def delete_and(work):
        def done(*arguments, **options):
            image.unlink()
            return work(*arguments, **options)

        return done

    if moment == "before it is read":
        monkeypatch.setattr("vertenet.server.infer.decode", delete_and(read))
    else:
        monkeypatch.setattr(task, "_serving", serving._replace(predictor=delete_and(serving.predictor)))
    with pytest.raises(HTTPException) as caught:
        task({"model": "vertenet", "image": str(image)})
    assert caught.value.status_code == 404
    assert caught.value.detail == "1.2.3.dcm is no longer in the datastore."
