"""A round from labels to a served version, in this process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import filelock
import pytest
from monailabel.interfaces.exception import MONAILabelException

from vertenet.errors import OptionError
from vertenet.inference.refine import refiner_of
from vertenet.models import find_weights
from vertenet.networks import Card, build, load_weights, save_weights
from vertenet.server.infer import LandmarkInfer
from vertenet.server.training import round as rounds
from vertenet.server.training.gate import Verdict
from vertenet.server.training.options import TrainOptions
from vertenet.server.training.progress import read_progress
from vertenet.server.training.replay import Replay
from vertenet.server.training.round import Round, remembered
from vertenet.server.training.split import is_held
from vertenet.server.training.task import AutoStart, RetrainTask, replay_of
from vertenet.server.training.versions import ModelVersions

from .conftest import submit

QUICK = {"steps": 2, "device": "cpu", "batch": 2, "minutes": 5}
SMALL = Replay(training=2, judging=2)


@pytest.fixture(scope="session")
def replayed(tmp_path_factory):
    """A folder with phantoms that were drawn already."""
    folder = tmp_path_factory.mktemp("replayed")
    SMALL.cases(folder)
    SMALL.samples(folder, (128, 128))
    return folder / "replay"


@pytest.fixture
def versions(tmp_path, starter, replayed):
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "replay").symlink_to(replayed)
    return ModelVersions(folder, starter)


def test_a_round_publishes_a_version_that_is_served_without_a_restart(versions, store):
    infer = LandmarkInfer(versions)
    assert infer.predictor().card.name == "small"
    answer = RetrainTask(versions, SMALL)({"model": "vertenet", **QUICK}, store)
    assert (answer["published"], answer["version"]) == (True, "v0001")
    assert infer.predictor().card.name == "small-v0001"
    assert infer.version() == versions.current()
    _, card = load_weights(versions.current().weights)
    assert not card.synthetic_only
    assert card.training_data.startswith("3 annotated images of 3 persons, and 2 synthetic phantoms beside them")
    assert card.training_data.endswith("whose line began with: nothing")
    assert versions.rollback("v0000").name == infer.version().name == "v0000"
    assert infer.predictor().card.name == "small"


def test_what_the_gate_saw_is_kept_and_the_frozen_split_trained_nothing(versions, store):
    outcome = Round(versions, TrainOptions.from_request(QUICK), SMALL).run(store)
    record = json.loads(outcome.record.read_text())
    assert record == versions.gate("v0001")
    assert {is_held(name) for name in record["trained_on"]} == {False}
    assert [is_held(name) for name in record["judged_by"]] == [True]
    assert (record["split"]["images"], record["replay"]["images"]) == (1, 2)
    # Those who are trained on judge as well, each by weights that have not learned them.
    assert sorted(name for fold in record["folds"] for name in fold) == sorted(record["trained_on"])
    assert (record["cross_fitted"]["persons"], record["state"]) == (4, "published")
    assert "Cross-fitted over 4 persons (3 short trainings)" in outcome.reason
    assert "not calibrated" in outcome.reason  # two phantoms and one patient are too few for that
    assert not versions.list()[1]["calibrated"]
    assert record["labels"] == remembered(versions.folder) == {x.image_id: x.revision for x in store.final_labels()}


def test_progress_is_what_stock_clients_read(versions, store):
    task = RetrainTask(versions, SMALL)
    before = task.stats()
    assert (before["epoch"], before["total_epochs"], before["best_metric"]) == (0, 1, 0.0)
    task({**QUICK, "epochs": 3, "steps": ""}, store)
    after = task.stats()
    assert after["state"] == "done"
    assert after["epoch"] == after["total_epochs"] == 3
    assert 0 <= after["best_metric"] <= 1
    assert after["total_time"].endswith(" s")
    assert after["model_version"] == "v0001"
    json.dumps(after, allow_nan=False)


def test_a_second_round_goes_on_from_the_first_and_keeps_the_split(versions, store):
    for name in ("v0001", "v0002"):
        outcome = Round(versions, TrainOptions.from_request(QUICK), SMALL).run(store)
        assert outcome.version == name
    first, second = (versions.gate(name) for name in ("v0001", "v0002"))
    assert second["compared_with"]["version"] == "v0001"
    assert first["judged_by"] == second["judged_by"]
    # The persons whom the first round learned would speak for what is served: they judge no second time.
    assert (len(first["folds"]), second["folds"], second["cross_fitted"]) == (3, [], None)
    assert "fine-tuned from v0001" in Card.read(versions.current().weights.with_suffix(".json")).training_data


def test_from_scratch_at_another_input_size(versions, store):
    request = {**QUICK, "start": "scratch", "input_size": "64x96"}
    Round(versions, TrainOptions.from_request(request), Replay(0, 2)).run(store)
    network, card = load_weights(versions.current().weights)
    assert tuple(network.input_size) == (64, 96)
    assert "fine-tuned" not in card.training_data


def test_fine_tuning_at_another_input_size_with_a_frozen_encoder(versions, store):
    request = {**QUICK, "freeze": "encoder", "input_size": "160x96"}
    Round(versions, TrainOptions.from_request(request), Replay(0, 2)).run(store)
    old, _ = load_weights(versions.starter)
    new, _ = load_weights(versions.current().weights)
    assert tuple(new.input_size) == (160, 96)
    assert all((a == b).all() for a, b in zip(old.encoder.state_dict().values(), new.encoder.state_dict().values()))
    assert any((a != b).any() for a, b in zip(old.state_dict().values(), new.state_dict().values()))


def test_two_processes_train_one_model(versions, store):
    # From scratch, which trains once: every fold would start processes of its own.
    options = TrainOptions.from_request({**QUICK, "start": "scratch"})
    outcome = Round(versions, options, Replay(0, 2), processes=2, threads=1).run(store)
    assert outcome.published
    assert Card.read(versions.current().weights.with_suffix(".json")).recipe["cost"]["processes"] == 2


@pytest.mark.parametrize(
    ("request_", "word"),
    [
        ({"learning_rate": -1}, "learning_rate"),
        ({"epochs": 1.5}, "epochs"),
        ({"steps": "many"}, "steps"),
        ({"device": "tpu"}, "device"),
        ({"start": "/etc/passwd"}, "start"),
        ({"input_size": "100x100"}, "input_size"),
        ({"minutes": True}, "minutes"),
        ({"freeze": "nothing"}, "freeze"),
    ],
)
def test_a_bad_parameter_is_a_sentence_and_changes_nothing(versions, store, request_, word):
    with pytest.raises(MONAILabelException, match=word):
        RetrainTask(versions, SMALL)({**QUICK, **request_}, store)
    assert versions.current().name == "v0000"


def test_options_are_read_as_clients_send_them():
    sent = {"epochs": "3", "max_epochs": 9, "learning_rate": "1e-4", "device": ["auto", "cpu"], "start": ["served"]}
    options = TrainOptions.from_request(
        {**sent, "input_size": [512, 256], "freeze": "None", "lr": 2, "bundle_path": "x"}
    )
    assert (options.epochs, options.learning_rate, options.device, options.start) == (3, 1e-4, "auto", "served")
    assert (options.input_size, options.freeze, options.ignored) == ((512, 256), None, ("lr",))
    assert TrainOptions.from_request({"max_epochs": 9}).epochs == 9
    assert TrainOptions.from_request(RetrainTask.config(None)) == TrainOptions()


def test_only_one_round_at_a_time(versions, store):
    with filelock.FileLock(versions.folder / "round.lock"), pytest.raises(OptionError, match="running already"):
        Round(versions, TrainOptions.from_request(QUICK), SMALL).run(store)


def test_a_round_without_labels_says_what_to_do(versions, store):
    for label in store.final_labels():
        store.end_labels(label.image_id, "final")
    with pytest.raises(OptionError, match="nothing to train on"):
        Round(versions, TrainOptions.from_request(QUICK), SMALL).run(store)
    assert read_progress(versions.folder)["state"] == "failed"


def test_a_label_that_cannot_be_read_is_left_out_and_named(versions, store):
    label = next(x for x in store.final_labels() if not is_held(x.image_id))
    label.image_path.write_bytes(b"no longer an image")
    outcome = Round(versions, TrainOptions.from_request(QUICK), SMALL).run(store)
    record = json.loads(outcome.record.read_text())
    assert label.image_id not in record["trained_on"]
    assert any(label.image_id in sentence for sentence in record["unusable_labels"])


def test_a_model_of_shuffled_labels_is_refused_and_its_figures_are_kept(store, images, tmp_path):
    # The shipped weights: there must be something to lose. The labels of the image that judges stay right.
    learn = [name for name in images[1] if not is_held(name)]
    for name, other in zip(learn, [*learn[1:], learn[0]]):
        here, there = images[1][name].truth, images[1][other].truth
        spine = there.spine.map_points(lambda xy, a=here, b=there: xy * [a.columns / b.columns, a.rows / b.rows])
        spine = spine if there.anterior == here.anterior else spine.mirrored(here.columns)
        submit(store, name, spine.bounded(here.rows, here.columns), (here.rows, here.columns))
    versions = ModelVersions(tmp_path / "models", find_weights("vertenet-lite"))
    options = TrainOptions.from_request({"steps": 5, "learning_rate": 0.02, "device": "cpu"})
    outcome = Round(versions, options, Replay(0, 2)).run(store)
    assert not outcome.published
    assert outcome.version == versions.current().name == "v0000"
    assert outcome.reason.startswith("Refused, and the served model stays: ")
    record = json.loads(outcome.record.read_text())
    assert (record["version"], record["state"]) == ("v0001", "refused")
    assert "are they those of these images?" in outcome.reason
    assert versions.names() == ["v0000", "v0001"]
    stats = RetrainTask(versions).stats()
    assert (stats["published"], stats["best_metric"]) == (False, record["cross_fitted"]["served"]["sdr"])


def test_what_the_gate_refuses_is_kept_to_be_looked_at(versions, store, monkeypatch):
    def refuse(split, replay, cross_fitted):
        return Verdict(False, "Refused, and the served model stays: it was not liked.", split, replay)

    monkeypatch.setattr(rounds, "judge", refuse)
    outcome = Round(versions, TrainOptions.from_request(QUICK), SMALL).run(store)
    assert (outcome.published, outcome.version, versions.current().name) == (False, "v0000", "v0000")
    assert "The refused weights are kept as v0001" in outcome.reason
    assert versions.state("v0001") == "refused"
    assert versions.gate("v0001") == json.loads(outcome.record.read_text())
    load_weights(versions.version("v0001").weights)
    assert (versions.folder / "v0001" / "recipe.json").is_file()
    # A round that follows starts from what is served, and learns nothing from what was refused.
    monkeypatch.undo()
    again = Round(versions, TrainOptions.from_request(QUICK), SMALL).run(store)
    assert again.version == "v0002"
    assert len(versions.gate("v0002")["folds"]) == 3


def test_the_refiner_learns_with_the_network(versions, store, starter):
    refiner = build("refiner", width=4, decoder=8)
    path = refiner_of(starter)
    save_weights(refiner, path, Card.of(refiner, name="refiner", training_data="nothing", synthetic_only=True))
    Round(versions, TrainOptions.from_request(QUICK), SMALL).run(store)
    made, card = load_weights(refiner_of(versions.version("v0001").weights))
    assert card.training_data.startswith("3 annotated images, and phantoms beside them")
    before = load_weights(path)[0].state_dict()
    assert any((before[name] != value).any() for name, value in made.state_dict().items())


_KILLED = """
import os, signal, sys
from pathlib import Path
from vertenet.server.store import RadiographStore
from vertenet.server.training import round as rounds
from vertenet.server.training.options import TrainOptions
from vertenet.server.training.replay import Replay
from vertenet.server.training.tuning import Tuning
from vertenet.server.training.versions import ModelVersions
from vertenet.server.training.worker import Job

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

where = {"training": (Job, "run"), "judging": (rounds, "judge"), "publishing": (os, "rename")}
setattr(*where[sys.argv[4]], die)
versions = ModelVersions(Path(sys.argv[1]), Path(sys.argv[2]))
options = TrainOptions.from_request({"steps": 1, "device": "cpu", "batch": 2})
rounds.Round(versions, options, Replay(2, 2)).run(RadiographStore(sys.argv[3]))
"""


@pytest.mark.parametrize("moment", ["training", "judging", "publishing"])
def test_a_killed_round_leaves_the_served_model_and_the_next_one_runs(versions, store, moment):
    served = versions.current()
    command = [sys.executable, "-c", _KILLED, versions.folder, versions.starter, store.folder, moment]
    done = subprocess.run(list(map(str, command)), capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert versions.current() == served
    assert RetrainTask(versions, SMALL).stats()["state"] == "killed"
    outcome = Round(versions, TrainOptions.from_request(QUICK), SMALL).run(store)
    assert outcome.version == versions.current().name == "v0001"
    assert not (versions.folder / ".round").exists()


def test_a_training_starts_by_itself_after_so_many_new_labels(versions, store, images):
    auto = AutoStart.of({"retrain_after": "4"}, versions)
    assert auto.due(store)
    assert not AutoStart(5, versions).due(store)
    assert not AutoStart.of({}, versions).due(store)
    Round(versions, TrainOptions.from_request(QUICK), SMALL).run(store)
    assert not AutoStart(1, versions).due(store)
    name, image = next(iter(images[1].items()))
    submit(store, name, image.truth.spine, image.radiograph.pixels.shape)
    assert AutoStart(1, versions).due(store)
    assert not AutoStart(2, versions).due(store)


def test_the_configuration_chooses_what_is_replayed():
    conf = {"replay": "7", "replay_judging": "8", "replay_without": "ge-idxa-de, hologic-4500a"}
    assert replay_of(conf) == Replay(7, 8, ("ge-idxa-de", "hologic-4500a"))
    for wrong in ({"replay": "-1"}, {"replay_judging": "1"}, {"replay_without": "nobody"}):
        with pytest.raises(OptionError):
            replay_of(wrong)


def test_replayed_phantoms_leave_out_the_scanners_that_are_named(tmp_path):
    cases = Replay(0, 4, ("ge-idxa-de",)).cases(tmp_path)
    assert len(cases) == 4
    assert all(case.scanner != "ge-idxa-de" and case.synthetic for case in cases)
    drawn = {path.name: path.stat().st_mtime_ns for path in Path(tmp_path, "replay", "judging").iterdir()}
    time.sleep(0.01)
    Replay(0, 4, ("ge-idxa-de",)).cases(tmp_path)
    assert {path.name: path.stat().st_mtime_ns for path in Path(tmp_path, "replay", "judging").iterdir()} == drawn
