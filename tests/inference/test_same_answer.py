"""The reading is that of the dense path: one image at a time through the whole network, every cell of every map."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from vertenet.imaging import read
from vertenet.imaging.contrast import LEAST, MIDDLE, STEP
from vertenet.imaging.frame import Frame
from vertenet.inference import Predictor
from vertenet.phantom import generate
from vertenet.radiograph import Radiograph

from ..damaged import make_damaged

SAMPLES = Path(__file__).parents[2] / "sample_data"


class Dense(Predictor):
    """As the first version read: torch resizes, scipy evens, maps are dense, one view after the other."""

    @torch.inference_mode()
    def see(self, views):
        return [self._one(radiograph, even) for radiograph, even in views]

    def _one(self, radiograph, even):
        image = torch.from_numpy(np.array(radiograph.pixels, np.float32))[None, None]
        size = self.network.input_size
        pixels = torch.nn.functional.interpolate(image, size, mode="bilinear", align_corners=False, antialias=True)
        if even:
            pixels = torch.from_numpy(_evened(pixels[0, 0].numpy()))[None, None]
        deepest = []
        hook = self.network.encoder.register_forward_hook(lambda module, inputs, output: deepest.append(output[-1]))
        found = self.network((pixels / 255 - 0.5).expand(1, 3, -1, -1))
        hook.remove()
        return {**{n: v[0].numpy() for n, v in found.items()}, "deepest": deepest[0][0].mean(dim=(1, 2)).numpy()}


def _evened(pixels):
    from scipy.ndimage import gaussian_filter

    sigma = 0.08 * pixels.shape[0]
    away = pixels - gaussian_filter(pixels, sigma)
    spread = np.sqrt(gaussian_filter(away**2, sigma)) + np.float32(LEAST)
    return np.clip(np.float32(MIDDLE) + np.float32(STEP) * away / spread, 0, 255)


@pytest.fixture(scope="module")
def readers():
    return Predictor("vertenet-lite", runtime="torch"), Dense("vertenet-lite", runtime="torch")


def same(readers, radiograph, **options):
    ours, theirs = (reader(radiograph, **options) for reader in readers)
    for one, other in ((ours, theirs), (ours.levels, theirs.levels)):
        for item in dataclasses.fields(one):
            if item.name in ("warnings", "certain", "crop_state"):
                assert getattr(one, item.name) == getattr(other, item.name)
    assert ours.crop.state is theirs.crop.state
    assert [v.is_missing for v in ours.spine] == [v.is_missing for v in theirs.spine]
    frame = Frame(radiograph.pixels.shape)  # the normalised frame, in whose pixels errors are quoted
    for (key, one), (_, other) in zip(ours.spine.named_points(), theirs.spine.named_points()):
        assert one.status is other.status, key
        if one.is_present:
            moved = frame.from_source(np.array(one.xy)) - frame.from_source(np.array(other.xy))
            assert np.abs(moved).max() < 0.02, key
    return ours


@pytest.mark.parametrize(
    "name", ["02-clean-4500a-dicom.dcm", "07-cropped-border.png", "10-facing-left.png"]
)  # fmt: skip
def test_a_sample_is_read_as_before(readers, name):
    same(readers, read(SAMPLES / name), anterior="auto")


def test_what_holds_no_spine_is_refused_as_before(readers):
    noise = np.random.default_rng(3).uniform(0, 255, (300, 200)).astype(np.float32)
    assert not same(readers, Radiograph(noise)).quality.typical
    same(readers, Radiograph(noise[:12, :9].copy(), anterior="right"))


@pytest.mark.long
def test_thirty_phantoms_all_samples_and_damaged_files_are_read_as_before(readers, tmp_path):
    for seed in range(30):
        phantom = generate(910_000 + seed, difficulty=("default", "hard")[seed % 2])
        same(readers, phantom.radiograph, anterior=(None, "auto")[seed % 2])
        if seed % 6 == 0:
            same(readers, Radiograph(phantom.radiograph.pixels[::-1].copy()), anterior="right")
    for path in sorted(SAMPLES.iterdir()):
        if path.suffix in (".png", ".jpg", ".dcm"):
            same(readers, read(path))
    for path in make_damaged(tmp_path, 31, seed=5):
        try:
            radiograph = read(path)
        except Exception:  # the reader's tests hold what it says
            continue
        same(readers, radiograph)
