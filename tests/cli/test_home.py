"""--home and --json, before and behind the command."""

import json

import pytest


@pytest.mark.parametrize("before", [True, False])
def test_home_and_json_mean_the_same_before_and_behind_the_command(kanji_tui, tmp_path, before):
    common = ("--home", tmp_path / "elsewhere", "--json")
    arguments = (*common, "export", "mapping") if before else ("export", "mapping", *common)

    done = kanji_tui(*arguments)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["classes"] == 3036
    assert list((tmp_path / "elsewhere").rglob("*_mapping.json"))
    assert not list(tmp_path.glob("*_mapping.json")), "written to the current folder, not to --home"
