"""AAC-24: calcification of the abdominal aorta, graded by a reader.

The aorta in front of L1, L2, L3 and L4 is graded on its anterior and its posterior wall: 0 none; 1 at most one third of
the segment's length; 2 more than one third, up to two thirds; 3 more than two thirds (Kauppila et al. 1997,
Atherosclerosis 132:245). A wall that cannot be seen (cropped, gas, blurred) is unreadable, which is not a zero; one
that nobody has looked at yet is not scored, which is not a zero either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Literal, Union

from ..errors import OptionError, SchemaError
from ..spine import Level
from .guides import SEGMENTS

#: The answer for a wall that cannot be judged.
UNREADABLE: Literal["unreadable"] = "unreadable"
GRADES: tuple[int, ...] = (0, 1, 2, 3)
#: A grade, `UNREADABLE`, or None: not scored yet.
Grade = Union[int, Literal["unreadable"], None]
#: Totals from which the risk is moderate and high.
MODERATE_FROM, HIGH_FROM = 2, 6


class Wall(str, Enum):
    """A wall of the aorta."""

    ANTERIOR = "anterior"
    POSTERIOR = "posterior"

    __str__ = str.__str__


class Risk(str, Enum):
    """Class of the total: low 0-1, moderate 2-5, high 6-24."""

    LOW = "low"
    MODERATE = "moderate"
    HIGH = "high"

    __str__ = str.__str__

    @classmethod
    def of(cls, total: int) -> Risk:
        if total < MODERATE_FROM:
            return cls.LOW
        return cls.MODERATE if total < HIGH_FROM else cls.HIGH


#: The eight cells, (segment, wall), from head to foot, anterior first.
CELLS: tuple[tuple[Level, Wall], ...] = tuple((segment, wall) for segment in SEGMENTS for wall in Wall)


@dataclass(frozen=True)
class Aac24:
    """The eight grades of one image and what follows from them.

    Attributes
    ----------
    grades : tuple of 8
        One `Grade` for each of `CELLS`.

    Raises
    ------
    OptionError
        A grade is something else.
    """

    grades: tuple[Grade, ...] = (None,) * len(CELLS)

    def __post_init__(self) -> None:
        grades = tuple(self.grades)
        if len(grades) != len(CELLS):
            raise OptionError(f"an AAC-24 score has {len(grades)} grades, but it needs {len(CELLS)}")
        for cell, grade in zip(CELLS, grades):
            _refuse_other_than_grades(cell, grade)
        object.__setattr__(self, "grades", grades)

    def grade(self, level: Level | str, wall: Wall | str) -> Grade:
        return self.grades[_place(level, wall)]

    def with_grade(self, level: Level | str, wall: Wall | str, grade: Grade) -> Aac24:
        """The same score with one cell changed; None takes a grade back.

        Raises
        ------
        OptionError
            There is no such cell, or no such grade.
        """
        place = _place(level, wall)
        return replace(self, grades=(*self.grades[:place], grade, *self.grades[place + 1 :]))

    @property
    def is_empty(self) -> bool:
        """No cell has been answered."""
        return all(grade is None for grade in self.grades)

    @property
    def is_complete(self) -> bool:
        """Every cell has been answered; unreadable is an answer, so `total` may still be None."""
        return None not in self.grades

    @property
    def unscored(self) -> tuple[tuple[Level, Wall], ...]:
        """The cells that nobody has answered yet."""
        return tuple(cell for cell, grade in zip(CELLS, self.grades) if grade is None)

    @property
    def unreadable(self) -> tuple[tuple[Level, Wall], ...]:
        """The cells that cannot be judged."""
        return tuple(cell for cell, grade in zip(CELLS, self.grades) if grade == UNREADABLE)

    @property
    def total(self) -> int | None:
        """0 to 24; None where any cell is unscored or unreadable."""
        return _sum(self.grades)

    @property
    def bounds(self) -> tuple[int, int]:
        """The least and the most that the total can be: a cell without a grade counts 0 and 3."""
        known = [grade for grade in self.grades if _is_grade(grade)]
        return sum(known), sum(known) + max(GRADES) * (len(CELLS) - len(known))

    def segment_total(self, level: Level | str) -> int | None:
        """0 to 6 (the granular score of VerteNet); None where a wall of the segment has no grade."""
        return _sum(self._segment(level))

    @property
    def affected_segments(self) -> int | None:
        """0 to 4, segments with calcification on any wall (Kauppila); None where the grades leave it open."""
        affected = [self._is_affected(segment) for segment in SEGMENTS]
        return None if None in affected else sum(affected)

    @property
    def affected_walls(self) -> int | None:
        """0 to 8, walls with calcification. This is Kauppila's wall count, not Schousboe's AAC-8; None as `total`."""
        return None if self.total is None else sum(grade > 0 for grade in self.grades)

    @property
    def risk(self) -> Risk | None:
        """The class of the total, also where the total is open but both its bounds lie in one class; else None."""
        least, most = (Risk.of(bound) for bound in self.bounds)
        return least if least is most else None

    def to_dict(self) -> dict:
        """Grades by segment and wall, and what follows from them for readers that know no AAC-24."""
        least, most = self.bounds
        return {
            "grades": {segment.value: {wall.value: self.grade(segment, wall) for wall in Wall} for segment in SEGMENTS},
            "segment_totals": {segment.value: self.segment_total(segment) for segment in SEGMENTS},
            "total": self.total,
            "least": least,
            "most": most,
            "affected_segments": self.affected_segments,
            "affected_walls": self.affected_walls,
            "risk": None if self.risk is None else self.risk.value,
        }

    @classmethod
    def from_dict(cls, data: Mapping) -> Aac24:
        """The score of `to_dict`.

        Raises
        ------
        SchemaError
            A cell is missing or holds no grade, or a stored sum is not that of the grades.
        """
        try:
            score = cls(tuple(data["grades"][segment.value][wall.value] for segment, wall in CELLS))
        except (KeyError, TypeError) as error:
            raise SchemaError(f"the AAC-24 score has no grade {error}") from error
        except OptionError as error:
            raise SchemaError(error.problem) from error
        for name, value in score.to_dict().items():
            if name in data and data[name] != value:
                raise SchemaError(f"{name} of the AAC-24 score is {data[name]!r}, but its grades give {value!r}")
        return score

    def _segment(self, level: Level | str) -> tuple[Grade, ...]:
        return tuple(self.grade(level, wall) for wall in Wall)

    def _is_affected(self, segment: Level) -> bool | None:
        grades = self._segment(segment)
        if any(_is_grade(grade) and grade > 0 for grade in grades):
            return True
        return False if all(map(_is_grade, grades)) else None


def _place(level: Level | str, wall: Wall | str) -> int:
    for place, cell in enumerate(CELLS):
        if cell == (level, wall):
            return place
    raise OptionError(
        f"AAC-24 has no cell {level} {wall}", remedy="Its segments are L1 to L4, its walls anterior and posterior"
    )


def _is_grade(grade: Grade) -> bool:
    return isinstance(grade, int)


def _refuse_other_than_grades(cell: tuple[Level, Wall], grade: Grade) -> None:
    plain = type(grade) is int and grade in GRADES
    if not (plain or grade is None or (isinstance(grade, str) and grade == UNREADABLE)):
        raise OptionError(
            f"the AAC-24 grade of {cell[0]} {cell[1]} is {grade!r}, but only 0 to 3, unreadable and none exist"
        )


def _sum(grades: Iterable[Grade]) -> int | None:
    grades = tuple(grades)
    return sum(grades) if all(map(_is_grade, grades)) else None
