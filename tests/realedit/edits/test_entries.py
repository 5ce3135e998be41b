from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from realedit.edits.entries import KEYS, entries, read_entries
from realedit.edits.kinds import (
    KINDS,
    Background,
    Copy,
    Edit,
    Flip,
    Like,
    LookOf,
    Move,
    Paste,
    Remove,
    Replace,
    Reshape,
    Resize,
    Restyle,
    Retouch,
    Rotate,
    Swap,
    SwapLooks,
)
from realedit.edits.prepared import Shown
from realedit.edits.recipe import EditsFile, RecipeOptions, json_schema, read_file, recipe
from realedit.errors import UsageError
from realedit.photo.provenance import recipe_json
from realedit.settings import Settings

FORMS = 'an edit looks like {"move": "mug", "dx": 0.2}; realedit schema prints all forms'
PERSPECTIVE = "perspective: input should be auto, off or a number from -10 to 1"
PAIRS: list[tuple[Edit, dict[str, Any]]] = [
    (Move("mug", 0.2, -0.1), {"move": "mug", "dx": 0.2, "dy": -0.1, "perspective": "auto"}),
    (Move(None, 0.2), {"move": None, "dx": 0.2, "dy": 0.0, "perspective": "auto"}),
    (Resize("mug", 1.5), {"resize": "mug", "scale": 1.5, "anchor": "foot"}),
    (Rotate("book", -30), {"rotate": "book", "angle": -30, "anchor": "centre"}),
    (
        Move("mug", dy=0.1, perspective=-0.3),
        {"move": "mug", "dx": 0.0, "dy": 0.1, "perspective": -0.3},
    ),
    (
        Copy("mug", 0.2, scale=0.8, perspective="off"),
        {"copy": "mug", "dx": 0.2, "dy": 0.0, "scale": 0.8, "perspective": "off"},
    ),
    (Resize("lamp", 1.5, "centre"), {"resize": "lamp", "scale": 1.5, "anchor": "centre"}),
    (Flip("mug"), {"flip": "mug", "direction": "horizontal"}),
    (Flip(None, "vertical"), {"flip": None, "direction": "vertical"}),
    (Reshape("mug", "goal.png"), {"reshape": "mug", "shape": "goal.png"}),
    (Remove("mug"), {"remove": "mug"}),
    (Remove(None), {"remove": None}),
    (Swap("mug", "bowl"), {"swap": "mug", "with": "bowl"}),
    (
        Paste("can", "other.jpg", 0.3, 0.7, 0.5, "0.2,0.4 0.3,0.4"),
        {
            "paste": "can",
            "from": "other.jpg",
            "x": 0.3,
            "y": 0.7,
            "scale": 0.5,
            "from_point": "0.2,0.4 0.3,0.4",
        },
    ),
    (Restyle("mug", "a blue mug"), {"restyle": "mug", "as": "a blue mug"}),
    (Replace("mug", "a bowl"), {"replace": "mug", "with": "a bowl"}),
    (Background("mug", "marble"), {"background": "marble", "keep": "mug"}),
    (Background(None, "marble"), {"background": "marble"}),
    (Retouch("a can"), {"retouch": "a can"}),
    (Like("mug", "other.jpg"), {"restyle": "mug", "like": "other.jpg"}),
    (Like("mug", "other.jpg", "bowl"), {"restyle": "mug", "like": "other.jpg", "object": "bowl"}),
    (Like("mug", None, "bowl"), {"restyle": "mug", "object": "bowl"}),
    (SwapLooks("mug", "bowl"), {"swap_looks": "mug", "with": "bowl"}),
    (LookOf("other.jpg"), {"look_of": "other.jpg"}),
]
WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "no edit in it"),
    ({"mov": "mug", "dx": 0.2}, "no edit in it"),
    ({"dx": 0.2}, "no edit in it"),
    ({"move": "mug", "dx": 0.1, "rotate": "mug", "angle": 3}, "move and rotate in one edit"),
    ({"remove": "mug", "swap": "can", "with": "bowl"}, "remove and swap in one edit"),
    ({"move": "mug", "dx": 0.2, "colour": "red"}, "colour: extra inputs are not permitted"),
    ({"remove": "mug", "dx": 0.2}, "dx: extra inputs are not permitted"),
    ({"restyle": "mug", "as": "a can", "like": "o.jpg"}, "like: extra inputs are not permitted"),
    ({"move": "mug", "dx": 1.5}, "dx: input should be less than or equal to 1"),
    ({"resize": "mug", "scale": 0.01}, "scale: input should be greater than or equal to 0.1"),
    ({"rotate": "mug", "angle": 400}, "angle: input should be less than or equal to 360"),
    ({"move": "mug", "dx": 0.1, "perspective": "on"}, PERSPECTIVE),
    ({"move": "mug", "dx": 0.1, "perspective": 1.5}, PERSPECTIVE),
    ({"copy": "mug", "dx": 2}, "dx: input should be less than or equal to 1"),
    ({"resize": "mug", "scale": 2, "anchor": "top"}, "anchor: input should be 'foot' or 'centre'"),
    ({"flip": "mug", "direction": "sideways"}, "direction: input should be 'horizontal' or 'vertical'"),
    ({"paste": "mug", "from": "o.jpg", "x": -0.1}, "x: input should be greater than or equal to 0"),
    ({"resize": "mug"}, "scale: field required"),
    ({"rotate": None}, "angle: field required"),
    ({"swap": "mug"}, "with: field required"),
    ({"paste": "mug"}, "from: field required"),
    ({"reshape": "mug"}, "shape: field required"),
    ({"replace": "mug"}, "with: field required"),
    ({"move": 3, "dx": 0.1}, "move: input should be a valid string"),
    ({"swap": None, "with": "bowl"}, "swap: input should be a valid string"),
    ({"move": "mug", "dx": "far"}, "dx: input should be a valid number"),
    ({"retouch": ""}, "retouch: string should have at least 1 character"),
    ({"restyle": "mug", "as": ""}, "as: string should have at least 1 character"),
    ({"restyle": "mug"}, "restyle does not say how: give it as, like or object"),
]
BESIDES: dict[str, Any] = {
    "prompt": "a photo of a mug",
    "box": [0.1, 0.2, 0.3, 0.4],
    "point": [[0.25, 0.75], [0.5, 0.5]],
    "not_point": [[0.75, 0.75]],
    "refine": True,
    "mask_sha256": "ab12",
    "allow_crop": True,
    "seed": 3,
    "steps": 4,
    "inversion": "ddim",
    "guidance_scale": 1.0,
    "inversion_scale": 1.5,
    "working_size": None,
    "settings": asdict(Settings(strength=0.3, shadow=False)),
    "model": "tabletop",
    "dtype": "float32",
    "detector": None,
    "segmenter": "own/clipseg",
    "cutout": "ours",
    "inpainter": None,
}
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"restyle": "mug", "object": "mug"}, "an object already looks like itself"),
    ({"restyle": None, "like": "o.jpg"}, "whose look is it to take?"),
    ({"restyle": "mug", "as": " "}, "the new look is empty"),
    ({"swap": "mug", "with": "mug"}, "an object and itself: mug"),
]
"""Of the right form, and yet no edit."""


@pytest.mark.parametrize(("edit", "entry"), PAIRS, ids=lambda value: type(value).__name__)
def test_an_edit_and_its_entry_mean_each_other(edit: Edit, entry: dict[str, Any]) -> None:
    assert entries(edit) == entries([edit]) == [entry]
    assert read_entries([entry]) == [edit]
    assert next(iter(entry)) in KEYS


def test_every_kind_of_edit_has_an_entry() -> None:
    assert {type(edit) for edit, _ in PAIRS} == set(KINDS)
    assert {next(iter(entry)) for _, entry in PAIRS} == set(KEYS)


def test_a_list_goes_through_json_and_back() -> None:
    edits = [edit for edit, _ in PAIRS]
    assert read_entries(json.loads(json.dumps(entries(edits)))) == edits


def test_fields_that_may_be_left_out_have_the_edits_defaults() -> None:
    given = [{"move": "mug", "dx": 0.1}, {"flip": "mug"}, {"paste": "mug", "from": "o.jpg"}]
    assert read_entries(given) == [Move("mug", 0.1), Flip("mug"), Paste("mug", "o.jpg")]
    assert read_entries([{"background": "marble"}]) == [Background(None, "marble")]


def test_a_path_is_written_and_a_picture_is_left_out() -> None:
    pixels = np.zeros((4, 4, 3), np.uint8)
    assert entries(LookOf(Path("other.jpg"))) == [{"look_of": "other.jpg"}]
    assert entries(Like("mug", pixels, "bowl")) == [{"restyle": "mug", "object": "bowl"}]
    assert "from" not in entries(Paste("mug", pixels))[0]
    assert json.dumps(entries(Reshape("mug", pixels[..., 0]))) == '[{"reshape": "mug"}]'


@pytest.mark.parametrize(("entry", "says"), WRONG, ids=lambda value: value if isinstance(value, str) else "")
def test_an_entry_that_is_no_edit_says_why(entry: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_entries([{"remove": "mug"}, entry], "a.json")
    assert str(caught.value).startswith(f"a.json, number 2: {says}")
    assert str(caught.value).endswith(FORMS)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("entry", "says"), REFUSED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_an_entry_whose_edit_is_refused_says_where(entry: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_entries([{"remove": "mug"}, entry], "a.json")
    assert str(caught.value).startswith(f"a.json, number 2: {says}")


def test_numbers_of_numpy_are_written_as_plain_ones() -> None:
    single: Any = np.float32(0.25)
    half: Any = np.float16(0.5)
    whole: Any = np.int64(30)
    edits = [Move("mug", single, np.float64(-0.5)), Rotate("mug", whole), Paste("can", "o.jpg", x=half)]
    listed = entries(edits)
    assert listed == [
        {"move": "mug", "dx": 0.25, "dy": -0.5, "perspective": "auto"},
        {"rotate": "mug", "angle": 30, "anchor": "centre"},
        {"paste": "can", "from": "o.jpg", "x": 0.5, "y": 0.5, "scale": 1.0},
    ]
    kinds = {type(value) for entry in listed for value in entry.values()}
    assert kinds == {str, float, int}
    assert json.loads(recipe_json({"edits": listed}))["recipe"]["edits"] == listed


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_refused(value: float) -> None:
    with pytest.raises(UsageError, match="number 1: dx: "):
        read_entries([{"move": "mug", "dx": value}])


def _written(folder: Path, content: Any) -> Path:
    file = folder / "edits.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    "wrap", [list, lambda listed: {"edits": listed}, lambda listed: {"edits": listed, "seed": 3}]
)
def test_a_file_holds_a_list_or_an_object_with_one(tmp_path: Path, wrap: Any) -> None:
    listed = [{"move": "mug", "dx": 0.2}, {"remove": "bowl"}]
    assert read_file(_written(tmp_path, wrap(listed))).edits == [Move("mug", 0.2), Remove("bowl")]


def test_a_recipe_beside_a_photo_is_such_a_file(tmp_path: Path) -> None:
    edits = [Move("mug", 0.2), Paste("can", "other.jpg", scale=0.5), Restyle("mug", "a müg, blue")]
    file = tmp_path / "moved.png.realedit.json"
    told = {"edits": entries(edits), **BESIDES, "versions": {"torch": "2.0"}}
    file.write_bytes(recipe_json(told))
    read = read_file(file)
    assert read.edits == edits
    assert read.options.model_dump(by_alias=True, exclude_unset=True) == BESIDES
    assert read.options.settings == Settings(strength=0.3, shadow=False)
    assert _fits(json.loads(file.read_text()), json_schema(), json_schema())


def test_one_point_and_several_are_read_alike(tmp_path: Path) -> None:
    schema = json_schema()
    for said, points in (([0.1, 0.2], [[0.1, 0.2]]), ([[0.1, 0.2], [0, 1.0]], [[0.1, 0.2], [0, 1]])):
        content = {"edits": [{"remove": None}], "point": said, "not_point": said, "refine": False}
        options = read_file(_written(tmp_path, content)).options
        assert (options.point, options.not_point, options.refine) == (points, points, False)
        assert _fits(content, schema, schema)


def test_a_recipe_says_where_the_object_was_shown() -> None:
    def told(shown: Shown) -> dict[str, Any]:
        how = {"method": "direct", "steps": 20, "guidance_scale": 1, "inversion_scale": 1}
        made = recipe(
            [Remove(None)],
            shown,
            Settings(),
            prompt="a photo",
            models={},
            working_size=None,
            how=how,
            seed=0,
            allow_crop=False,
        )
        return {name: made[name] for name in ("box", "point", "not_point", "refine") if name in made}

    assert told(Shown(points=((0.1, 0.2),))) == {"point": [0.1, 0.2]}
    both = Shown(box=(0, 0, 0.5, 1), points=((0.1, 0.2), (0.3, 0.4)), not_points=((0.4, 0.9),))
    assert told(both) == {
        "box": [0, 0, 0.5, 1],
        "point": [[0.1, 0.2], [0.3, 0.4]],
        "not_point": [0.4, 0.9],
    }
    assert told(Shown(mask=np.eye(4), refine=False)) == {"refine": False}


def test_a_file_that_says_no_more_than_edits_leaves_all_open(tmp_path: Path) -> None:
    listed = [{"remove": "mug"}]
    for content in (listed, {"edits": listed}):
        assert read_file(_written(tmp_path, content)) == EditsFile([Remove("mug")], RecipeOptions())
    assert RecipeOptions().settings is None


def test_a_recipe_may_be_followed_by_others_each_with_its_own_object_shown(tmp_path: Path) -> None:
    later = {"edits": [{"move": None, "dx": 0.1}], "point": [0.2, 0.3], "seed": 4}
    content = {"recipe": {"edits": [{"remove": "mug"}], "then": [later, later]}}
    file = read_file(_written(tmp_path, content))
    assert file.edits == [Remove("mug")]
    assert [one.edits for one in file.then] == [[Move(None, 0.1)]] * 2
    assert [one.options.point for one in file.then] == [[[0.2, 0.3]]] * 2
    jsonschema.validate(content, json_schema())


@pytest.mark.parametrize(
    ("then", "says"),
    [
        ([{"edits": []}], "then, number 1 holds no list of edits"),
        (
            [{"edits": [{"remove": "mug"}]}, {"edits": [{"move": "mug", "dx": 9}]}],
            "then, number 2, number 1: dx",
        ),
        ([{"edits": [{"remove": "mug"}], "then": [{"edits": [{"remove": "mug"}]}]}], "a then of its own"),
        ([{"edits": [{"remove": "mug"}]}] * 257, "at most 256"),
    ],
)
def test_what_follows_a_recipe_is_checked(tmp_path: Path, then: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        read_file(_written(tmp_path, {"edits": [{"remove": "mug"}], "then": then}))


@pytest.mark.parametrize(
    ("besides", "says"),
    [
        ({"seed": -1}, "seed: input should be greater than or equal to 0"),
        ({"seed": "3"}, "seed: input should be a valid integer"),
        ({"steps": 1}, "steps: input should be greater than or equal to 2"),
        ({"prompt": 3}, "prompt: input should be a valid string"),
        ({"box": [0.1, 0.2, 0.3]}, "box: list should have at least 4 items"),
        ({"point": [0.1, 1.5]}, "point.0.1: input should be less than or equal to 1"),
        ({"point": [0.1, 0.5, 0.5]}, "point.0: list should have at most 2 items"),
        ({"point": []}, "point: list should have at least 1 item"),
        ({"point": [[0.1, 0.5], [0.1]]}, "point.1: list should have at least 2 items"),
        ({"not_point": 0.5}, "not_point: input should be a valid list"),
        ({"refine": "yes"}, "refine: input should be a valid boolean"),
        ({"allow_crop": 1}, "allow_crop: input should be a valid boolean"),
        ({"working_size": 8}, "working_size: input should be greater than or equal to 32"),
        ({"settings": {"strenght": 0.3}}, "settings.strenght: extra inputs are not permitted"),
        ({"settings": {"shadow": "no"}}, "settings.shadow: input should be a valid boolean"),
    ],
)
def test_what_a_file_says_besides_its_edits_is_checked(
    tmp_path: Path, besides: dict[str, Any], says: str
) -> None:
    content = {"edits": [{"remove": "mug"}], **besides}
    file, schema = _written(tmp_path, content), json_schema()
    with pytest.raises(UsageError) as caught:
        read_file(file)
    assert str(caught.value).startswith(f"{file}: {says}")
    assert not _fits(content, schema, schema)
    assert not _fits({"recipe": content}, schema, schema)


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        {"edits": []},
        {"edits": {"move": "mug"}},
        {"recipe": None},
        {"recipe": {}},
        3,
        None,
        ["move"],
        "move",
    ],
)
def test_a_file_without_a_list_of_edits_says_so(tmp_path: Path, content: Any) -> None:
    file = _written(tmp_path, content)
    with pytest.raises(UsageError) as caught:
        read_file(file)
    assert str(caught.value) == f"{file} holds no list of edits; {FORMS}"


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^cannot read .*none\.json: No such file or directory$"):
        read_file(tmp_path / "none.json")
    with pytest.raises(UsageError, match=r"^cannot read .*: Is a directory$"):
        read_file(tmp_path)
    for content in (b'{"edits": [', b"\xff\xfe{}", b""):
        (tmp_path / "bad.json").write_bytes(content)
        with pytest.raises(UsageError, match=r"bad\.json is not JSON: "):
            read_file(tmp_path / "bad.json")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '[{"move": "mug", "dx": ' + "1" * 5000 + "}]",
        '{"edits": [{"move": "mug", "dx": 0.1}], "seed": ' + "9" * 4500 + "}",
        '[{"move": "mug", "dx": 1e999}]',
        '[{"move": "mug", "dx": NaN}]',
        '[{"move": "\\ud800", "dx": 0.1}]',
        '[{"move": "mug", "dx": ' + "[" * 70 + "]" * 70 + "}]",
    ],
    ids=["nested", "long number", "long seed", "infinite", "not a number", "half a letter", "deep"],
)
def test_json_beyond_the_limits_is_a_usage_error_of_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "edits.json"
    file.write_text(text)
    with pytest.raises(UsageError) as told:
        read_file(file)
    assert told.value.exit_code == 2
    assert len(str(told.value)) < 300


def test_an_error_in_a_file_names_the_file_and_the_number(tmp_path: Path) -> None:
    file = _written(tmp_path, {"edits": [{"remove": "mug"}, {"resize": "mug"}]})
    with pytest.raises(UsageError) as caught:
        read_file(file)
    assert str(caught.value).startswith(f"{file}, number 2: scale: field required; ")


def _fits(value: Any, schema: Mapping[str, Any], top: Mapping[str, Any]) -> bool:
    """Whether a value fits a JSON Schema of the few keywords that ours is written in."""
    schema = dict(schema)
    for note in ("$schema", "$defs", "title", "description", "default"):
        schema.pop(note, None)
    kinds = {"string": str, "null": type(None), "array": list, "object": dict, "number": (int, float)}
    kinds |= {"integer": int, "boolean": bool}
    checks = {
        "$ref": lambda to: _fits(value, top["$defs"][to.removeprefix("#/$defs/")], top),
        "anyOf": lambda forms: any(_fits(value, form, top) for form in forms),
        "type": lambda kind: (
            isinstance(value, kinds[kind]) and isinstance(value, bool) == (kind == "boolean")
        ),
        "enum": lambda choices: value in choices,
        "minimum": lambda low: not isinstance(value, int | float) or value >= low,
        "maximum": lambda high: not isinstance(value, int | float) or value <= high,
        "minLength": lambda least: not isinstance(value, str) or len(value) >= least,
        "maxLength": lambda most: not isinstance(value, str) or len(value) <= most,
        "minItems": lambda least: not isinstance(value, list) or len(value) >= least,
        "maxItems": lambda most: not isinstance(value, list) or len(value) <= most,
        "items": lambda one: not isinstance(value, list) or all(_fits(item, one, top) for item in value),
        "required": lambda names: not isinstance(value, dict) or set(names) <= set(value),
        "properties": lambda named: (
            not isinstance(value, dict)
            or all(_fits(value[name], one, top) for name, one in named.items() if name in value)
        ),
        "additionalProperties": lambda allowed: (
            allowed or not isinstance(value, dict) or set(value) <= set(schema["properties"])
        ),
    }
    return all(checks[keyword](argument) for keyword, argument in schema.items())


def test_the_schema_takes_what_the_reader_takes() -> None:
    schema = json_schema()
    for _, entry in PAIRS:
        assert _fits([entry], schema, schema), entry
        assert _fits({"edits": [entry]}, schema, schema), entry
    listed = [entry for _, entry in PAIRS]
    assert _fits(listed, schema, schema)
    assert _fits({"edits": listed, "seed": 3}, schema, schema)


def test_the_schema_refuses_what_the_reader_refuses() -> None:
    schema = json_schema()
    for entry, _ in WRONG:
        assert not _fits([entry], schema, schema), entry
        assert not _fits({"edits": [{"remove": "mug"}, entry]}, schema, schema), entry
    for content in ([], {}, {"edits": []}, 3, None, "move", ["move"]):
        assert not _fits(content, schema, schema)


@pytest.mark.parametrize(
    "entry",
    [
        {"move": "mug", "dx": "0.2"},
        {"move": "mug", "dx": True},
        {"swap": "mug", "other": "bowl"},
        {"paste": "mug", "source": "o.jpg"},
        {"restyle": "mug", "text": "a can"},
    ],
)
def test_the_reader_refuses_what_the_schema_refuses(entry: dict[str, Any]) -> None:
    schema = json_schema()
    assert not _fits([entry], schema, schema)
    with pytest.raises(UsageError):
        read_entries([entry])


def test_the_schema_is_one_by_its_own_standard() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for _, entry in PAIRS:
        assert validator.is_valid([entry]) == _fits([entry], schema, schema) is True
    told = {"recipe": {"edits": [PAIRS[0][1]], **BESIDES}}
    assert validator.is_valid(told)
    assert not validator.is_valid({"recipe": {**told["recipe"], "seed": "3"}})
    for entry, _ in WRONG:
        assert validator.is_valid([entry]) == _fits([entry], schema, schema) is False


def test_every_field_of_the_schema_is_described() -> None:
    schema = json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    references = schema["anyOf"][0]["items"]["anyOf"]
    assert {reference["$ref"] for reference in references} == {f"#/$defs/{name}" for name in schema["$defs"]}
    titles = sorted(form["title"] for form in schema["$defs"].values())
    assert titles == sorted(kind.__name__ for kind in KINDS)
    for form in schema["$defs"].values():
        assert form["additionalProperties"] is False
        assert all(field["description"] for field in form["properties"].values())
    _, wrapped, sidecar = schema["anyOf"]
    assert sidecar["properties"] == {"recipe": wrapped}
    besides = {name: field for name, field in wrapped["properties"].items() if name != "edits"}
    assert set(besides) == {*BESIDES, "then"}
    assert all(field["description"] for field in besides.values())
    assert json.loads(json.dumps(schema)) == schema


def test_a_reader_of_entries_takes_any_sequence_of_mappings() -> None:
    given: Sequence[Mapping[str, Any]] = ({"remove": "mug"},)
    assert read_entries(given) == [Remove("mug")]
