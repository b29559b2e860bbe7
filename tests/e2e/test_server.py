"""The app over HTTP, under MONAI Label's own server and under ``vertenet serve``."""

from __future__ import annotations

import glob
import json
import shutil
import tempfile
import threading
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from monailabel.client import MONAILabelClient
from PIL import Image
from requests_toolbelt.multipart.decoder import MultipartDecoder

from tests.damaged import make_damaged
from vertenet.annotation import markups
from vertenet.imaging import read
from vertenet.reading import Reading
from vertenet.spine import CORNERS, STANDARD_LEVELS

from .conftest import IMAGES

NAMES = [f"{level}-{corner}" for level in STANDARD_LEVELS for corner in CORNERS]


def strict(text: str | bytes) -> dict:
    """JSON without the NaN that Python would let pass."""

    def refuse(constant):
        raise AssertionError(f"{constant} in JSON")

    return json.loads(text, parse_constant=refuse)


def post(server, model="vertenet", *, file=None, params=None, **query) -> httpx.Response:
    files = {"file": (Path(file).name, Path(file).read_bytes())} if file else None
    data = {"params": params if isinstance(params, str) else json.dumps(params or {})}
    url = f"{server.url}/infer/{model}"
    return httpx.post(url, params=query, data=data, files=files, timeout=60, trust_env=False)


def get(server, path: str, **options) -> httpx.Response:
    return httpx.get(f"{server.url}{path}", timeout=60, trust_env=False, **options)


def is_sentence(text: str) -> bool:
    return len(text.split()) >= 3 and text.endswith(".") and "Traceback" not in text


def client(server, tmp_path) -> MONAILabelClient:
    return MONAILabelClient(server.url, tmpdir=str(tmp_path))


def image_file(server, image_id: str) -> Path:
    (path,) = (p for p in server.studies.iterdir() if p.is_file() and p.stem == image_id)
    return path


# What a stock client needs


def test_the_stock_client_learns_what_the_app_offers(server, tmp_path):
    info = client(server, tmp_path).info()
    model = info["models"]["vertenet"]
    assert model["type"] == "detection"
    assert model["labels"] == ["T12", "L1", "L2", "L3", "L4", "L5"]
    assert model["landmarks"] == NAMES
    assert set(info["strategies"]) == {"hybrid", "uncertainty", "diversity", "random", "first"}
    assert set(info["trainers"]) == {"vertenet"}
    assert "Research use only" in info["description"]


def test_the_stock_client_lists_the_images_and_nothing_else(server, tmp_path):
    assert set(client(server, tmp_path).datastore()["objects"]) == set(IMAGES)


@pytest.mark.parametrize("image_id", IMAGES)
def test_the_stock_client_gets_markups_and_a_reading(server, tmp_path, image_id):
    file, answer = client(server, tmp_path).infer("vertenet", image_id, {})
    assert file.endswith(".mrk.json")
    radiograph = read(image_file(server, image_id))
    reading = Reading.from_dict(answer)
    assert (reading.image.rows, reading.image.columns) == radiograph.pixels.shape
    assert len(reading.model.sha256) == 64
    assert reading.model.training_data
    assert reading.latency_s > 0

    points = strict(Path(file).read_text())["markups"][0]["controlPoints"]
    assert [point["label"] for point in points] == NAMES
    assert [row["name"] for row in answer["landmarks"]] == NAMES
    for point, row in zip(points, answer["landmarks"]):
        if row["status"] == "present":
            expected = radiograph.geometry.to_lps([[row["x_px"], row["y_px"]]])[0]
            assert point["position"] == pytest.approx(expected, abs=1e-3)


def test_the_markups_file_reads_back_as_the_landmarks_of_the_answer(server, tmp_path):
    file, answer = client(server, tmp_path).infer("vertenet", "hologic", {})
    radiograph = read(image_file(server, "hologic"))
    spine = markups.loads(Path(file).read_text(), radiograph.geometry)
    ours = Reading.from_dict(answer).spine
    np.testing.assert_allclose(spine.to_array(STANDARD_LEVELS), ours.to_array(STANDARD_LEVELS), atol=1e-3)


def test_the_stock_client_is_offered_a_next_sample(server, tmp_path):
    for strategy in ("random", "first", "random"):
        sample = client(server, tmp_path).next_sample(strategy, {})
        assert sample["id"] in IMAGES
        assert Path(sample["path"]).is_file()


def test_the_stock_client_s_session_with_its_own_image_is_read(server, tmp_path):
    session = client(server, tmp_path).create_session(str(image_file(server, "hologic")))
    _, answer = client(server, tmp_path).infer("vertenet", "", {}, session_id=session["session_id"])
    assert Reading.from_dict(answer).image.name == "hologic.png"


def test_a_corrected_label_of_an_image_with_dots_is_stored_under_its_name(server, tmp_path):
    image_id = "1.2.840.113619.2"
    file, _ = client(server, tmp_path).infer("vertenet", image_id, {})
    label = shutil.copy(file, tmp_path / f"{image_id}.mrk.json")
    client(server, tmp_path).save_label(image_id, str(label), tag="final")
    stored = server.studies / "labels" / "final" / f"{image_id}.mrk.json"
    assert stored.read_bytes() == Path(file).read_bytes()
    assert client(server, tmp_path).datastore()["objects"][image_id]["labels"]["final"]["ext"] == ".mrk.json"


@pytest.mark.parametrize("output", ["json", "image", "all"])
def test_each_form_of_output_holds_what_it_promises(server, output):
    response = post(server, image="hologic", output=output)
    assert response.status_code == 200
    if output == "json":
        assert len(strict(response.text)["landmarks"]) == 24
    elif output == "image":
        assert len(strict(response.text)["markups"][0]["controlPoints"]) == 24
    else:
        parts = MultipartDecoder(response.content, response.headers["content-type"]).parts
        headers = [part.headers[b"Content-Disposition"].decode() for part in parts]
        assert len(strict(parts[0].content)["landmarks"]) == 24
        assert 'name="params"' in headers[0]
        assert 'name="image"' in headers[1]
        assert ".mrk.json" in headers[1]


def test_an_upload_is_read_without_entering_the_store(server, tmp_path):
    response = post(server, file=image_file(server, "hologic"), output="json")
    assert strict(response.text)["landmarks"][0]["name"] == "T12-SA"
    assert set(client(server, tmp_path).datastore()["objects"]) == set(IMAGES)


# Parameters


def test_millimetres_appear_with_a_spacing_and_are_null_without(server):
    plain = strict(post(server, image="hologic", output="json").text)
    assert {row["x_mm"] for row in plain["landmarks"]} == {None}
    assert any("spacing unknown" in warning.lower() for warning in plain["warnings"])
    scaled = strict(post(server, image="hologic", output="json", params={"spacing_mm": "0.5"}).text)
    for row in scaled["landmarks"]:
        if row["x_px"] is not None:
            assert (row["x_mm"], row["y_mm"]) == (row["x_px"] / 2, row["y_px"] / 2)


def test_factor_and_side_reach_the_reading(server):
    answer = strict(post(server, image="hologic", output="json", params={"factor": 1.5, "anterior": "left"}).text)
    assert answer["crop"]["factor"] == 1.5
    assert answer["spine"]["anterior"] == "left"
    assert answer["image"]["anterior_source"] == "given"


def test_the_stock_server_reports_a_misspelt_parameter_in_the_answer(servers):
    answer = strict(post(servers["stock"], image="hologic", output="json", params={"anteriour": "left"}).text)
    assert answer["ignored_parameters"] == ["anteriour"]


def test_our_server_refuses_a_misspelt_parameter_by_its_name(ours):
    response = post(ours, image="hologic", output="json", params={"anteriour": "left"})
    assert response.status_code == 400
    assert "anteriour" in response.json()["detail"]


@pytest.mark.parametrize("params", [{"anterior": "front"}, {"spacing_mm": -1}, {"factor": "wide"}, {"factor": 0}])
def test_a_bad_parameter_is_a_400_that_names_it(server, params):
    response = post(server, image="hologic", params=params)
    assert response.status_code == 400
    assert next(iter(params)) in response.json()["detail"]
    assert is_sentence(response.json()["detail"])


# What is wrong is said


def test_an_unknown_image_is_a_404_with_a_sentence(server):
    response = post(server, image="nobody")
    assert response.status_code == 404
    assert is_sentence(response.json()["detail"])


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n" + b"\0" * 50])
def test_an_unreadable_upload_is_a_422_with_a_sentence(server, tmp_path, content):
    (tmp_path / "scan.png").write_bytes(content)
    response = post(server, file=tmp_path / "scan.png")
    assert response.status_code == 422
    assert is_sentence(response.json()["detail"])
    assert str(tmp_path) not in response.text


def test_a_damaged_upload_is_named_as_the_user_named_it(ours, tmp_path):
    (tmp_path / "Frau Müller.png").write_bytes(b"broken")
    response = post(ours, file=tmp_path / "Frau Müller.png")
    assert response.json()["detail"].startswith("Frau Müller.png: ")


@pytest.mark.parametrize(
    ("status", "model", "query", "params"),
    [
        (404, "nobody", {"image": "hologic"}, {}),
        (404, "vertenet", {"session_id": "nobody"}, {}),
        (400, "vertenet", {}, {}),
        (400, "vertenet", {"image": "hologic"}, "{"),
        (400, "vertenet", {"image": "hologic"}, [1]),
        (400, "vertenet", {"image": "hologic", "output": "dicom_seg"}, {}),
        (422, "vertenet", {"image": "hologic", "output": "poem"}, {}),
        (400, "vertenet", {"image": "hologic"}, {"save_label": True, "label_tag": "../../x"}),
    ],
)
def test_under_our_server_every_bad_request_is_a_problem_with_a_sentence(ours, status, model, query, params):
    response = post(ours, model, params=params, **query)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == status
    assert is_sentence(response.json()["detail"])


def test_under_our_server_an_unknown_strategy_is_a_404(ours):
    response = httpx.post(f"{ours.url}/activelearning/tarot", timeout=60, trust_env=False)
    assert response.status_code == 404
    assert "tarot" in response.json()["detail"]


def test_under_our_server_an_image_is_named_by_its_id_and_never_by_a_path(ours, tmp_path):
    secret = shutil.copy(image_file(ours, "hologic"), tmp_path / "secret.png")
    assert post(ours, image=str(secret)).status_code == 404
    assert post(ours, image="../ours/hologic.png").status_code == 404
    assert post(ours, image="old.scan", output="json", params={"image": str(secret)}).status_code == 400


def test_under_our_server_no_other_origin_is_answered(ours):
    response = get(ours, "/info/", headers={"Origin": "http://elsewhere.example"})
    assert "access-control-allow-origin" not in response.headers


def test_under_our_server_nobody_reloads_the_app(ours):
    assert httpx.post(f"{ours.url}/reload", timeout=60, trust_env=False).status_code == 404


def test_thirty_damaged_files_are_refused_in_a_sentence_and_the_server_lives_on(ours, tmp_path):
    for path in make_damaged(tmp_path, 30, seed=11, folders=False):
        response = post(ours, file=path, output="json")
        assert 400 <= response.status_code < 500, (path.name, response.status_code, response.text)
        assert is_sentence(response.json()["detail"]), path.name
    assert post(ours, image="hologic", output="json").status_code == 200


def test_a_file_that_is_damaged_in_the_store_is_a_422(ours):
    damaged = ours.studies / "broken.dcm"
    damaged.write_bytes(image_file(ours, "1.2.840.113619.2").read_bytes()[:3000])
    try:
        deadline = time.monotonic() + 10
        while "broken" not in get(ours, "/datastore/?output=all").json()["objects"]:
            assert time.monotonic() < deadline, "the store did not notice the new file"
            time.sleep(0.1)
        response = post(ours, image="broken")
        assert response.status_code == 422
        assert response.json()["detail"].startswith("broken.dcm: ")
    finally:
        damaged.unlink()


# What a slow inference does to others


def slowest_info_during_inference(server, seconds: float) -> float:
    """The longest that /info/ took, seconds, while an inference of ``seconds`` ran."""
    answers = []
    body = {"seconds": seconds}
    worker = threading.Thread(target=lambda: answers.append(post(server, "slow", image="hologic", params=body)))
    waits = []
    with httpx.Client(timeout=60, trust_env=False) as http:
        http.get(f"{server.url}/info/")
        worker.start()
        time.sleep(0.2)  # the inference has begun
        while worker.is_alive():
            started = time.perf_counter()
            http.get(f"{server.url}/info/")
            waits.append(time.perf_counter() - started)
            time.sleep(0.05)
    worker.join()
    assert answers[0].json() == {"waited_s": seconds}
    return max(waits)


def test_a_three_second_inference_delays_info_by_less_than_a_fifth_of_a_second(servers):
    assert slowest_info_during_inference(servers["slow_ours"], 3.0) < 0.2


def test_the_stock_server_is_held_up_by_the_same_inference(servers):
    assert slowest_info_during_inference(servers["slow_stock"], 3.0) > 2.0


def test_two_images_are_read_at_the_same_time(servers):
    started = time.perf_counter()
    workers = [
        threading.Thread(
            target=post, args=(servers["slow_ours"], "slow"), kwargs={"image": i, "params": {"seconds": 2}}
        )
        for i in ("hologic", "old.scan")
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert time.perf_counter() - started < 3.5


def test_nothing_of_an_upload_stays_behind(ours, tmp_path):
    stem = f"left-behind-{time.time_ns()}"
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(tmp_path / f"{stem}.png")
    (tmp_path / f"{stem}-broken.png").write_bytes(b"broken")
    assert post(ours, file=tmp_path / f"{stem}.png").status_code == 200
    assert post(ours, file=tmp_path / f"{stem}-broken.png").status_code == 422
    time.sleep(0.5)  # files are removed after the answer is on its way
    # Other servers come and go here, which pathlib's globbing does not bear.
    assert not glob.glob(f"{tempfile.gettempdir()}/vertenet-upload-*/{stem}*")
    assert not glob.glob(f"{tempfile.gettempdir()}/{stem}*")
