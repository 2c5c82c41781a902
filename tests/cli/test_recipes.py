import pytest

from kanji_tui.cli.commands.training import train_spec
from kanji_tui.cli.parser import parser
from kanji_tui.training.recipes import NAMES, recipe


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_chosen_by_name_and_single_numbers_go_before_it(name):
    config = train_spec(parser().parse_args(["train", "--recipe", name, "--epochs", "3"])).config
    assert (config.recipe, config.epochs) == (name, 3)
    assert config.weight_decay == recipe(name, on_gpu=False)["weight_decay"]


def test_without_one_each_network_has_its_own():
    assert train_spec(parser().parse_args(["train"])).config.recipe == "standard"
    assert train_spec(parser().parse_args(["train", "--network", "v2"])).config.recipe == "original"


def test_an_unknown_recipe_is_refused(capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(["train", "--recipe", "secret"])
    assert "standard" in capsys.readouterr().err
