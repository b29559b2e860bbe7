"""Every runtime says what torch says, one that does not is refused, one that is missing is passed over or named."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vertenet.errors import ModelError, OptionError
from vertenet.imaging import read
from vertenet.imaging.frame import Frame
from vertenet.inference import Predictor, runtimes
from vertenet.inference.runtimes import RUNTIMES, graphs, installed, open_runtime
from vertenet.inference.runtimes.check import check, tolerance_of
from vertenet.networks import build, names

SAMPLES = Path(__file__).parents[3] / "sample_data"
IMAGES = ("01-clean-horizon.png", "08-scoliosis.png")
SHA = "5" * 64
GRAPH_RUNTIMES = [
    pytest.param(name, marks=pytest.mark.skipif(not (installed(name) and installed("onnxruntime")), reason="missing"))
    for name in RUNTIMES
    if not name.startswith("torch") and not name.endswith("int8")
]
needs_graphs = pytest.mark.skipif(not installed("onnxruntime"), reason="onnxruntime is missing")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A folder of graphs that this module fills once."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(graphs.CACHE_VARIABLE, str(folder))
        yield folder


@pytest.fixture(scope="module")
def by_torch():
    reader = Predictor("vertenet-lite", runtime="torch")
    return [reader(read(SAMPLES / name), anterior="auto") for name in IMAGES]


def agree(readings, others, radiographs, *, exact):
    """Readings of an exact runtime are alike to 0.02 px.

    Of one in fewer bits, which is used by name only, names are alike, half of the coordinates to 0.25 px and none is
    off by more than 2; how sure it is of its names may differ.
    """
    for one, other, radiograph in zip(readings, others, radiographs):
        assert [v.is_missing for v in one.spine] == [v.is_missing for v in other.spine]
        frame = Frame(radiograph.pixels.shape)
        moved = np.abs(frame.from_source(one.spine.to_array()) - frame.from_source(other.spine.to_array()))
        if exact:
            assert one.levels.certain == other.levels.certain
        assert np.nanmedian(moved) < (0.02 if exact else 0.25)
        assert np.nanmax(moved) < (0.02 if exact else 2)


@pytest.mark.parametrize("name", [*GRAPH_RUNTIMES, "torch-bfloat16"])
def test_a_runtime_reads_two_samples_in_a_row_as_torch_does(name, cache, by_torch):
    reader = Predictor("vertenet-lite", runtime=name)
    assert reader.runtime.name == name
    radiographs = [read(SAMPLES / image) for image in IMAGES]
    readings = [reader(radiograph, anterior="auto") for radiograph in radiographs]
    agree(readings, by_torch, radiographs, exact=tolerance_of(name)[0] < 0.1)


@needs_graphs
def test_a_graph_that_is_there_is_chosen_by_itself_and_read_without_torch(cache, by_torch):
    Predictor("vertenet-lite", runtime="onnxruntime")  # makes the graphs, where no test before did
    code = (
        "import sys; from vertenet.imaging import read; from vertenet.inference import Predictor;"
        "p = Predictor('vertenet-lite'); r = p(read(sys.argv[1]), anterior='auto');"
        "print(p.runtime.name, 'torch' in sys.modules, 'timm' in sys.modules, list(r.spine['L3']['SA'].xy))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(SAMPLES / IMAGES[0])], capture_output=True, text=True, timeout=600, check=True
    )
    name, torch_loaded, timm_loaded, xy = done.stdout.split(maxsplit=3)
    assert name in ("onnxruntime", "openvino")
    assert (torch_loaded, timm_loaded) == ("False", "False")
    np.testing.assert_allclose(json.loads(xy), by_torch[0].spine["L3"]["SA"].xy, atol=0.02)


@needs_graphs
def test_a_graph_that_computes_something_else_is_refused_by_name_and_passed_over_by_itself(
    tmp_path, monkeypatch, caplog
):
    monkeypatch.setenv(graphs.CACHE_VARIABLE, str(tmp_path))
    network = build("vertenet-lite", input_size=(256, 256)).eval()
    graph = graphs.export_graph(network, SHA)
    assert open_runtime(SHA, lambda: network).name in ("openvino", "onnxruntime")
    with np.load(graph.path.with_suffix(".npz")) as stored:
        values = dict(stored)
    values["hm"] = values["hm"] + 0.01
    np.savez_compressed(graph.path.with_suffix(".npz"), **values)
    with pytest.raises(ModelError, match="computes these weights otherwise than torch"):
        open_runtime(SHA, lambda: network, "onnxruntime")
    assert open_runtime(SHA, lambda: network).name == "torch"
    assert "otherwise than torch" in caplog.text


@needs_graphs
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_damaged_graph_is_made_again_when_it_is_named(damage, tmp_path, monkeypatch):
    monkeypatch.setenv(graphs.CACHE_VARIABLE, str(tmp_path))
    network = build("refiner", width=4, decoder=8).eval()
    path = graphs.export_graph(network, SHA).path
    companion = path.with_suffix(".npz")
    companion.write_bytes(companion.read_bytes()[:100]) if damage == "cut" else companion.unlink()
    assert open_runtime(SHA, lambda: network).name == "torch"
    assert open_runtime(SHA, lambda: network, "onnxruntime").name == "onnxruntime"
    assert open_runtime(SHA, pytest.fail).name in ("openvino", "onnxruntime")


@needs_graphs
def test_a_graph_of_another_version_is_not_found(tmp_path, monkeypatch):
    monkeypatch.setenv(graphs.CACHE_VARIABLE, str(tmp_path))
    graphs.export_graph(build("refiner", width=4, decoder=8), SHA)
    monkeypatch.setattr(graphs, "__version__", "0.0.0")
    assert graphs.find_graph(SHA) is None


@needs_graphs
def test_exporting_leaves_the_network_as_it_was(cache):
    network = build("refiner", width=4, decoder=8).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    graphs.export_graph(network, SHA)
    assert all(before[name].equal(value) for name, value in network.state_dict().items())


def test_a_runtime_that_is_not_installed_is_one_sentence_and_auto_does_without(monkeypatch):
    monkeypatch.setattr(runtimes, "installed", lambda name: name == "torch")
    with pytest.raises(ModelError, match=r"openvino is not installed.*vertenet\[runtimes\]"):
        Predictor("vertenet-lite", runtime="openvino")
    assert Predictor("vertenet-lite").runtime.name == "torch"
    with pytest.raises(OptionError, match="no runtime 'tensorflow'"):
        Predictor("vertenet-lite", runtime="tensorflow")


@needs_graphs
@pytest.mark.long
@pytest.mark.parametrize("network", names())
def test_every_network_of_the_zoo_is_the_same_in_a_graph(network, tmp_path, monkeypatch):
    monkeypatch.setenv(graphs.CACHE_VARIABLE, str(tmp_path))
    module = build(network, input_size=(256, 256)).eval()
    graph = graphs.export_graph(module, SHA)
    for name in ("onnxruntime", "openvino"):
        if installed(name):
            check(open_runtime(SHA, pytest.fail, name), graph)
