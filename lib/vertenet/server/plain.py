"""JSON that can be kept and given to everybody: what a client says is checked first, what was kept is mended.

Python reads ``1e400`` as infinity and ``"\\ud800"`` as half a character, and writes neither in a form that other
programs read. Kept beside an image, one such value would make every later list of images fail.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from vertenet.errors import OptionError

logger = logging.getLogger(__name__)

#: A reading, the deepest object that a client has to say, has 8 levels; writers recurse, so a limit there must be.
DEEPEST = 32
#: What is noted of one image or label, in characters: all notes of a folder go into one answer.
LARGEST_NOTES = 1 << 16


def parse(text: str | bytes, what: str) -> Any:
    """The value of a JSON text.

    Parameters
    ----------
    text : str or bytes
    what : str
        What the text is, for the message: ``the form field params``.

    Raises
    ------
    OptionError
        It is no JSON, or says what JSON cannot say: a number that is not finite, half a character (a lone surrogate),
        or more than `DEEPEST` levels of lists and objects.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
        _each_level(value, _refuse, 0)
    except (ValueError, RecursionError) as error:
        raise OptionError(f"{what} is not plain JSON ({str(error)[:200]})") from error
    return value


def json_object(text: str, field: str) -> dict[str, Any]:
    """The JSON object in a form field; an empty field is an empty object.

    Raises
    ------
    OptionError
        It is none, or `parse` refuses it.
    """
    value = parse(text or "{}", f"the form field {field}")
    if not isinstance(value, dict):
        raise OptionError(f"the form field {field} is not a JSON object")
    return value


def notes(value: Mapping[str, Any], what: str) -> str:
    """The JSON text of what is noted of an image or label, as it is kept.

    Raises
    ------
    OptionError
        It has more than `LARGEST_NOTES` characters, or would not pass `parse`.
    """
    text = json.dumps(value, default=str)
    if len(text) > LARGEST_NOTES:
        raise OptionError(f"what is noted of {what} has {len(text)} characters, more than {LARGEST_NOTES}")
    parse(text, f"what is noted of {what}")
    return text


def kept(text: str | None) -> dict[str, Any]:
    """An object from the database, mended where an older version of this program kept what `parse` refuses.

    Numbers that are not finite become null, half characters a replacement character, and what is too deep null.
    """
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        logger.warning("Notes in the database are no JSON and are passed over")
        return {}
    return mended(value) if isinstance(value, dict) else {}


def mended(value: Any) -> Any:
    """``value`` with all that `parse` refuses replaced."""
    return _each_level(value, _mend, 0)


def _each_level(value: Any, change: Callable[[Any, int], Any], depth: int) -> Any:
    value = change(value, depth)
    if isinstance(value, Mapping):
        return {change(str(key), depth): _each_level(part, change, depth + 1) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_each_level(part, change, depth + 1) for part in value]
    return value


def _refuse(value: Any, depth: int) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number is too large")
    if isinstance(value, str) and not _is_whole(value):
        raise ValueError("a text holds half a character")
    if depth >= DEEPEST and isinstance(value, (Mapping, list, tuple)):
        raise ValueError(f"it has more than {DEEPEST} levels")
    return value


def _mend(value: Any, depth: int) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str) and not _is_whole(value):
        return value.encode("utf-8", "replace").decode("utf-8")
    if depth >= DEEPEST and isinstance(value, (Mapping, list, tuple)):
        return None
    return value


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
