import json
from dataclasses import replace

import pytest

from kanji_tui.cli.commands.training import train_spec
from kanji_tui.cli.parser import parser
from kanji_tui.errors import UsageError
from kanji_tui.jobs.train import Spec
from kanji_tui.networks.registry import NETWORKS
from kanji_tui.runs.run_directory import create
from kanji_tui.system.plain_data import to_plain
from kanji_tui.training.config import configure
from kanji_tui.training.recipes import NAMES, default_recipe, find_recipe


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_chosen_by_name_and_single_numbers_go_before_it(name):
    config = train_spec(parser().parse_args(["train", "--recipe", name, "--epochs", "3"])).config
    assert (config.recipe, config.epochs) == (name, 3)
    assert config.weight_decay == find_recipe(name, on_gpu=False).weight_decay


@pytest.mark.parametrize("network", NETWORKS)
def test_without_one_each_network_has_its_own(network):
    config = train_spec(parser().parse_args(["train", "--network", network])).config
    assert config.recipe == default_recipe(network)


def test_the_default_and_the_originals_recipes():
    assert default_recipe("kanjinet") == "standard"
    assert {default_recipe(network) for network in ("v1", "v2", "v2.1")} == {"original"}


def test_an_unknown_recipe_is_refused():
    with pytest.raises(UsageError, match="standard"):
        parser().parse_args(["train", "--recipe", "secret"])


@pytest.mark.parametrize("given", [["--set", "pieces=4"], ["--config", "mine.yaml"]])
def test_an_old_name_of_a_setting_is_read(tmp_path, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text("pieces: 4\nnetwork: v1\n")
    assert train_spec(parser().parse_args(["train", *given])).config.accumulation_steps == 4


def test_an_old_run_s_settings_are_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = {"network": "v1", "recipe": None, "epochs": 3, "pieces": 2}
    run = create("train", "kanji_tui.jobs.train:run", {"config": config})
    run.write_status(replace(run.status(), state="stopped"))
    resumed = train_spec(parser().parse_args(["train", "--resume", run.name])).config
    assert resumed == configure(network="v1", epochs=3, accumulation_steps=2)


def test_all_networks_are_listed_with_what_they_cost(kanji_tui):
    listed = kanji_tui("networks", "--size", 32, "--classes", 9, "--json")
    assert listed.returncode == 0, listed.stderr
    networks = json.loads(listed.stdout)["networks"]
    assert [network["name"] for network in networks] == list(NETWORKS)
    assert all(min(network[cost] for cost in ("parameters", "macs", "bytes")) > 1000 for network in networks)


def test_probe_takes_training_settings_and_no_option_of_a_run(capsys):
    asked = ["probe", "--network", "v1", "--epochs", "3", "--set", "noise=0.1"]
    config = train_spec(parser().parse_args(asked)).config
    assert (config.network, config.epochs, config.noise) == ("v1", 3, 0.1)
    for of_a_run in ("--detach", "--profile", "--track=tensorboard", "--resume=latest"):
        with pytest.raises(UsageError, match=of_a_run):
            parser().parse_args(["probe", of_a_run])


@pytest.mark.parametrize(
    "other", [("--epochs", "60"), ("--seed", "0"), ("--set", "noise=0.1"), ("--config", "mine.yaml")]
)
def test_a_resumed_training_takes_no_other_settings(tmp_path, monkeypatch, other):
    monkeypatch.chdir(tmp_path)
    run = create("train", "kanji_tui.jobs.train:run", to_plain(Spec(config=configure())))
    run.write_status(replace(run.status(), state="stopped"))
    alone = ["train", "--resume", run.name]
    assert train_spec(parser().parse_args(alone)).resume == run.path
    with pytest.raises(UsageError, match="resumes with its own settings"):
        train_spec(parser().parse_args([*alone, *other]))
