"""What shape a healthy vertebra of each level has: the ratios that a loss of height is counted from.

A healthy vertebra is no box. At the thoracolumbar junction it is lower in front than behind, at L5 higher, and
everywhere its endplates are hollow. Counted from a box, that shape is loss. So a ratio is divided by that of healthy
vertebrae of the same level before it is called a loss, as McCloskey et al. 1993 (Osteoporos Int 3:138) and Eastell et
al. 1991 (J Bone Miner Res 6:207) do with the norms of their own cohorts.

The norms of this file, `PUBLISHED`, are of the anterior height alone:

=====  =====  ======================================================================================================
level  Ha/Hp  from
=====  =====  ======================================================================================================
T12    0.92   4.2 degrees of wedging (mean of women and men) over a body of 31 x 26.5 mm
L1     0.92   3.35 degrees of wedging over a depth of 0.95 with an anterior height of 0.66, in depths of L3
L2     0.91   1 / 1.10
L3     0.93   1 / 1.08
L4     1.00   1 / 1.00
L5     1.02   1 / 0.98
=====  =====  ======================================================================================================

Wedging: Table 1 of Masharawi et al. 2010 (Eur Spine J 19:768), 240 skeletons of adults. L2 to L5 and the dimensions of
L1: 1,755 lateral lumbar radiographs, the means that the phantom is drawn from (docs/phantom.md). Populations differ by
more than the second digit, and for L5 sources disagree (1.15 in computed tomography of 196 patients: Cook and Baker
2021, Int J Spine Surg 15:1072), so whoever has norms of their own population, sex and scanner should use those.

No table of the middle height by level was at hand that could be quoted. It is compared with the neighbours of the same
patient, which share age, sex and scanner; see `vertenet.measure.morphometry`.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from ..errors import PathLike, SchemaError
from ..spine import Level

#: Names a JSON file whose norms are used instead of `PUBLISHED`, by every command and server.
NORMS_VARIABLE = "VERTENET_NORMS"
#: What a reference ratio may be: beyond lies no healthy vertebra, but a mistake in a table.
LOWEST, HIGHEST = 0.7, 1.4

_REMEDY = (
    'Write it as {"source": "...", "wedge": {"T12": 0.92, ...}, "mid_wedge": {"L1": 0.90, ...}}; '
    "levels may be left out, and so may either table"
)


@dataclass(frozen=True)
class Norms:
    """Mean ratios of healthy vertebrae.

    Attributes
    ----------
    source : str
        Where they are from, for the reading.
    wedge, mid_wedge : mapping of Level to float
        Ha/Hp and Hm/Hp. A level that is not in a mapping is compared with its neighbours.

    Raises
    ------
    SchemaError
        A ratio lies outside `LOWEST` to `HIGHEST`, or the source is empty.
    """

    source: str
    wedge: Mapping[Level, float]
    mid_wedge: Mapping[Level, float]

    def __post_init__(self) -> None:
        if not self.source.strip():
            raise SchemaError("norms of vertebral shape need a source", remedy=_REMEDY)
        for name in ("wedge", "mid_wedge"):
            ratios = dict(getattr(self, name))
            for level, ratio in ratios.items():
                if not (math.isfinite(ratio) and LOWEST <= ratio <= HIGHEST):
                    raise SchemaError(
                        f"{name} of {level} is {ratio:g}, but a healthy vertebra has {LOWEST} to {HIGHEST}",
                        remedy=_REMEDY,
                    )
            object.__setattr__(self, name, MappingProxyType(ratios))

    @classmethod
    def from_dict(cls, data: object) -> Norms:
        if not isinstance(data, dict) or not isinstance(data.get("source"), str):
            raise SchemaError("the norms are no object with a source", remedy=_REMEDY)
        surplus = set(data) - {"source", "wedge", "mid_wedge"}
        if surplus:
            raise SchemaError(f"the norms have a member {sorted(surplus)[0]!r} that is not known", remedy=_REMEDY)
        return cls(data["source"], *(_ratios(name, data.get(name, {})) for name in ("wedge", "mid_wedge")))


PUBLISHED = Norms(
    "published norms (1,755 lateral lumbar radiographs; Masharawi et al. 2010)",
    {
        Level.T12: 0.92,
        Level.L1: 0.92,
        Level.L2: 0.91,
        Level.L3: 0.93,
        Level.L4: 1.00,
        Level.L5: 1.02,
    },
    {},
)


def load_norms(path: PathLike) -> Norms:
    """Norms of a JSON file; raises `SchemaError` naming it where it cannot be read or says something impossible."""
    try:
        return Norms.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))
    except SchemaError as error:
        raise SchemaError(error.problem, subject=path, remedy=error.remedy) from error
    except (OSError, ValueError, RecursionError) as error:
        raise SchemaError(f"the norms cannot be read ({error})", subject=path, remedy=_REMEDY) from error


def norms_in_use() -> Norms:
    """Those of the file that ``VERTENET_NORMS`` names, read once; else `PUBLISHED`."""
    path = os.environ.get(NORMS_VARIABLE)
    return _once(path) if path else PUBLISHED


@lru_cache(maxsize=4)
def _once(path: str) -> Norms:
    return load_norms(path)


def _ratios(name: str, data: object) -> dict[Level, float]:
    if not isinstance(data, dict):
        raise SchemaError(f"{name} of the norms is no table", remedy=_REMEDY)
    known = {level.value for level in Level}
    for level, ratio in data.items():
        if level not in known:
            raise SchemaError(f"{name} of the norms names {level!r}, which is no level", remedy=_REMEDY)
        if isinstance(ratio, bool) or not isinstance(ratio, (int, float)):
            raise SchemaError(f"{name} of {level} is no number", remedy=_REMEDY)
    return {Level(level): float(ratio) for level, ratio in data.items()}
