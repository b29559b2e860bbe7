"""Versions: published whole, pointed at in one step, rolled back to."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.exceptions import HTTPException

from vertenet.errors import ModelError, OptionError
from vertenet.networks import Card
from vertenet.server.infer import LandmarkInfer
from vertenet.server.training.versions import KEPT_REFUSED, ModelVersions

from .conftest import make_starter

GATE = {"passed": True, "reason": "It is not worse."}


@pytest.fixture
def versions(tmp_path, starter):
    return ModelVersions(tmp_path / "models", starter)


def staged(versions, tmp_path, seed=1):
    """A folder of other weights, ready to publish."""
    folder = tmp_path / f"made{seed}"
    made = make_starter(folder, seed)
    for end in (".safetensors", ".json"):
        made.with_suffix(end).rename((folder / versions.file_name(versions.next_name())).with_suffix(end))
    return folder


def test_without_anything_published_the_starter_is_served_where_it_lies(versions, starter):
    current = versions.current()
    assert (current.name, current.weights) == ("v0000", starter)
    assert current.sha256 == Card.read(starter.with_suffix(".json")).sha256
    assert not versions.folder.exists()


def test_publishing_and_rolling_back(versions, tmp_path):
    starter = versions.current()
    first = versions.publish(staged(versions, tmp_path, 1), GATE)
    second = versions.publish(staged(versions, tmp_path, 2), GATE)
    assert [first.name, second.name] == ["v0001", "v0002"]
    assert versions.current() == second != first
    assert versions.gate("v0001") == GATE
    for name in ("v0001", "v0000", "v0002"):
        assert versions.rollback(name) == versions.current()
        assert [row["version"] for row in versions.list() if row["served"]] == [name]
    assert len({starter.sha256, first.sha256, second.sha256}) == 3
    # Numbers are never used again, whatever is served.
    versions.rollback("v0000")
    assert versions.next_name() == "v0003"


REFUSAL = {"passed": False, "reason": "Refused.", "trained_on": ["a"], "compared_with": {"version": "v0000"}}


def test_a_refused_version_is_kept_and_served_only_by_somebody_who_says_why(versions, tmp_path):
    kept = versions.keep(staged(versions, tmp_path), REFUSAL)
    assert (kept.name, versions.current().name) == ("v0001", "v0000")
    assert [row["state"] for row in versions.list()] == ["published", "refused"]
    assert versions.gate("v0001") == {**REFUSAL}
    with pytest.raises(OptionError, match="POST /models/publish"):
        versions.rollback("v0001")
    with pytest.raises(OptionError, match="no reason"):
        versions.publish_refused("v0001", by="ada", reason=" ")
    with pytest.raises(OptionError, match="was not refused"):
        versions.publish_refused("v0000", by="ada", reason="why not")
    assert versions.current().name == "v0000"
    assert versions.publish_refused("v0001", by="ada", reason="I looked at ten overlays") == versions.current()
    row = versions.list()[1]
    assert row["state"] == "published although refused"
    assert (row["overruled"]["by"], row["overruled"]["reason"]) == ("ada", "I looked at ten overlays")
    # From now on it is a version like others.
    versions.rollback("v0000")
    assert versions.rollback("v0001").name == "v0001"


def test_of_refused_versions_the_latest_are_kept(versions, tmp_path):
    versions.keep(staged(versions, tmp_path, 1), REFUSAL)
    versions.publish_refused("v0001", by=None, reason="looked at")
    for seed in range(2, 4 + KEPT_REFUSED):
        versions.keep(staged(versions, tmp_path, seed), REFUSAL)
    last = 3 + KEPT_REFUSED
    assert versions.names() == ["v0000", "v0001", *(f"v{n:04d}" for n in range(last - KEPT_REFUSED + 1, last + 1))]
    assert versions.next_name() == f"v{last + 1:04d}"


def test_what_a_version_learned_its_line_has_learned(versions, tmp_path):
    versions.publish(staged(versions, tmp_path, 1), {**REFUSAL, "passed": True})
    second = {"passed": True, "trained_on": ["b"], "compared_with": {"version": "v0001"}}
    versions.publish(staged(versions, tmp_path, 2), second)
    assert versions.learned("v0002") == {"a", "b"}
    assert versions.learned("v0000") == set()
    versions.publish(staged(versions, tmp_path, 3), {**second, "trained_on": ["c"], "options": {"start": "scratch"}})
    assert versions.learned("v0003") == {"c"}


def test_another_process_sees_what_was_published(versions, tmp_path):
    follower = ModelVersions(versions.folder, versions.starter)
    assert follower.current().name == "v0000"
    versions.publish(staged(versions, tmp_path), GATE)
    assert follower.current().name == "v0001"
    versions.rollback("v0000")
    assert follower.current().name == "v0000"


@pytest.mark.parametrize("name", ["v0009", "../../etc", "", "replay", "v1"])
def test_a_version_that_does_not_exist_is_refused(versions, tmp_path, name):
    versions.publish(staged(versions, tmp_path), GATE)
    with pytest.raises(OptionError, match="no model version"):
        versions.rollback(name)
    assert versions.current().name == "v0001"


def test_what_is_not_whole_is_not_published(versions, tmp_path):
    folder = staged(versions, tmp_path)
    (folder / versions.file_name("v0001")).with_suffix(".json").unlink()
    with pytest.raises(ModelError, match="card"):
        versions.publish(folder, GATE)
    with pytest.raises(ModelError, match="no such weight file"):
        versions.publish(tmp_path / "nothing", GATE)
    assert versions.current().name == "v0000"


def test_a_folder_that_was_renamed_but_never_pointed_at_is_not_served(versions, tmp_path):
    # What a kill between the two steps of publishing leaves behind.
    folder = staged(versions, tmp_path)
    versions.folder.mkdir()
    shutil.move(folder, versions.folder / "v0001")
    assert versions.current().name == "v0000"
    assert versions.next_name() == "v0002"


def test_a_damaged_pointer_is_a_sentence_and_no_other_model_is_served_in_silence(versions):
    versions.folder.mkdir()
    (versions.folder / "current.json").write_text("{")
    with pytest.raises(ModelError, match=r"current\.json"):
        versions.current()


def test_requests_that_meet_a_new_version_together_get_one_model_of_it(versions, tmp_path):
    infer = LandmarkInfer(versions)
    old = infer.predictor()
    versions.publish(staged(versions, tmp_path), GATE)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: infer.predictor(), range(8)))
    assert len(set(map(id, found))) == 1
    assert found[0] is not old
    assert found[0].card.sha256 == infer.version().sha256 == infer.info()["model_sha256"]
    assert infer.info()["model_version"] == "v0001"


def test_damage_to_the_served_version_is_a_503(versions, tmp_path, images):
    version = versions.publish(staged(versions, tmp_path), GATE)
    version.weights.write_bytes(b"no longer weights")
    image = next(images[0].glob("*.png"))
    with pytest.raises(HTTPException, match="SHA-256") as caught:
        LandmarkInfer(versions)({"image": str(image)})
    assert caught.value.status_code == 503
    versions.rollback("v0000")
    _, answer = LandmarkInfer(versions)({"image": str(image)})
    assert answer["model_version"] == "v0000"
    assert json.loads(json.dumps(answer)) == answer
