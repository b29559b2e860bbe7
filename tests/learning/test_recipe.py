import json

import pytest

from vertenet.errors import OptionError
from vertenet.learning import Data, Recipe, read_recipe, recipe_names
from vertenet.learning.augmentation import Augmentation
from vertenet.networks import build


def test_a_recipe_comes_back_from_its_file(tmp_path):
    recipe = Recipe(
        options={"input_size": [256, 256]},
        patience=3,
        freeze="encoder",
        augmentation=Augmentation(rotation=3.0),
        data=Data(folder="scans", phantoms=7),
    )
    (tmp_path / "recipe.json").write_text(json.dumps(recipe.to_dict()))
    assert read_recipe(tmp_path / "recipe.json") == recipe


def test_a_card_says_nothing_of_the_folders_of_the_machine():
    recipe = Recipe(start_from="/home/anna/weights/first.safetensors", data=Data(folder="/data/patients/films"))
    portable = recipe.portable()
    assert (portable["start_from"], portable["data"]["folder"]) == ("first.safetensors", "films")
    assert {**portable, "start_from": None, "data": None} == {**recipe.to_dict(), "start_from": None, "data": None}
    assert Recipe(start_from="vertenet-lite").portable()["start_from"] == "vertenet-lite"


@pytest.mark.parametrize("name", ["vertenet-h100", "vertenet-lite-cpu"])
def test_shipped_recipes_are_read_by_name_and_name_networks_that_exist(name):
    assert name in recipe_names()
    recipe = read_recipe(name)
    assert recipe.data.phantoms > 0
    assert build(recipe.network, **recipe.options).level_names
    assert recipe.precision == "bfloat16"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"stepz": 5}', "stepz"),
        ('{"augmentation": {"rotatoin": 1}}', "rotatoin"),
        ('{"data": 3}', "data is 3"),
        ('{"steps": 0}', "steps is 0"),
        ('{"steps": "many"}', "steps is 'many'"),
        ('{"precision": "float8"}', "float8"),
        ('{"device": "tpu"}', "tpu"),
        ('{"ema": 1}', "ema is 1"),
        ('{"data": {"first_seed": 900000}}', "kept for validation"),
        ('{"data": {"validation_share": 1}}', "validation_share"),
        ("[]", "not a recipe"),
        ("{", "cannot be read"),
    ],
)
def test_what_is_no_recipe_is_refused_by_name_of_file_and_entry(tmp_path, text, complaint):
    path = tmp_path / "recipe.json"
    path.write_text(text)
    with pytest.raises(OptionError, match=complaint) as refused:
        read_recipe(path)
    assert "recipe.json" in refused.value.sentence


def test_a_recipe_that_does_not_exist_is_answered_with_those_that_do():
    with pytest.raises(OptionError, match="vertenet-h100"):
        read_recipe("vertenet-h200")
