"""Compare phantoms with real images of the same scanner by numbers: docs/images/phantom-comparison.png and a table.

python docs/pictures/make_phantom_comparison.py REAL_FOLDER --set dxa --scanner ge-idxa-de --out phantom-comparison.png

REAL_FOLDER is one of docs/real-images.md; nothing of its images but numbers is written. Every length is in body heights
of the image (from true corners or centres), every place is found from the true centres, in both kinds the same way.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image
from scipy import ndimage

from vertenet.experiments.tables import markdown
from vertenet.experiments.truth import cases_to_measure
from vertenet.measure.matching import body_heights, middle_of
from vertenet.phantom import generate
from vertenet.radiograph import Radiograph
from vertenet.spine import STANDARD_LEVELS, Level, Spine

#: A body's depth over its height, for patches alone.
DEPTH = 1.25
#: Rows of a body after resampling, before a spectrum is taken: real and drawn grain are then seen at one scale.
BODY_ROWS = 32
PATCH = 20
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


@dataclass(frozen=True, eq=False)
class Spots:
    """Where the bodies of an image are: (6, 2) centres of T12 to L5, (6, 2) unit vectors towards the feet and to the
    front, and the height of a body, px."""

    centres: np.ndarray
    down: np.ndarray
    front: np.ndarray
    height: float

    @classmethod
    def of(cls, spine: Spine, centres: dict, anterior: str) -> Spots:
        corners = {n: spine[n].to_array() if n in spine else np.full((4, 2), np.nan) for n in STANDARD_LEVELS}
        known = {level: np.asarray(xy, float) for level, xy in centres.items()}
        heights = body_heights(corners, known)
        middles = np.stack([known.get(n, middle_of(corners[n], h)) for n, h in zip(STANDARD_LEVELS, heights)])
        there = np.flatnonzero(np.isfinite(middles[:, 0]))
        course = np.full_like(middles, np.nan)
        course[there] = np.gradient(middles[there], there, axis=0)
        course /= np.linalg.norm(course, axis=1, keepdims=True)
        front = np.column_stack([course[:, 1], -course[:, 0]]) * (1 if anterior == "right" else -1)
        return cls(middles, course, front, float(np.nanmedian(heights)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--set", default=None, help="only this set of the folder")
    parser.add_argument("--scanner", default="ge-idxa-de")
    parser.add_argument("--difficulty", default="default")
    parser.add_argument("--phantoms", type=int, default=60)
    parser.add_argument("--first-seed", type=int, default=800_000)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    real = [measured(*found) for found in real_images(options.folder, options.set)]
    drawn = [measured(*found) for found in phantoms(options)]
    print(markdown(table(real, drawn)))
    plot(real, drawn, options)


def real_images(folder: Path, wanted: str | None) -> Iterator[tuple[Radiograph, Spots]]:
    for case in cases_to_measure(folder):
        if wanted is None or case.set == wanted:
            yield case.radiograph(), Spots.of(case.spine, case.centres, case.spine.anterior)


def phantoms(options: argparse.Namespace) -> Iterator[tuple[Radiograph, Spots]]:
    for seed in range(options.first_seed, options.first_seed + options.phantoms):
        radiograph, truth = generate(seed, scanner=options.scanner, difficulty=options.difficulty)
        yield radiograph, Spots.of(truth.spine, {}, truth.spine.anterior)


def measured(radiograph: Radiograph, spots: Spots) -> dict[str, np.ndarray | float]:
    """Every number of one image; NaN where the field does not reach."""
    pixels, height = radiograph.pixels, spots.height
    level = {name: STANDARD_LEVELS.index(Level(name)) for name in ("T12", "L1", "L2", "L3", "L4", "L5")}
    lumbar = [level[name] for name in ("L1", "L2", "L3", "L4")]

    def tone(index: int, front: float, down: float, half=(0.4, 0.3), statistic=np.median) -> float:
        """Of the patch at ``front`` and ``down`` body heights from a centre; ``half`` its half width and height."""
        centre = spots.centres[index] + height * (front * spots.front[index] + down * spots.down[index])
        grid = np.linspace(-1, 1, 21)
        across, along = np.meshgrid(grid * half[0] * height, grid * half[1] * height)
        xy = centre + across[..., None] * spots.front[index] + along[..., None] * spots.down[index]
        inside = (xy >= 0).all(-1) & (xy[..., 0] <= pixels.shape[1] - 1) & (xy[..., 1] <= pixels.shape[0] - 1)
        if not inside.mean() > 0.8:
            return float("nan")
        return float(statistic(ndimage.map_coordinates(pixels, xy[inside].T[::-1], order=1)))

    bodies = np.nanmean([tone(i, 0, 0) for i in lumbar])
    behind = [tone(i, -DEPTH, 0.4, (0.35, 0.6)) for i in lumbar]
    white = [tone(i, -DEPTH, 0.4, (0.35, 0.6), lambda v: np.mean(v >= 250)) for i in lumbar]
    last, first = spots.centres[level["L5"]], spots.centres[np.isfinite(spots.centres[:, 0])][0]
    found: dict[str, np.ndarray | float] = {
        "body height, px": height,
        "tone of the bodies L1 to L4, grey": bodies,
        "L5 over L4": tone(level["L5"], 0, 0) / tone(level["L4"], 0, 0),
        "L4 over L1": tone(level["L4"], 0, 0) / tone(level["L1"], 0, 0),
        "behind the bodies (arches) over bodies": np.nanmean(behind) / bodies,
        "share of that which is white": np.nanmean(white),
        "in front of L5 over bodies": tone(level["L5"], 1.1, 0.4) / bodies,
        "behind L5 over bodies": tone(level["L5"], -1.1, 0.4) / bodies,
        "below L5 over bodies": tone(level["L5"], 0, 1.3) / bodies,
        "in front of L3 (belly) over bodies": tone(level["L3"], 1.6, 0) / bodies,
        "field below the centre of L5, depths": (pixels.shape[0] - last[1]) / (DEPTH * height),
        "field above the highest marked body, heights": first[1] / height,
        "width of the field, heights": pixels.shape[1] / height,
        "black pixels, share": float((pixels <= 2).mean()),
        "white pixels, share": float((pixels >= 253).mean()),
    }
    found |= {f"grey at the {100 * q:.0f} % quantile": float(np.quantile(pixels, q)) for q in QUANTILES}
    size = [round(side * BODY_ROWS / height) for side in (radiograph.columns, radiograph.rows)]
    small = np.asarray(
        Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)
    )  # antialiased, unlike scipy's zoom
    scaled = spots.centres * BODY_ROWS / height
    step = BODY_ROWS * spots.front
    found["grain of the bodies"] = spectrum(small, [scaled[i] for i in lumbar])
    found["grain in front of them"] = spectrum(small, [scaled[i] + 1.6 * step[i] for i in lumbar])
    for name in ("grain of the bodies", "grain in front of them"):
        power = found[name]
        found[f"{name}: share of its variance above 8 cycles a body"] = power[8:].sum() / power[1:].sum()
    return found


def spectrum(pixels: np.ndarray, centres: Sequence[np.ndarray]) -> np.ndarray:
    """Radially summed power at 0, 1 ... 15 cycles a body height of square patches, a Hann window, trend removed."""
    window = np.outer(np.hanning(PATCH), np.hanning(PATCH))
    rows, columns = np.mgrid[:PATCH, :PATCH]
    design = np.column_stack([np.ones(PATCH**2), rows.ravel(), columns.ravel()])
    cycles = np.hypot(*np.meshgrid(np.fft.fftfreq(PATCH), np.fft.fftfreq(PATCH))) * BODY_ROWS
    total, count = np.zeros(BODY_ROWS // 2), 0
    for centre in centres:
        if not np.isfinite(centre).all():
            continue
        left, top = np.round(centre - PATCH / 2).astype(int)
        patch = pixels[max(top, 0) : top + PATCH, max(left, 0) : left + PATCH]
        if patch.shape != (PATCH, PATCH):
            continue
        flat = patch.ravel() - design @ np.linalg.lstsq(design, patch.ravel(), rcond=None)[0]
        power = np.abs(np.fft.fft2(flat.reshape(PATCH, PATCH) * window)) ** 2 / (window**2).sum() / PATCH**2
        bins = np.round(cycles).astype(int)
        total += np.bincount(bins.ravel(), power.ravel(), minlength=len(total))[: len(total)]
        count += 1
    return total / count if count else np.full(len(total), np.nan)


def table(real: list[dict], drawn: list[dict]) -> pd.DataFrame:
    """Median and range from the 10 % to the 90 % quantile of every number that is one."""
    names = [name for name, value in real[0].items() if np.ndim(value) == 0]
    rows = []
    for name in names:
        cells = []
        for images in (real, drawn):
            values = np.array([image[name] for image in images], float)
            values = values[np.isfinite(values)]
            if not len(values):
                cells.append("–")
                continue
            low, middle, high = np.quantile(values, [0.1, 0.5, 0.9])
            cells.append(f"{middle:.3g} ({low:.3g} to {high:.3g}), n {len(values)}")
        rows.append((name, *cells))
    return pd.DataFrame(rows, columns=["median (10 to 90 %)", "real", "phantoms"])


def plot(real: list[dict], drawn: list[dict], options: argparse.Namespace) -> None:
    ratios = [name for name in real[0] if " over " in name or name.startswith(("field", "share of that", "width of"))]
    figure, axes = plt.subplots(1, 3, figsize=(15, 5), constrained_layout=True, width_ratios=(1.5, 1, 1))
    kinds = (("real", real, "C3", 0.16), ("phantoms", drawn, "C0", -0.16))
    for label, images, colour, shift in kinds:
        for row, name in enumerate(ratios):
            values = np.array([image[name] for image in images], float)
            values = values[np.isfinite(values)]
            place = np.full(len(values), row + shift)
            axes[0].plot(values, place, "o", ms=3.5, alpha=0.45, color=colour, label=label if row == 0 else None)
            if len(values):
                axes[0].plot(np.median(values), row + shift, "|", ms=16, mew=2.5, color=colour)
        for name, style in (("grain of the bodies", "-"), ("grain in front of them", "--")):
            power = np.nanmedian([image[name] for image in images], axis=0)
            axes[1].plot(range(2, len(power)), power[2:], style, color=colour, label=f"{label}, {name[6:]}")
        grey = np.array([[image[f"grey at the {100 * q:.0f} % quantile"] for q in QUANTILES] for image in images])
        axes[2].plot([100 * q for q in QUANTILES], np.median(grey, axis=0), "o-", color=colour, label=label)
        axes[2].fill_between(
            [100 * q for q in QUANTILES], *np.quantile(grey, [0.1, 0.9], axis=0), alpha=0.15, color=colour
        )
    axes[0].set(yticks=range(len(ratios)), yticklabels=ratios, xscale="symlog", xlim=(0, None))
    ticks = [0, 0.5, 1, 2, 5, 10]
    axes[0].set_xticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    axes[0].invert_yaxis()
    axes[1].set(xlabel="cycles a body height", ylabel="power, grey²", yscale="log")
    axes[2].set(xlabel="quantile of the pixels, %", ylabel="grey")
    for panel in axes:
        panel.grid(alpha=0.3)
        panel.legend(fontsize=8)
    figure.suptitle(
        f"{len(real)} real images and {len(drawn)} phantoms of {options.scanner}, {options.difficulty} "
        "(numbers only; research use only)",
        fontsize=10,
    )
    figure.savefig(options.out, dpi=90)


if __name__ == "__main__":
    main()
