"""The command line as a user meets it: real files in, real files out, sentences on stderr."""

import csv
import json
import shutil
import subprocess
import sys

import pytest

from tests.damaged import make_damaged
from vertenet.annotation import load
from vertenet.reading import Reading


def vertenet(*arguments, check=None):
    done = subprocess.run(
        [sys.executable, "-m", "vertenet.cli", *map(str, arguments)], capture_output=True, text=True, timeout=280
    )
    assert "Traceback" not in done.stderr
    if check is not None:
        assert done.returncode == check, done.stderr
    return done


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantoms")
    vertenet("phantom", "--count", 2, "--seed", 40, "--scanner", "hologic-horizon", "--out", folder, check=0)
    return folder


def test_phantoms_are_the_same_bytes_for_the_same_seed(phantoms, tmp_path):
    vertenet("phantom", "--count", 2, "--seed", 40, "--scanner", "hologic-horizon", "--out", tmp_path, check=0)
    names = sorted(path.name for path in phantoms.iterdir())
    assert len(names) == 4
    assert all((tmp_path / name).read_bytes() == (phantoms / name).read_bytes() for name in names)


def test_predict_writes_markups_reading_overlay_and_table_and_goes_on_past_a_damaged_file(phantoms, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n but no more")
    out = tmp_path / "out"
    done = vertenet("predict", broken, phantoms, "--out", out, "--spacing", 0.36)
    assert done.returncode == 2
    assert "broken.png" in done.stderr
    images = sorted(phantoms.glob("*.png"))
    for image in images:
        reading = Reading.load(out / f"{image.stem}.reading.json")
        assert reading.image.spacing.row == 0.36
        assert len(reading.spine) == 6
        assert any("synthetic" in warning for warning in reading.warnings)
        markups = json.loads((out / f"{image.stem}.mrk.json").read_text())
        labels = {point["label"] for point in markups["markups"][0]["controlPoints"]}
        assert labels == {name for name, _ in reading.spine.named_points()}
        assert "L3-SM" in labels  # the mid-endplate points as well
        assert (out / f"{image.stem}.overlay.png").stat().st_size > 10_000
    rows = list(csv.DictReader((out / "results.csv").open(encoding="utf-8")))
    assert len(rows) == 3
    assert "broken.png" in json.dumps(rows[0])


def test_every_damaged_file_of_a_batch_gets_its_sentence_and_the_good_one_its_landmarks(phantoms, tmp_path):
    damaged = make_damaged(tmp_path / "damaged", 60, seed=7, folders=False)
    good = sorted(phantoms.glob("*.png"))[0]
    out = tmp_path / "out"
    done = vertenet("predict", *damaged[:30], good, *damaged[30:], "--out", out)
    assert done.returncode == 2
    said = done.stderr.splitlines()
    assert [path.name for path in damaged if not any(path.name in line for line in said)] == []
    assert (out / f"{good.stem}.reading.json").exists()
    rows = list(csv.DictReader((out / "results.csv").open(encoding="utf-8")))
    assert len(rows) == 61
    assert len(list(out.iterdir())) == 4


def test_measure_gives_guides_and_crop_from_landmarks_alone(phantoms, tmp_path):
    image = sorted(phantoms.glob("*.png"))[0]
    vertenet("predict", image, "--out", tmp_path, check=0)
    done = vertenet("measure", "--image", image, "--landmarks", tmp_path / f"{image.stem}.mrk.json", check=0)
    assert "L4/L5" in done.stdout
    assert "factor 1.2" in done.stdout
    assert "Lordosis L1-L5" in done.stdout
    assert "no diagnosis" in done.stdout
    assert any(said in done.stdout for said in ("aortic corridor", "Aorta may be", "Crop could not be assessed"))


def test_train_on_a_folder_of_annotated_images_and_predict_with_the_weights(phantoms, tmp_path):
    data = tmp_path / "data"
    vertenet("predict", phantoms, "--out", data, check=0)
    for image in phantoms.glob("*.png"):
        shutil.copy(image, data)
        (data / f"{image.stem}.overlay.png").unlink()
        (data / f"{image.stem}.reading.json").unlink()
    (data / "results.csv").unlink()
    run = tmp_path / "run"
    vertenet(
        "train", "--data", data, "--steps", 1, "--batch", 1, "--out", run, "--start-from", "vertenet-lite", check=0
    )
    image = sorted(phantoms.glob("*.png"))[0]
    vertenet("predict", image, "--model", run / "weights.safetensors", "--out", tmp_path / "out", check=0)
    reading = Reading.load(tmp_path / "out" / f"{image.stem}.reading.json")
    assert "annotated images" in reading.model.training_data
    assert "before that, as vertenet-lite" in reading.model.training_data
    assert not reading.model.synthetic_only


def test_an_output_folder_that_cannot_be_made_is_a_sentence(phantoms, tmp_path):
    (tmp_path / "taken").write_text("a file, not a folder")
    for arguments in (("predict", phantoms), ("phantom", "--count", 1)):
        done = vertenet(*arguments, "--out", tmp_path / "taken", check=2)
        assert "taken" in done.stderr


def test_convert_goes_there_and_back(tmp_path):
    rows = ["label,x,y,fname,x_dim,y_dim"]
    for vertebra in range(6):
        y = 100 + 90 * vertebra
        for x, dy in ((150, 0), (250, 2), (152, 70), (251, 72)):
            rows.append(f"p,{x},{y + dy},scan.png,402,1104")
    source = tmp_path / "points.csv"
    source.write_text("\n".join(rows) + "\n")
    vertenet("convert", source, tmp_path / "scan.mrk.json", check=0)
    there = load(tmp_path / "scan.mrk.json")
    assert next(iter(there.values())).spine.to_array()[0, 0].tolist() == [250, 102]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("predict", "nowhere.png", "--out", "o"), "nowhere.png"),
        (("predict", "x.png", "--out", "o", "--anterior", "up"), "left, right, auto"),
        (("predict", "x.png", "--out", "o", "--spacing", "-1"), "positive"),
        (("predict", "x.png", "--out", "o", "--model", "no-such-model"), "no-such-model"),
        (("phantom", "--out", "o", "--scanner", "toaster"), "toaster"),
        (("train", "--out", "o"), "nothing to train on"),
        (("import-checkpoint", "none.pth", "o.safetensors"), "none.pth"),
        (("serve", "--studies", "no-such-folder"), "no-such-folder"),
    ],
)
def test_a_bad_request_is_a_sentence_and_exit_code_2(arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = vertenet(*arguments, check=2)
    assert words in done.stderr.replace("\n", " ")
    assert not done.stderr.strip().startswith("{")
