"""Is this a picture that the model may read at all? Distance in the encoder's features, and a second look at the spine.

A network names six vertebrae in anything that has six bright blobs. Before it may:

1. *Is it like the calibration images?* The Mahalanobis distance of the pooled deepest features (Lee et al., NeurIPS
   2018), under the low-rank covariance of probabilistic principal components (Tipping and Bishop, JRSS-B 1999), which
   needs few numbers; and the side of a linear direction that tells the calibration images from the same ones upside
   down (linear discriminant). The limit is a conformal quantile: of images like those of calibration at most one in
   fifty is called unlike (Bates et al., Annals of Statistics 2023, on conformal tests for outliers). An image in
   the nearest nine tenths that looks upright is read. Beyond them levels are never called certain: on real images
   further out namings were wrong with every look in agreement and a large margin.
2. *If not, is there a lateral spine all the same?* Another kind of scanner is unlike too. A lateral spine has a front
   and a back, so its mirror image looks wrong to the network (the *facing* score); it has a top and a bottom, so
   turned over its vertebrae are named with less evidence than now; and they are seen clearly. A spine from the front, a
   chest, a hand and a texture lack one of these. These are differences between an image and itself, in which what is
   strange about its grey values cancels.

Who fails the second look is refused. Who passes it beyond the limit is read, but nothing that was calibrated holds for
it: it gets no error radii, and its levels are never called certain.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

import numpy as np

from ..errors import ModelError, OptionError
from ..reading import Quality
from ..spine import Spine
from .conformal import conformal_quantile

#: Share of images like those of calibration that may be called unlike them (and lose radii and certainty).
RATE = 0.02
#: Most principal components, and fewest images that they are fitted on.
COMPONENTS, FEWEST_IMAGES = 16, 20
#: Steps of the stored distribution of distances.
STEPS = 50
#: Share of calibration images that need no second look.
PLAIN = 0.9
#: Shares of the calibration images' median facing score and mean confidence that pass the second look. Set on phantoms
#: against 16 lateral films, 12 spines from the front, 10 skulls, 7 chests and 3 hands; the first was halved since, for
#: real lateral images in which every vertebra was found had a quarter to two fifths of the phantoms' facing score, and
#: other projections a tenth.
FACING_SHARE, CLEAR_SHARE = 0.2, 0.6
#: Significant digits of stored numbers, which keeps the file small.
DIGITS = 4

REFUSED_EMPTY = "No spine was found: is this a lateral spine image, facing as stated?"
REFUSED_INVERTED = "The image was refused: it looks upside down"
REFUSED_TURNED = "The image was refused: it seems to face the other side than stated"
REFUSED_FOREIGN = "The image was refused: it does not look like a lateral spine"
UNLIKE = (
    "The image is unlike those that the model was calibrated on (another kind of scanner or picture?): "
    "its levels are not certain and it has no error radii"
)


RARE = "The image is rare among those that the model was calibrated on: its levels are not certain"


@dataclass(frozen=True, eq=False)
class Typicality:
    """What images of the calibration look like to the network.

    Attributes
    ----------
    mean, scale : (c,) float64
        Of each feature.
    axes : (k, c) float64
        Principal axes of the standardised features.
    variances : (k,) float64
        Along the axes; ``noise`` is that along all others.
    noise : float
    upright : (c + 1,) float64
        Weights of the standardised features, then the offset: positive for upright images, negative upside down.
    distances : (STEPS + 1,) float64
        Quantiles 0 to 1 of the calibration images' distances.
    limit : float
        The distance beyond which an image is unlike them.
    facing, clear : float
        Least facing score and mean confidence that pass the second look.
    """

    mean: np.ndarray
    scale: np.ndarray
    axes: np.ndarray
    variances: np.ndarray
    noise: float
    upright: np.ndarray
    distances: np.ndarray
    limit: float
    facing: float
    clear: float

    def __post_init__(self) -> None:
        for item in fields(self):
            # Contiguous, so that sums run in the same order before and after a file.
            value = np.ascontiguousarray(getattr(self, item.name), dtype=np.float64)
            if not np.isfinite(value).all():
                raise ModelError(f"{item.name} of the calibration's typicality is not finite")
            object.__setattr__(self, item.name, value if np.ndim(getattr(self, item.name)) else float(value[0]))
        c = len(self.mean)
        shapes = (self.mean.shape, self.scale.shape, self.axes.shape, self.variances.shape, self.upright.shape)
        if shapes != ((c,), (c,), (len(self.variances), c), (len(self.variances),), (c + 1,)):
            raise ModelError(f"the parts of the calibration's typicality have shapes {shapes} that do not fit")
        if min(self.scale.min(), self.variances.min(), self.noise) <= 0:
            raise ModelError("a spread in the calibration's typicality is not positive")

    @classmethod
    def fit(cls, features: np.ndarray, inverted: np.ndarray, facing: np.ndarray, confidence: np.ndarray) -> Typicality:
        """Learn from ``n`` calibration images; every other one sets the limit and takes no part in the rest.

        Parameters
        ----------
        features : (n, c) pooled deepest features
        inverted : (m, c) those of some of the images upside down
        facing : (k,) facing scores of some of the images, see `judge`
        confidence : (n,) mean confidences of the vertebrae that were found

        Raises
        ------
        OptionError
            There are fewer than twice `FEWEST_IMAGES` images.
        """
        from sklearn.decomposition import PCA  # prediction does without scikit-learn
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

        if len(features) < 2 * FEWEST_IMAGES:
            raise OptionError(
                f"{len(features)} images are too few to learn what is typical",
                remedy=f"Give at least {2 * FEWEST_IMAGES}",
            )
        own, held = features[::2], features[1::2]
        mean, scale = own.mean(axis=0), own.std(axis=0) + 1e-6
        found = PCA(min(COMPONENTS, len(own) // 4, features.shape[1] - 1), svd_solver="full").fit((own - mean) / scale)
        both = np.concatenate([own, inverted])
        side = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=[0.5, 0.5])
        side.fit((both - mean) / scale, np.repeat([1, 0], [len(own), len(inverted)]))
        parts = {
            "mean": mean,
            "scale": scale,
            "axes": found.components_,
            "variances": found.explained_variance_,
            "noise": found.noise_variance_,
            "upright": np.append(side.coef_[0], side.intercept_[0]),
            "distances": np.zeros(STEPS + 1),
            "limit": 0.0,
            "facing": FACING_SHARE * np.median(facing),
            "clear": CLEAR_SHARE * np.median(confidence),
        }
        # Rounded first, so that the limit belongs to the numbers that are stored.
        draft = cls(**{name: _rounded(value) for name, value in parts.items()})
        distances = np.array([draft.distance(row) for row in held])
        parts["distances"] = np.quantile(distances, np.linspace(0, 1, STEPS + 1))
        parts["limit"] = conformal_quantile(distances, min(1 - RATE, len(held) / (len(held) + 1)))
        return cls(**{name: _rounded(value) for name, value in parts.items()})

    def distance(self, features: np.ndarray) -> float:
        """Mahalanobis distance of (c,) pooled features from the calibration images."""
        z = (np.asarray(features, dtype=np.float64) - self.mean) / self.scale
        along = self.axes @ z
        rest = max(float(z @ z - along @ along), 0.0)
        return math.sqrt(float(along @ (along / self.variances)) + rest / self.noise)

    def uprightness(self, features: np.ndarray) -> float:
        """Positive for calibration images, negative for the same upside down."""
        z = (np.asarray(features, dtype=np.float64) - self.mean) / self.scale
        return float(self.upright[:-1] @ z + self.upright[-1])

    def is_rare(self, quality: Quality) -> bool:
        """Whether an image lies beyond the nearest nine tenths of the calibration images."""
        return quality.score is not None and quality.score < 1 - PLAIN

    def score(self, distance: float) -> float:
        """Share of calibration images that are at least as far from the others, 0 to 1."""
        return float(np.mean(self.distances >= distance))

    def judge(
        self,
        features: np.ndarray,
        spine: Spine,
        facing: Callable[[], float],
        turned_over: Callable[[], float],
    ) -> Quality:
        """Whether an image may be read, with the reasons against it.

        Parameters
        ----------
        features : (c,) pooled deepest features of the image, facing right
        spine : Spine
            What was found in it.
        facing : callable
            Gives the facing score: how much more right than its mirror image the image looks to the network.
        turned_over : callable
            Gives how much more evidence the names of the vertebrae have in the image upside down than as it is. Both
            take another pass of the network, so they are asked only for a second look.

        Returns
        -------
        Quality
            ``typical`` False: refuse. Typical with a reason: read, but uncalibrated.
        """
        distance, upright = self.distance(features), self.uprightness(features)
        score = self.score(distance)
        confidence = mean_confidence(spine)
        if confidence == 0:
            return Quality(False, score, (REFUSED_EMPTY,))
        if upright > 0 and distance <= self.distances[round(PLAIN * STEPS)]:
            return Quality(True, score)
        if upright <= 0 and turned_over() > 0:
            return Quality(False, score, (REFUSED_INVERTED,))
        faces = facing()
        if confidence < self.clear or abs(faces) < self.facing:
            return Quality(False, score, (REFUSED_FOREIGN,))
        if faces < 0:
            return Quality(False, score, (REFUSED_TURNED,))
        return Quality(True, score, () if distance <= self.limit else (UNLIKE,))

    def to_dict(self) -> dict:
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in values.items()}

    @classmethod
    def from_dict(cls, data: Mapping) -> Typicality:
        """Raises `ModelError` for parts that do not fit, KeyError, TypeError or ValueError for other shapes."""
        return cls(**{item.name: data[item.name] for item in fields(cls)})


def mean_confidence(spine: Spine) -> float:
    """Mean confidence of the present corners, 0 to 1; 0 where there are none or nobody estimated it."""
    known = [corner.confidence for _, corner in spine.named_points() if corner.is_present]
    known = [confidence for confidence in known if confidence is not None]
    return float(np.mean(known)) if known else 0.0


def _rounded(value) -> np.ndarray:
    """To `DIGITS` significant digits."""
    return np.vectorize(lambda number: float(f"{number:.{DIGITS}g}"), otypes=[np.float64])(np.asarray(value))
