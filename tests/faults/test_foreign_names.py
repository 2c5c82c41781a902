"""Text from files of others never becomes a path: what enters a file name is checked where it is read."""

import json
import shutil
from pathlib import Path

import pytest

from kanji_tui.characters.jis import jis_to_character
from kanji_tui.data.dataset import open_dataset
from kanji_tui.errors import KanjiError
from kanji_tui.networks.card import ModelCard
from kanji_tui.runs.publish import published
from kanji_tui.runs.run_directory import create
from kanji_tui.system.files import inside

BAD_NAMES = ["/../../../x/PLANTED", "..", ".", "", ".hidden", "a/b", "a\0b", "a\nb", "x" * 65, "字", "a b", 3, None]
CARD = ModelCard("kanjinet", (0x2422, 0x4544), 32).to_json()


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize("field", ["dataset", "network"])
def test_a_cards_names_are_names(field, name):
    with pytest.raises(KanjiError, match=f"best_model_info.json: {field} cannot be"):
        ModelCard.from_json(CARD | {field: name}, "best_model_info.json")


@pytest.mark.parametrize("command", ["safetensors", "mapping", "onnx"])
def test_an_export_of_a_planted_card_writes_nothing(kanji_tui, tmp_path, trained, command):
    home = tmp_path / "deep" / "home"
    shutil.copytree(trained.models_dir, home / "models", ignore=shutil.ignore_patterns("runs"))
    card = home / "models" / "best_model_info.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"dataset": "/../../../x/PLANTED"}))
    before = sorted(tmp_path.rglob("*"))
    ended = kanji_tui("--home", home, "export", command, "--model-path", "models/best_kanji_model.pth")
    assert ended.returncode == 1
    assert "best_model_info.json: dataset cannot be" in ended.stderr
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_datasets_name_is_a_name(tmp_path, sample_dataset, name):
    shutil.copytree(sample_dataset, tmp_path / "dataset")
    path = tmp_path / "dataset" / "metadata.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"dataset": name}))
    with pytest.raises(KanjiError, match=r"metadata\.json: dataset cannot be"):
        open_dataset(tmp_path / "dataset")


def test_a_published_runs_name_leads_nowhere_else(tmp_path):
    (tmp_path / "published.json").write_text('{"run": "../../elsewhere", "pinned": true}')
    assert published(tmp_path) is None


def test_no_character_of_jis_leads_to_another_folder():
    for jis in range(0x2121, 0x7E7F):
        if character := jis_to_character(jis):
            assert inside(Path("samples"), character) == Path("samples") / character
            assert len(character) == 1


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/", "a\0", "x" * 256])
def test_a_writer_refuses_a_target_outside_of_its_folder(tmp_path, name):
    with pytest.raises(KanjiError, match="cannot be the name of a file"):
        inside(tmp_path, name)


def test_a_run_directory_lies_among_the_runs(tmp_path):
    with pytest.raises(KanjiError, match="cannot be the name of a file"):
        create("../../planted", "kanji_tui.jobs.verify:run", {}, tmp_path / "runs")
    assert not list((tmp_path / "runs").iterdir())
