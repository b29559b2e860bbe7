"""A Reading follows its published schema, round-trips exactly, and damaged ones are refused."""

from __future__ import annotations

import copy
import json
import math

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import aac_scores, plain_spines, spines
from vertenet.conformity import check_conformity
from vertenet.errors import GeometryError, OptionError, SchemaError, VerteNetError
from vertenet.measure import SEGMENTS, UNREADABLE, Aac24, CropResult, CropState, SpineMorphometry, intervertebral_guides
from vertenet.radiograph import Spacing, SpacingSource
from vertenet.reading import ImageIdentity, Levels, ModelIdentity, Quality, Reading, reading_schema
from vertenet.spine import Corner, Spine

SCHEMA = reading_schema()
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)

finite = st.floats(allow_nan=False, allow_infinity=False)
positive = st.floats(1e-6, 1e6)
text = st.text(max_size=12)
digests = st.text("0123456789abcdef", min_size=64, max_size=64)


@st.composite
def spacings(draw):
    return Spacing(draw(positive), draw(positive), draw(st.sampled_from(SpacingSource)), draw(positive), draw(text))


@st.composite
def crops(draw):
    n = draw(st.integers(0, 5))
    edge = draw(st.lists(st.tuples(finite, finite), min_size=n, max_size=n))
    lost = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    return CropResult(
        state=draw(st.sampled_from(CropState)),
        factor=draw(positive),
        segments=tuple(draw(st.lists(st.sampled_from([level.value for level in SEGMENTS]), unique=True))),
        fraction=draw(st.none() | st.floats(0, 1)),
        extent_px=draw(st.none() | st.floats(0, 1e6)),
        extent_mm=draw(st.none() | st.floats(0, 1e6)),
        causes=tuple(draw(st.lists(st.sampled_from(["border", "blanked"]), unique=True))),
        edge=np.array(edge).reshape(-1, 2),
        lost=np.array(lost, bool),
        reason=draw(text),
    )


@st.composite
def readings(draw):
    spine = draw(spines(calibrated=True))
    spacing = draw(st.none() | spacings())
    source = draw(st.sampled_from(["given", "file", "detected", "assumed"]))
    metadata = draw(st.dictionaries(text, text, max_size=3))
    size = st.integers(1, 4000)
    return Reading(
        image=ImageIdentity(draw(text), draw(size), draw(size), spacing, draw(st.none() | digests), source, metadata),
        spine=spine,
        guides=intervertebral_guides(spine),
        crop=draw(crops()),
        levels=Levels(draw(st.booleans()), draw(st.none() | finite), draw(st.none() | plain_spines())),
        model=draw(st.none() | st.builds(ModelIdentity, text, text, text, st.booleans(), text)),
        measurements=draw(st.dictionaries(text, st.none() | finite, max_size=3)),
        warnings=tuple(draw(st.lists(text, max_size=3))),
        latency_s=draw(st.none() | st.floats(0, 1e4)),
        created=draw(text),
        software=draw(text),
        quality=draw(st.none() | st.builds(Quality, st.booleans(), st.none() | st.floats(0, 1), st.tuples(text))),
        radius_scale=draw(st.dictionaries(st.sampled_from(["80", "90", "95"]), positive)),
        morphometry=SpineMorphometry.of(spine, spacing) if draw(st.booleans()) else None,
        aac=draw(st.none() | aac_scores()),
        reader=draw(text),
        notes=draw(text),
    )


def example() -> Reading:
    """One full reading, the same every time."""
    xy = np.arange(48, dtype=float).reshape(6, 4, 2) / 7
    spine = Spine.from_array(xy, confidence=np.full((6, 4), 0.5))
    return Reading(
        image=ImageIdentity("a.png", 100, 50, Spacing(0.3, 0.3, SpacingSource.USER), "0" * 64),
        spine=spine,
        guides=intervertebral_guides(spine),
        crop=CropResult(CropState.CROPPED, 1.2, ("L1",), 0.1, 5.0, 1.5, ("border",), [[1, 2], [1, 3]], [True, False]),
        levels=Levels(False, 0.25, spine),
        model=ModelIdentity("m", "ab", "phantoms", True, "levels"),
        measurements={"L3 height mm": 28.5, "L4 height mm": None},
        warnings=("Mind this.",),
        latency_s=0.5,
        created="2026-01-01T00:00:00+00:00",
        software="test",
        quality=Quality(True, 0.8, ("Sharp.",)),
        radius_scale={"80": 0.7, "90": 1.0, "95": 1.4},
        morphometry=SpineMorphometry.of(spine, None),
        aac=Aac24((0, 1, 2, 3, None, UNREADABLE, 0, 0)),
        reader="R. Reader",
        notes="Gas before L3.",
    )


def places(data, path=()):
    """Every path into nested JSON."""
    yield path
    members = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, member in members:
        yield from places(member, (*path, key))


def changed(data, path, change):
    """A copy of ``data`` with ``change(parent, key)`` done at ``path``."""
    data = copy.deepcopy(data)
    parent = data
    for key in path[:-1]:
        parent = parent[key]
    change(parent, path[-1])
    return data


EXAMPLE_READING = example()
EXAMPLE = EXAMPLE_READING.to_dict()
PLACES = [path for path in places(EXAMPLE) if path]
#: Names in these objects are free.
OPEN = ("measurements", "metadata", "radius_scale")
#: Members that each version added; an older document lacks them.
ADDED = {
    "1.1": ("quality", "radius_scale", "radius"),
    "1.2": ("morphometry", "aac", "reader", "notes"),
    "1.3": ("wedge_reference", "mid_wedge_reference"),
}
LATER = {name for names in ADDED.values() for name in names}
#: Objects that hold some of their members.
CHOICES = {"losses", "not_judged"}
NAMED = [path for path in PLACES if isinstance(path[-1], str) and not set(path[:-1]) & set(OPEN)]


def test_the_schema_is_valid_draft_7_and_every_property_is_described():
    jsonschema.Draft7Validator.check_schema(SCHEMA)

    def described(rule, name):
        for key, member in rule.get("properties", {}).items():
            target = member
            if "$ref" in member:
                target = SCHEMA["definitions"][member["$ref"].rsplit("/", 1)[1]]
            assert target.get("description"), f"{name}.{key}"

    described(SCHEMA, "reading")
    for name, rule in SCHEMA["definitions"].items():
        described(rule, name)


def test_every_object_of_the_schema_is_closed_except_those_with_free_names():
    for path in places(SCHEMA):
        rule = SCHEMA
        for key in path:
            rule = rule[key]
        if isinstance(rule, dict) and rule.get("type") == "object":
            closed = rule["additionalProperties"] is False
            assert closed == (path[-1:] not in [(name,) for name in OPEN]), path


@given(readings())
@settings(max_examples=60, deadline=None)
def test_every_reading_follows_the_schema_and_round_trips_exactly(reading):
    stored = reading.to_json()
    VALIDATOR.validate(json.loads(stored))
    again = Reading.from_json(stored)
    assert again == reading
    assert again.to_json() == stored


def test_a_reading_of_numpy_numbers_is_written_too():
    reading = Reading(
        image=EXAMPLE_READING.image,
        spine=EXAMPLE_READING.spine,
        guides=EXAMPLE_READING.guides,
        crop=EXAMPLE_READING.crop,
        levels=Levels(np.bool_(True), np.float32(0.5)),
        measurements={"wedge": np.float32(0.5)},
        latency_s=np.float32(0.25),
    )
    again = Reading.from_json(reading.to_json())
    assert again.levels == Levels(True, 0.5)
    assert again.measurements == {"wedge": 0.5}


def test_a_reading_that_lacks_any_member_is_refused_by_name():
    for path in NAMED:
        if path[-1] in LATER or CHOICES & set(path[:-1]):
            continue
        damaged = changed(EXAMPLE, path, lambda parent, key: parent.pop(key))
        assert not VALIDATOR.is_valid(damaged), path
        with pytest.raises(
            SchemaError, match="the schema is None" if path == ("schema",) else f"{path[-1]} is missing"
        ):
            Reading.from_dict(damaged)


@given(st.sampled_from(PLACES), st.sampled_from([None, True, -1, 0, 2, 1.5, "x", "", [], {}, [1], {"a": 1}]))
@settings(max_examples=300, deadline=None)
def test_the_library_and_jsonschema_refuse_the_same_damages(path, value):
    damaged = changed(EXAMPLE, path, lambda parent, key: parent.__setitem__(key, value))
    try:
        check_conformity(damaged, SCHEMA)
        accepted = True
    except SchemaError:
        accepted = False
    assert accepted == VALIDATOR.is_valid(damaged)
    try:
        Reading.from_dict(damaged)
    except SchemaError:
        return
    assert accepted


@given(st.sampled_from(NAMED))
@settings(max_examples=40, deadline=None)
def test_an_unknown_member_below_the_top_level_is_refused(path):
    damaged = changed(EXAMPLE, path, lambda parent, key: parent.__setitem__("surprise", 1))
    assert not VALIDATOR.is_valid(damaged)
    if len(path) > 1:
        with pytest.raises(SchemaError, match="surprise is not known"):
            Reading.from_dict(damaged)


@pytest.mark.parametrize(("version", "lacks"), [("1.0", LATER), ("1.1", ADDED["1.2"]), ("1.2", ()), ("1.3", ())])
def test_a_document_of_an_older_version_is_read_and_written_as_today(version, lacks):
    old = {key: value for key, value in EXAMPLE.items() if key not in lacks}
    old["schema"] = f"vertenet-reading/{version}"
    reading = Reading.from_dict(old)
    blank = {"quality": None, "radius_scale": {}, "morphometry": None, "aac": None, "reader": "", "notes": ""}
    expected = {**EXAMPLE, **{name: blank[name] for name in lacks if name in blank}}
    assert reading.to_dict() == expected
    assert expected["schema"] == "vertenet-reading/1.3"


def test_an_error_radius_round_trips_and_is_absent_where_nobody_calibrated_it():
    corner = Corner(1.0, 2.0, radius=3.5)
    assert Corner.from_dict(corner.to_dict()) == corner
    assert "radius" not in Corner(1.0, 2.0).to_dict()
    with pytest.raises(GeometryError, match="error radius"):
        Corner(1.0, 2.0, radius=-1.0)


def test_a_servers_answer_is_read_though_it_has_more_beside_the_reading():
    assert Reading.from_dict({**EXAMPLE, "landmarks": [], "ignored_parameters": []}) == EXAMPLE_READING


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_a_file_that_ends_early_is_refused(cut):
    stored = EXAMPLE_READING.to_json()
    with pytest.raises(SchemaError):
        Reading.from_json(stored[: cut % len(stored)])


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400])
def test_numbers_that_are_none_are_refused(number):
    stored = EXAMPLE_READING.to_json().replace('"latency_s": 0.5', f'"latency_s": {number}')
    assert number in stored
    with pytest.raises(SchemaError, match="latency_s"):
        Reading.from_json(stored)


@pytest.mark.parametrize("stored", ["", "[]", "3", "null", "[" * 100_000, '"x"'])
def test_what_is_no_object_is_refused(stored):
    with pytest.raises(SchemaError):
        Reading.from_json(stored)


def test_another_version_is_refused_with_what_to_do():
    with pytest.raises(SchemaError, match=r"this software reads vertenet-reading/1\.0.*make the reading again"):
        Reading.from_dict({**EXAMPLE, "schema": "vertenet-reading/2.0"})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("spine", "vertebrae", 0, "points", "SA", "x"), None),  # one coordinate without the other
        (("spine", "vertebrae", 1, "level"), "T12"),  # a level twice
        (("guides", 1, "name"), "T12/L1"),  # a guide twice
        (("crop", "lost"), [True]),  # fewer marks than points
        (("aac", "total"), 7),  # a sum that the grades do not give
        (("aac", "risk"), "low"),
        (("morphometry", "vertebrae", 1, "level"), "T12"),  # a level measured twice
        (("morphometry", "vertebrae", 0, "genant", "grade"), 3),  # a grade that the losses do not give
        (("morphometry", "vertebrae", 0, "genant"), None),  # not evaluable without a reason
        (("morphometry", "vertebrae", 0, "genant", "losses"), {}),  # a grade that rests on nothing
        (("morphometry", "lordosis", "L1-L5", "degrees"), None),  # neither an angle nor a reason
    ],
)
def test_what_no_schema_can_say_is_refused_as_well(path, value):
    damaged = changed(EXAMPLE, path, lambda parent, key: parent.__setitem__(key, value))
    assert VALIDATOR.is_valid(damaged)
    with pytest.raises(SchemaError):
        Reading.from_dict(damaged)


def test_loading_names_the_file(tmp_path):
    path = tmp_path / "case.reading.json"
    for content in (b'{"schema": "vertenet-reading/1.0"}', b"\xff\xfe", b"{"):
        path.write_bytes(content)
        with pytest.raises(SchemaError, match=r"case\.reading\.json"):
            Reading.load(path)
    with pytest.raises(SchemaError, match=r"absent\.json"):
        Reading.load(tmp_path / "absent.json")
    path.write_text(EXAMPLE_READING.to_json(), encoding="utf-8")
    assert Reading.load(path) == EXAMPLE_READING


def test_not_a_number_is_never_written():
    crop = CropResult(CropState.CLEAR, fraction=math.nan)
    reading = Reading(EXAMPLE_READING.image, EXAMPLE_READING.spine, {}, crop, Levels(True))
    with pytest.raises(ValueError, match="JSON"):
        reading.to_json()


@pytest.mark.parametrize("error", [GeometryError, OptionError, SchemaError])
def test_errors_are_sentences(error):
    assert issubclass(error, VerteNetError)
    assert error("it broke.", subject="a.png", remedy="Mend it.").sentence == "a.png: it broke. Mend it."
    assert str(error("it broke")) == "it broke."
