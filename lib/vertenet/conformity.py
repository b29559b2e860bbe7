"""Does JSON data follow a published schema? The part of JSON Schema draft 7 that our schemas use.

The core has no dependency but NumPy and SciPy, and 3D Slicer ships no validator; tests hold this one against
``jsonschema``. It is stricter in one thing: a number must be finite.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from .errors import SchemaError


def check_conformity(data: object, schema: Mapping, where: str = "") -> None:
    """Raise `SchemaError` naming the first place of ``data`` that does not follow ``schema``.

    Parameters
    ----------
    data : what ``json.loads`` returns
    schema : a draft 7 schema
    where : str
        What to call the data in the message; places inside are appended (``crop.edge[3]``).
    """
    _Check(schema).value(data, schema, where)


class _Check:
    def __init__(self, root: Mapping) -> None:
        self._definitions = {f"#/definitions/{name}": rule for name, rule in root.get("definitions", {}).items()}

    def value(self, data: object, rule: Mapping, where: str) -> None:
        if "$ref" in rule:
            self.value(data, self._definitions[rule["$ref"]], where)
            return
        if "anyOf" in rule:
            self._any(data, rule["anyOf"], where)
        if "const" in rule and not _same(data, rule["const"]):
            _refuse(where, f"is {_show(data)}, not {_show(rule['const'])}")
        if "enum" in rule and not any(_same(data, option) for option in rule["enum"]):
            _refuse(where, f"is {_show(data)}, not one of {', '.join(map(_show, rule['enum']))}")
        if "type" in rule:
            types = [rule["type"]] if isinstance(rule["type"], str) else rule["type"]
            if not any(_TYPES[name](data) for name in types):
                _refuse(where, f"is {_show(data)}, but must be of type {' or '.join(types)}")
        if isinstance(data, str):
            self._text(data, rule, where)
        elif isinstance(data, dict):
            self._object(data, rule, where)
        elif isinstance(data, list):
            self._array(data, rule, where)
        elif _is_number(data):
            self._number(data, rule, where)

    def _any(self, data: object, rules: Sequence[Mapping], where: str) -> None:
        for rule in rules[:-1]:
            try:
                self.value(data, rule, where)
            except SchemaError:
                continue
            return
        # The last alternative is the full form: what is wrong with that is worth saying.
        self.value(data, rules[-1], where)

    def _object(self, data: dict, rule: Mapping, where: str) -> None:
        properties, others = rule.get("properties", {}), rule.get("additionalProperties", True)
        for name in rule.get("required", ()):
            if name not in data:
                _refuse(_join(where, name), "is missing")
        for name, member in data.items():
            inner = properties.get(name, others)
            if inner is False:
                _refuse(_join(where, name), "is not known")
            if inner is not True:
                self.value(member, inner, _join(where, name))

    def _array(self, data: list, rule: Mapping, where: str) -> None:
        if not rule.get("minItems", 0) <= len(data) <= rule.get("maxItems", len(data)):
            _refuse(where, f"has {len(data)} entries")
        if "items" in rule:
            for i, member in enumerate(data):
                self.value(member, rule["items"], f"{where}[{i}]")

    def _text(self, data: str, rule: Mapping, where: str) -> None:
        if len(data) < rule.get("minLength", 0):
            _refuse(where, "is empty")
        if "pattern" in rule and not re.search(rule["pattern"], data):
            _refuse(where, f"is {_show(data)}, which does not match {rule['pattern']}")

    def _number(self, data: float, rule: Mapping, where: str) -> None:
        low, high, above = rule.get("minimum"), rule.get("maximum"), rule.get("exclusiveMinimum")
        if (low is not None and data < low) or (high is not None and data > high):
            _refuse(where, f"is {data}, outside {'-' if low is None else low} to {'-' if high is None else high}")
        if above is not None and data <= above:
            _refuse(where, f"is {data}, but must be above {above}")


def _is_number(data: object) -> bool:
    if isinstance(data, bool) or not isinstance(data, (int, float)):
        return False
    try:
        return math.isfinite(data)
    except OverflowError:  # an integer beyond every float
        return False


_TYPES = {
    "null": lambda data: data is None,
    "boolean": lambda data: isinstance(data, bool),
    "string": lambda data: isinstance(data, str),
    "object": lambda data: isinstance(data, dict),
    "array": lambda data: isinstance(data, list),
    "number": _is_number,
    "integer": lambda data: _is_number(data) and data == int(data),
}


def _same(data: object, option: object) -> bool:
    return type(data) is type(option) and data == option


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _show(data: object) -> str:
    text = repr(data)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _refuse(where: str, problem: str) -> None:
    raise SchemaError(f"{where or 'the data'} {problem}")
