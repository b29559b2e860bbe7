"""Labels over HTTP: nothing that was answered is lost, nothing that is no label is kept, everybody is told why."""

from __future__ import annotations

import json
import shutil
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
from monailabel.client import MONAILabelClient
from monailabel.client.client import MONAILabelClientException

from vertenet import annotation, phantom
from vertenet.annotation import Annotation, markups
from vertenet.assess import assess
from vertenet.imaging import read
from vertenet.learning.cases import annotated_cases
from vertenet.measure import Aac24
from vertenet.reading import Reading
from vertenet.spine import STANDARD_LEVELS

from .conftest import our_server
from .label_load import make_load, run_load

DOTTED, PLAIN = "1.2.840.113619.2", "hologic"
APP = Path(__file__).with_name("label_app")


@pytest.fixture(scope="module")
def drawn():
    return {
        DOTTED: phantom.generate(1, scanner="ge-prodigy-de", difficulty="easy"),
        PLAIN: phantom.generate(0, scanner="hologic-4500a", difficulty="easy"),
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory, environment, drawn):
    """Our server over two images, shared by these tests: each one looks at what it adds, not at what there is."""
    studies = tmp_path_factory.mktemp("labels") / "studies"
    for image_id, kind in ((DOTTED, "dicom"), (PLAIN, "png")):
        phantom.write(drawn[image_id], studies, format=kind, name=image_id)
    with our_server(studies, environment) as running:
        running.studies = studies
        yield running


@pytest.fixture
def http(server):
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
        yield client


def label_of(server, drawn, image_id: str, dx: float = 0.0) -> bytes:
    path = next(p for p in server.studies.glob(f"{image_id}.*") if not p.name.endswith(".truth.json"))
    radiograph = read(path)
    spine = drawn[image_id].truth.spine.map_points(lambda xy: xy + np.array([dx, 0.0]))
    return markups.dumps(spine, radiograph.geometry, image=path.name, size=radiograph.pixels.shape).encode()


def put(http, image: str, content: bytes, *, name: str = "label.mrk.json", tag: str = "final", **params):
    files = {"label": (name, content)}
    return http.put(
        "/datastore/label", params={"image": image, "tag": tag}, files=files, data={"params": json.dumps(params)}
    )


def history(http, image: str) -> list[dict]:
    return http.get("/datastore/label/history", params={"image": image}).raise_for_status().json()["revisions"]


def test_the_stock_client_submits_and_downloads_labels_of_images_with_dots(server, drawn, tmp_path, http):
    file = tmp_path / f"{DOTTED}.mrk.json"
    file.write_bytes(label_of(server, drawn, DOTTED))
    client = MONAILabelClient(server.url, tmpdir=str(tmp_path), client_id="anna")
    client.save_label(DOTTED, str(file), tag="final")
    assert [p.name for p in (server.studies / "labels" / "final").glob("1.2.840*")] == [f"{DOTTED}.mrk.json"]
    assert history(http, DOTTED)[-1]["annotator"] == "anna"
    assert Path(client.download_label(DOTTED, "final")).read_bytes() == file.read_bytes()


def test_an_uploaded_image_with_dots_keeps_its_name(server, tmp_path, http):
    source = (server.studies / f"{DOTTED}.dcm").read_bytes()
    answer = http.put("/datastore/image", files={"file": ("1.2.840.555.7.dcm", source)})
    assert answer.json() == {"image": "1.2.840.555.7"}
    client = MONAILabelClient(server.url, tmpdir=str(tmp_path))
    (tmp_path / "1.2.840.555.8.dcm").write_bytes(source)
    client.upload_image(str(tmp_path / "1.2.840.555.8.dcm"), "1.2.840.555.8")
    assert {"1.2.840.555.7", "1.2.840.555.8"} <= set(client.datastore()["objects"])
    assert (server.studies / "1.2.840.555.8.dcm").read_bytes() == source


def test_the_history_tells_which_model_proposed_and_what_was_changed(server, tmp_path, http):
    client = MONAILabelClient(server.url, tmpdir=str(tmp_path))
    file, answer = client.infer("vertenet", PLAIN, {})
    data = json.loads(Path(file).read_text())
    point = next(p for p in data["markups"][0]["controlPoints"] if p["positionStatus"] == "defined")
    point["position"][1] += 0.5
    number = put(http, PLAIN, json.dumps(data).encode(), client_id="boris").raise_for_status().json()["revision"]
    revision = next(r for r in history(http, PLAIN) if r["number"] == number)
    assert revision["model_sha256"] == answer["model"]["sha256"]
    assert (revision["annotator"], revision["based_on"]) == ("boris", "proposal")
    assert revision["changed"] == [{"point": point["label"], "kind": "moved", "dx": 0.0, "dy": 0.5}]
    stored = http.get("/datastore/label/revision", params={"image": PLAIN, "number": number})
    assert stored.json() == data


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("label.nii.gz", b"\x1f\x8b\x08\x00" + bytes(200)),
        ("label.seg.nrrd", b"NRRD0004\ntype: short\n"),
        ("label.mrk.json", b"{}"),
        ("label.mrk.json", b""),
        ("label.mrk.json", b'{"markups": [{"type": "Fiducial", "controlPoints": []}]}'),
    ],
)
def test_a_label_that_is_no_landmark_list_is_a_4xx_with_a_sentence(http, name, content):
    before = history(http, PLAIN)
    answer = put(http, PLAIN, content, name=name)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(f"label of {PLAIN}: ")
    assert history(http, PLAIN) == before


def test_the_stock_client_s_empty_segmentation_is_refused_in_a_sentence(server, tmp_path):
    (tmp_path / "label.nii.gz").write_bytes(b"\x1f\x8b\x08\x00" + bytes(200))
    client = MONAILabelClient(server.url, tmpdir=str(tmp_path))
    with pytest.raises(MONAILabelClientException) as caught:
        client.save_label(PLAIN, str(tmp_path / "label.nii.gz"))
    assert "landmarks, not segmentations" in str(caught.value.msg)


def test_paths_as_ids_and_tags_are_refused_and_nothing_is_written_outside(server, drawn, http):
    outside = server.studies.parent
    before = sorted(p for p in outside.rglob("*") if server.studies / ".vertenet" not in p.parents)
    label, image = label_of(server, drawn, PLAIN), (server.studies / f"{PLAIN}.png").read_bytes()
    for tag in ("../../..", "../../x", "/tmp", "a/b", "."):
        assert put(http, PLAIN, label, tag=tag).status_code == 400
    for image_id in ("../x", "../../x", "/tmp/x", "a/b", "..", ".x"):
        answer = http.put("/datastore/image", params={"image": image_id}, files={"file": ("x.png", image)})
        assert answer.status_code == 400
        assert answer.json()["detail"].endswith(".")
        assert put(http, image_id, label).status_code in (400, 404)
        assert http.get("/datastore/label", params={"label": image_id, "tag": "final"}).status_code in (400, 404)
    after = sorted(p for p in outside.rglob("*") if server.studies / ".vertenet" not in p.parents)
    assert after == before


def test_two_annotators_are_compared_and_joined(server, drawn, http):
    put(http, DOTTED, label_of(server, drawn, DOTTED, 0.0), client_id="clara").raise_for_status()
    put(http, DOTTED, label_of(server, drawn, DOTTED, 2.0), client_id="dora").raise_for_status()
    pairs = http.get("/datastore/agreement", params={"image": DOTTED}).json()["pairs"]
    (pair,) = (pair for pair in pairs if pair["annotators"] == ["clara", "dora"])
    assert pair["mean_px"] == pytest.approx(2.0)
    assert pair["mean_mm"] is not None
    made = http.post("/datastore/consensus", params={"image": DOTTED}).raise_for_status().json()
    assert made["tag"] == "consensus"
    assert DOTTED in http.get("/datastore/", params={"output": "all"}).json()["objects"]


def test_labels_of_other_programs_come_in_and_the_dataset_goes_out_to_training(server, drawn, tmp_path, http):
    spine = drawn[PLAIN].truth.spine.select(STANDARD_LEVELS)
    rows, columns = drawn[PLAIN].radiograph.pixels.shape
    annotation.save([Annotation(spine, f"{PLAIN}.png", rows, columns)], tmp_path / "labels.csv", "makesense")
    files = {"file": ("labels.csv", (tmp_path / "labels.csv").read_bytes())}
    report = http.put("/datastore/labels", files=files, data={"params": json.dumps({"annotator": "erik"})}).json()
    assert [(r["image_id"], r["annotator"]) for r in report["taken"]] == [(PLAIN, "erik")]
    (tmp_path / "dataset.zip").write_bytes(http.get("/datastore/dataset").raise_for_status().content)
    assert "history.json" in zipfile.ZipFile(tmp_path / "dataset.zip").namelist()
    cases = {case.name: case for case in annotated_cases(tmp_path / "dataset.zip")}
    np.testing.assert_allclose(
        cases["hologic.png"].spine.to_array(STANDARD_LEVELS), spine.to_array(STANDARD_LEVELS), atol=1e-6
    )


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/datastore/label/history", {"image": "nobody"}, 404),
        ("/datastore/label/revision", {"image": PLAIN, "number": 99999}, 404),
        ("/datastore/label/revision", {"image": PLAIN, "number": 0}, 422),
        ("/datastore/label/reading", {"image": PLAIN, "number": 99999}, 404),
        ("/datastore/label/reading", {"image": "nobody", "number": 1}, 404),
        ("/datastore/agreement", {"image": "nobody"}, 404),
        ("/datastore/dataset", {"limit_cases": 0}, 422),
    ],
)
def test_what_is_not_there_is_said_in_a_sentence(http, path, query, status):
    answer = http.get(path, params=query)
    assert answer.status_code == status
    assert answer.json()["detail"].endswith(".")


def reading_of(server, drawn, dx: float = 0.0) -> dict:
    radiograph = read(server.studies / f"{PLAIN}.png")
    spine = drawn[PLAIN].truth.spine.map_points(lambda xy: xy + np.array([dx, 0.0]))
    reading = assess(radiograph, spine)
    return replace(reading, aac=Aac24((0, 0, 1, 2, 3, 0, 0, "unreadable")), reader="Carl", notes="Gas.").to_dict()


def test_identical_submissions_at_once_and_after_a_restart_are_one_revision(server, drawn, http, environment):
    label, reading = label_of(server, drawn, PLAIN, 0.25), reading_of(server, drawn, 0.25)
    said = {"annotator": "carl", "submission": str(uuid.uuid4()), "reading": reading}
    before = len(history(http, PLAIN))
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(put, http, PLAIN, label, **said) for _ in range(4)]
    answers = [answer.result().raise_for_status().json() for answer in answers]
    assert sorted(answer["repeated"] for answer in answers) == [False, True, True, True]
    (number,) = {answer["revision"] for answer in answers}

    conflict = put(http, PLAIN, label_of(server, drawn, PLAIN), **{**said, "reading": None})
    assert conflict.status_code == 409
    assert f"was kept as revision {number}" in conflict.json()["detail"]

    with our_server(server.studies, environment) as again, httpx.Client(base_url=again.url, trust_env=False) as later:
        answer = put(later, PLAIN, label, **said).raise_for_status().json()
        assert (answer["revision"], answer["repeated"]) == (number, True)
        assert len(history(later, PLAIN)) == before + 1


def test_the_reading_beside_a_label_is_kept_with_its_revision_and_checked(server, drawn, http):
    label, reading = label_of(server, drawn, PLAIN), reading_of(server, drawn)
    number = put(http, PLAIN, label, client_id="dora", reading=reading).raise_for_status().json()["revision"]
    kept = http.get("/datastore/label/reading", params={"image": PLAIN, "number": number}).raise_for_status().json()
    assert kept == reading
    assert Reading.from_dict(kept).aac.bounds == (6, 9)
    assert [r["number"] for r in history(http, PLAIN) if r["has_reading"]][-1] == number
    before = history(http, PLAIN)
    for broken in ({**reading, "schema": "x"}, {**reading, "aac": 3}, {**reading, "image": {}}, {}):
        assert put(http, PLAIN, label, reading=broken).status_code == 422
    refused = put(http, PLAIN, label_of(server, drawn, PLAIN, 1.0), reading=reading)
    assert "lies elsewhere in the label" in refused.json()["detail"]
    assert put(http, PLAIN, label, reading="text").status_code == 400
    assert put(http, PLAIN, label, submission="../x").status_code == 400
    assert put(http, PLAIN, label, reading={**reading, "notes": "x" * (1 << 19)}).status_code == 422
    assert put(http, PLAIN, label, reading={**reading, "notes": "x" * (1 << 20)}).status_code == 413
    assert history(http, PLAIN) == before


def lose_nothing(tmp_path, environment, *, count: int, clients: int, kills: int) -> None:
    studies = tmp_path / "studies"
    load = make_load(studies, count)
    # MONAI Label writes logs and empty folders into the app that it serves.
    app = shutil.copytree(APP, tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__", "logs"))
    loss = run_load(
        load, lambda: our_server(studies, environment, app), studies, clients=clients, kills=kills, history=True
    )
    assert len(load.acknowledged) == count
    assert loss.total == 0, loss
    assert not list(studies.rglob("*.part*"))


def test_no_answered_label_is_lost_when_the_server_is_killed(tmp_path, environment):
    lose_nothing(tmp_path, environment, count=60, clients=8, kills=1)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_none_of_500_answered_labels_is_lost_over_three_kills_while_a_scoring_task_runs(tmp_path, environment):
    lose_nothing(tmp_path, environment, count=500, clients=8, kills=3)
