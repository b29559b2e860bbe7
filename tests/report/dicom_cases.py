"""Readings and the DICOM images that they are of, over all that results must cope with."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tests.imaging import dicom_files as files
from tests.measure.scenes import COLUMNS, ROWS, straight_spine, tissue
from tests.report.cases import MODEL
from vertenet.assess import assess
from vertenet.imaging import read
from vertenet.measure.aac import Aac24
from vertenet.reading import Levels, Quality, Reading
from vertenet.spine import Corner, Level, Spine, Status, Vertebra

#: Elements of every image here, as a scanner sends them.
STUDY = {
    "StudyDate": "20260301",
    "StudyTime": "101500",
    "StudyID": "7",
    "AccessionNumber": "A1",
    "PatientSex": "F",
    "ReferringPhysicianName": "Roe^R",
    "SeriesNumber": 1,
    "InstanceNumber": 1,
    "StudyDescription": "VFA",
    "SeriesDescription": "Lateral spine",
}
SPACINGS = {
    "calibrated": {"PixelSpacing": ["0.5", "0.5"], "ImagerPixelSpacing": ["0.6", "0.6"]},
    "detector": {"ImagerPixelSpacing": ["0.6", "0.5"], "EstimatedRadiographicMagnificationFactor": "1.2"},
    "none": {},
}
PIXELS = np.clip(tissue(), 0, 255).astype(np.uint8)
SIDES = {"right": ["A", "F"], "left": ["P", "F"]}


@dataclass(frozen=True)
class Case:
    """A reading, its image's file and what tells it from the others."""

    name: str
    image: Path
    reading: Reading


def all_cases(folder: Path, every: int = 1) -> list[Case]:
    """30 of them, or every third: kinds of image, spacings, sides and states of landmarks in combination."""
    wanted = list(itertools.product(SPACINGS, SIDES, STATES))
    kinds = itertools.cycle(["DX", "CR", "SC"])
    return [case(folder, f"{kind}-{'-'.join(of)}", kind, *of) for kind, of in zip(kinds, wanted[::every])]


def case(folder: Path, name: str, kind: str, spacing: str, side: str, state: str) -> Case:
    elements = {**STUDY, **SPACINGS[spacing], "PatientOrientation": SIDES[side]}
    elements["SOPInstanceUID"] = files.generate_uid(entropy_srcs=[name])
    elements["StudyInstanceUID"] = files.generate_uid(entropy_srcs=["study", name])
    elements["SeriesInstanceUID"] = files.generate_uid(entropy_srcs=["series", name])
    dataset = files.dataset(PIXELS, kind=kind, **elements)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    image = files.save(dataset, folder / f"{name}.dcm")
    radiograph = read(image)
    spine = wavy(straight_spine())
    spine = spine if side == "right" else spine.mirrored(COLUMNS)
    return Case(name, image, STATES[state](radiograph.with_anterior(side), spine))


def wavy(spine: Spine) -> Spine:
    """Positions with fractions, a radius and a confidence a corner, mid-endplate points on L3."""
    vertebrae = []
    for vertebra in spine:
        points = {
            name: replace(c, x=c.x + 0.37, y=c.y - 0.21, radius=2.5, confidence=0.875)
            for name, c in vertebra.points.items()
        }
        if vertebra.level is Level.L3:
            for middle, (a, b) in {"SM": ("SA", "SP"), "IM": ("IA", "IP")}.items():
                x, y = (points[a].xy + points[b].xy) / 2
                points[middle] = Corner(x, y)
        vertebrae.append(Vertebra(vertebra.level, points, 0.75))
    return Spine(tuple(vertebrae), spine.anterior)


def _whole(radiograph, spine) -> Reading:
    score = Aac24((0, 1, 2, 3, "unreadable", 0, 1, None))
    reading = assess(radiograph, spine, model=MODEL, radius_scale={"80": 0.7, "90": 1.0, "95": 1.4})
    return replace(reading, aac=score, reader="Jörg Müller", notes="Osteophytes at L3;\nµ-calcification.")


def _unsure(radiograph, spine) -> Reading:
    levels = Levels(False, 0.2, spine.shifted(1))
    return assess(radiograph, spine, model=MODEL, levels=levels, quality=Quality(True, 0.4))


def _gaps(radiograph, spine) -> Reading:
    """T12 missing, L5 beyond the lower border, a corner of L2 that cannot be placed."""
    outside = {name: replace(c, y=ROWS + 40.5, status=Status.OUTSIDE) for name, c in spine["L5"].points.items()}
    hidden = {**spine["L2"].points, "SA": Corner(status=Status.UNEVALUABLE)}
    changed = {"T12": Vertebra("T12"), "L5": Vertebra("L5", outside), "L2": Vertebra("L2", hidden)}
    vertebrae = tuple(changed.get(vertebra.level.value, vertebra) for vertebra in spine)
    return assess(radiograph, replace(spine, vertebrae=vertebrae), model=MODEL)


def _cropped(radiograph, spine) -> Reading:
    """So close to the border that the corridor leaves the image; placed by a person."""
    shift = 130.0 if spine.anterior == "right" else -130.0
    moved = spine.map_points(lambda xy: xy + np.array([shift, 0.0]))
    return replace(assess(radiograph, moved), reader="Roe")


def _refused(radiograph, spine) -> Reading:
    quality = Quality(False, 0.0, ("The image was refused: it looks upside down",))
    empty = Spine((), spine.anterior).select(spine.levels)
    return assess(radiograph, empty, model=MODEL, levels=Levels(False), warnings=quality.reasons, quality=quality)


STATES = {"whole": _whole, "unsure": _unsure, "gaps": _gaps, "cropped": _cropped, "refused": _refused}
