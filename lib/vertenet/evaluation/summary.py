"""Figures of a long table of landmarks (`vertenet.evaluation.landmark_table`): one definition each, used everywhere.

A `Metric` says which values it is made of and whether their mean or a quantile is meant; the point estimate, the
groups, the bootstrap and the paired comparison all follow from that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..spine import CORNERS
from .landmark_table import COVERAGES, KEY
from .statistics import Difference, Estimate, bootstrap, paired_bootstrap, wilson

Values = Callable[[pd.DataFrame], "tuple[np.ndarray, np.ndarray]"]


@dataclass(frozen=True)
class Metric:
    """A figure.

    Attributes
    ----------
    name, label, unit : str
    values : callable
        Table to ((n,) values, (n,) positions of the rows they come from); NaN values are left out.
    quantile : float or None
        None: the mean of the values.
    per_image : bool
        The values are of whole images, so groups of levels or corners have none.
    """

    name: str
    label: str
    unit: str
    values: Values
    quantile: float | None = None
    per_image: bool = False

    def of(self, table: pd.DataFrame) -> float:
        """The figure; NaN where there is nothing to make it of."""
        values = self._finite(table)[0]
        if not len(values):
            return float("nan")
        return float(values.mean() if self.quantile is None else np.quantile(values, self.quantile))

    def estimate(self, table: pd.DataFrame, **options) -> Estimate:
        """The figure with its interval over persons; options as in `bootstrap`."""
        return bootstrap(*self._finite(table), self.quantile, **options)

    def difference(self, first: pd.DataFrame, second: pd.DataFrame, **options) -> Difference:
        """First minus second on the same images and, for figures of landmarks, on the points that both found."""
        first, second = paired(first, second, per_image=self.per_image)
        return paired_bootstrap(self._finite(first), self._finite(second), self.quantile, **options)

    def _finite(self, table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        values, rows = self.values(table)
        kept = np.isfinite(values)
        return values[kept], table["person"].to_numpy()[rows[kept]]


def paired(first: pd.DataFrame, second: pd.DataFrame, *, per_image: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of images that both tables have; unless ``per_image``, of the points that both found."""
    keys = [pd.MultiIndex.from_frame(table[list(KEY)]) for table in (first, second)]
    if per_image:
        images = np.intersect1d(first["image"].unique(), second["image"].unique())
        return first[first["image"].isin(images)], second[second["image"].isin(images)]
    common = keys[0][first["found"].to_numpy()].intersection(keys[1][second["found"].to_numpy()])
    return first[keys[0].isin(common)], second[keys[1].isin(common)]


def _column(name: str, *names: str, absolute: bool = False) -> Values:
    def values(table: pd.DataFrame):
        block = table[[name, *names]].to_numpy(dtype=float)
        block = np.abs(block) if absolute else block
        return block.ravel(), np.repeat(np.arange(len(table)), block.shape[1])

    return values


def _share(condition: Callable[[pd.DataFrame], pd.Series], among: Callable[[pd.DataFrame], pd.Series]) -> Values:
    """1 where the condition holds, 0 where it does not, of the rows ``among``."""

    def values(table: pd.DataFrame):
        rows = np.flatnonzero(among(table).to_numpy(dtype=bool))
        return condition(table).to_numpy(dtype=float)[rows], rows

    return values


def _images(condition: Callable[[pd.DataFrame], pd.Series], among=lambda t: t["image"] != "") -> Values:
    """As `_share`, with one value an image."""

    def values(table: pd.DataFrame):
        first = ~table["image"].duplicated().to_numpy()
        rows = np.flatnonzero(first & among(table).to_numpy(dtype=bool))
        return condition(table).to_numpy(dtype=float)[rows], rows

    return values


def _required(table: pd.DataFrame) -> pd.Series:
    return table["required"]


def _named(table: pd.DataFrame) -> pd.Series:
    """Rows of vertebrae whose place is known, by corners or by the centre alone."""
    return table["named"] != ""


def answered(table: pd.DataFrame) -> pd.Series:
    """Rows of images whose levels were given without reservation."""
    return table["certain"] & ~table["refused"]


def _within(column: str, limit: float) -> Values:
    """Share of the true points whose prediction lies within a limit; a point that was not found does not."""

    def among(table: pd.DataFrame) -> pd.Series:
        return table["required"] & table["pixel_mm"].notna() if column == "error_mm" else table["required"]

    return _share(lambda t: t[column] <= limit, among)


def _coverage(coverage: int, *, named: bool = False) -> Values:
    """``named``: of vertebrae under their own name, the only ones that radii are calibrated for."""
    radius = f"radius_{coverage}"

    def among(table: pd.DataFrame) -> pd.Series:
        sized = table["required"] & table["error_source_px"].notna() & table[radius].notna()
        return sized & table["level_right"] if named else sized

    return _share(lambda t: t["error_source_px"] <= t[radius], among)


def _named_errors(table: pd.DataFrame):
    rows = np.flatnonzero(table["level_right"].to_numpy(dtype=bool))
    return table["error_source_px"].to_numpy(dtype=float)[rows], rows


_COORDINATES = _column("dx", "dy", absolute=True)
_ALIGNED = _column("aligned_dx", "aligned_dy", absolute=True)
METRICS: tuple[Metric, ...] = (
    Metric("mean_px", "mean error per coordinate", "px", _COORDINATES),
    Metric("median_px", "median error per coordinate", "px", _COORDINATES, 0.5),
    Metric("p95_px", "95th percentile per coordinate", "px", _COORDINATES, 0.95),
    Metric("euclidean_mean_px", "mean distance", "px", _column("error_px")),
    Metric("euclidean_median_px", "median distance", "px", _column("error_px"), 0.5),
    Metric("euclidean_p95_px", "95th percentile of the distance", "px", _column("error_px"), 0.95),
    Metric(
        "named_median_source_px", "median distance of vertebrae under their own name", "source px", _named_errors, 0.5
    ),
    Metric("mean_mm", "mean distance", "mm", _column("error_mm")),
    Metric("median_mm", "median distance", "mm", _column("error_mm"), 0.5),
    Metric("p95_mm", "95th percentile of the distance", "mm", _column("error_mm"), 0.95),
    Metric("sdr_2mm", "found within 2 mm", "share", _within("error_mm", 2.0)),
    Metric("sdr_4mm", "found within 4 mm", "share", _within("error_mm", 4.0)),
    Metric("sdr_5px", "found within 5 px", "share", _within("error_px", 5.0)),
    Metric("sdr_10px", "found within 10 px", "share", _within("error_px", 10.0)),
    Metric(
        "beyond_half_height",
        "off by more than half a vertebral height",
        "share",
        _share(lambda t: t["error_heights"] > 0.5, lambda t: t["error_heights"].notna()),
    ),
    Metric("found", "landmarks found", "share", _share(lambda t: t["found"], _required)),
    Metric("vertebrae_right", "vertebrae under their own name", "share", _share(lambda t: t["level_right"], _named)),
    Metric(
        "levels_right", "images with all levels right", "share", _images(lambda t: t["levels_right"]), per_image=True
    ),
    Metric(
        "levels_right_answered",
        "the same of those not abstained",
        "share",
        _images(lambda t: t["levels_right"], answered),
        per_image=True,
    ),
    Metric("shifted", "images with a level shift", "share", _images(lambda t: t["shifted"]), per_image=True),
    Metric("abstained", "levels uncertain or refused", "share", _images(lambda t: ~answered(t)), per_image=True),
    Metric("refused", "images refused", "share", _images(lambda t: t["refused"]), per_image=True),
    Metric("aligned_mean_px", "mean error after aligning levels", "px", _ALIGNED),
    Metric("aligned_median_px", "median error after aligning levels", "px", _ALIGNED, 0.5),
    *(Metric(f"coverage_{c}", f"true points inside their {c} % radius", "share", _coverage(c)) for c in COVERAGES),
    Metric("coverage_90_named", "the 90 % of vertebrae under their own name", "share", _coverage(90, named=True)),
    Metric("radius_90_px", "mean 90 % radius", "source px", _column("radius_90")),
    Metric("anterior_right", "anterior side right", "share", _images(lambda t: t["anterior_right"]), per_image=True),
    Metric("latency_s", "time an image", "s", _images(lambda t: t["latency_s"]), 0.5, per_image=True),
)
BY_NAME = {metric.name: metric for metric in METRICS}
#: Columns that a table may be grouped by, with how the groups are called.
GROUPS = {"level": "level", "corner": "point", "scanner": "scanner", "grade": "fracture grade"}


def corners_only(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the four corners: the paper's 24 landmarks, without mid-endplate points."""
    return table[table["corner"].isin([str(name) for name in CORNERS])]


def summarise(table: pd.DataFrame, metrics: Iterable[str] | None = None) -> dict[str, float]:
    """Every figure of the corners by name; NaN where there is nothing to make it of.

    ``levels_right`` comes with Wilson's 95 % interval (``levels_right_low``, ``levels_right_high``).
    """
    table = corners_only(table)
    chosen = METRICS if metrics is None else [BY_NAME[name] for name in metrics]
    figures = {metric.name: metric.of(table) for metric in chosen}
    if "levels_right" in figures:
        right, images = count_images(table)
        figures["levels_right_low"], figures["levels_right_high"] = wilson(right, images)
    return figures


def count_images(table: pd.DataFrame) -> tuple[int, int]:
    """Images with all levels right, and images."""
    images = table.drop_duplicates("image")
    return int(images["levels_right"].sum()), len(images)


def grouped(table: pd.DataFrame, by: str, metrics: Sequence[str], **options) -> pd.DataFrame:
    """A row a group of column ``by`` (one of `GROUPS`): landmarks, images, and each metric's estimate.

    Columns ``<metric>``, ``<metric>_low`` and ``<metric>_high``; options as in `bootstrap`.
    Mid-endplate points are groups of their own under
    ``corner`` and left out elsewhere. Rows of unknown grade are the group ``unknown``.
    """
    table = table if by == "corner" else corners_only(table)
    keys = table[by].map(lambda v: "unknown" if pd.isna(v) else str(int(v))) if by == "grade" else table[by]
    rows = []
    for key in _in_order(keys, table):
        part = table[keys.to_numpy() == key]
        row: dict = {by: key, "landmarks": int(part["required"].sum()), "images": part["image"].nunique()}
        for name in metrics:
            estimate = BY_NAME[name].estimate(part, **options)
            row.update({name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high})
        rows.append(row)
    return pd.DataFrame(rows)


def risk_coverage(table: pd.DataFrame) -> pd.DataFrame:
    """What answering only the surest share of the images would cost: the risk-coverage curve of the level margin.

    Columns ``answered`` (share of images), ``level_errors`` (share of those with a level wrong) and ``mean_px`` (mean
    error per coordinate among them). Empty where the method gives no margins.
    """
    images = corners_only(table).assign(error=lambda t: (t["dx"].abs() + t["dy"].abs()) / 2)
    per_image = images.groupby("image", sort=False).agg(
        margin=("margin", "first"),
        certain=("certain", "first"),
        right=("levels_right", "first"),
        total=("error", "sum"),
        count=("error", "count"),
    )
    if per_image["margin"].isna().all():
        return pd.DataFrame(columns=["answered", "level_errors", "mean_px"])
    # No rival naming at all is the surest answer, no answer the least sure.
    blank = per_image["margin"].isna()
    per_image.loc[blank, "margin"] = np.where(per_image.loc[blank, "certain"], np.inf, -np.inf)
    ordered = per_image.sort_values("margin", ascending=False, kind="stable")
    number = np.arange(1, len(ordered) + 1)
    found = ordered["count"].cumsum().to_numpy(dtype=float)
    return pd.DataFrame(
        {
            "answered": number / len(ordered),
            "level_errors": (~ordered["right"]).cumsum().to_numpy() / number,
            "mean_px": np.divide(
                ordered["total"].cumsum().to_numpy(), found, out=np.full(len(found), np.nan), where=found > 0
            ),
        }
    )


def _in_order(keys: pd.Series, table: pd.DataFrame) -> list:
    """Groups as they come (levels from the head, corners in the library's order), the rest sorted."""
    found = list(dict.fromkeys(keys))
    return found if keys.name in ("level", "corner") else sorted(found)
