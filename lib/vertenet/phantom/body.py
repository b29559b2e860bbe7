"""Vertebral bodies and the column they make, millimetres in the sagittal plane.

Frame: X forward (anterior), Y down, origin at the centre of L3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Body:
    """One vertebral body.

    Attributes
    ----------
    name : str
        "T4" ... "L5", "L6", "S1".
    sa, sp, ia, ip : (2,) float64
        Corners, mm, where the central sagittal section has them.
    sag_superior, sag_inferior : float
        Depth of the endplate's middle below the straight line between its corners, mm (into the body).
    waist_anterior, waist_posterior : float
        Concavity of the walls, mm.
    half_width : float
        Half the lateral width, mm.
    coronal, axial : float
        Coronal tilt and axial rotation, degrees.
    collapse : float
        Largest height loss of a fracture, 0 to 1; collapsed bone is denser.
    """

    name: str
    sa: np.ndarray
    sp: np.ndarray
    ia: np.ndarray
    ip: np.ndarray
    sag_superior: float
    sag_inferior: float
    waist_anterior: float
    waist_posterior: float
    half_width: float
    coronal: float = 0.0
    axial: float = 0.0
    collapse: float = 0.0

    @property
    def corners(self) -> np.ndarray:
        """(4, 2) SA, SP, IA, IP, mm."""
        return np.stack([self.sa, self.sp, self.ia, self.ip])

    @property
    def sm(self) -> np.ndarray:
        """(2,) middle of the superior endplate, mm."""
        return (self.sa + self.sp) / 2 + self.sag_superior * towards_feet(self.sa - self.sp)

    @property
    def im(self) -> np.ndarray:
        """(2,) middle of the inferior endplate, mm."""
        return (self.ia + self.ip) / 2 - self.sag_inferior * towards_feet(self.ia - self.ip)

    @property
    def points(self) -> np.ndarray:
        """(6, 2) SA, SP, IA, IP, SM, IM, mm."""
        return np.vstack([self.corners, self.sm, self.im])

    @property
    def centre(self) -> np.ndarray:
        return self.corners.mean(axis=0)

    @property
    def forward(self) -> np.ndarray:
        """(2,) unit vector of the mid-plane, towards the front."""
        return unit_vector((self.sa + self.ia) - (self.sp + self.ip))

    @property
    def depth(self) -> float:
        """Mean length of the two endplates, mm."""
        return float((np.linalg.norm(self.sa - self.sp) + np.linalg.norm(self.ia - self.ip)) / 2)

    @property
    def heights(self) -> tuple[float, float, float]:
        """Anterior, middle and posterior height, mm: SA-IA, SM-IM, SP-IP."""
        pairs = ((self.sa, self.ia), (self.sm, self.im), (self.sp, self.ip))
        return tuple(float(np.linalg.norm(b - a)) for a, b in pairs)


@dataclass(frozen=True, eq=False)
class Deformity:
    """What a fracture did to one body: the exact heights before and after, mm (anterior, middle, posterior)."""

    kind: str
    grade: int
    height_loss: float
    heights_mm: tuple[float, float, float]
    reference_mm: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Column:
    """Bodies from head to foot, and what happened to them."""

    bodies: tuple[Body, ...]
    unit: float
    deformities: dict[str, Deformity]
    collapsed: tuple[str, ...]

    def __getitem__(self, name: str) -> Body:
        for body in self.bodies:
            if body.name == name:
                return body
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return any(body.name == name for body in self.bodies)

    def below(self, name: str) -> Body | None:
        names = [body.name for body in self.bodies]
        index = names.index(name) + 1
        return self.bodies[index] if index < len(names) else None


def unit_vector(vector: np.ndarray) -> np.ndarray:
    """``vector`` with length 1."""
    return vector / np.linalg.norm(vector)


def towards_feet(forward: np.ndarray) -> np.ndarray:
    """Unit vector towards the feet for a vector towards the front."""
    x, y = unit_vector(forward)
    return np.array([-y, x])
