"""A model that is kept open, and how what is drawn for it is to look."""

import onnx
import pytest

from kanji_tui.errors import KanjiError
from kanji_tui.export.quick_export import export_quickly
from kanji_tui.inspection.compared_file import read_model_file
from kanji_tui.recognition.drawing.model import find_style, open_live
from kanji_tui.recognition.drawing.results import StrokeStyle
from kanji_tui.recognition.models import open_model
from tests.data.test_legacy import write_original


@pytest.fixture
def noted(trained, tmp_path):
    """The trained model as an ONNX file with this note in place of its card, None for no note."""

    def write(card: str | None):
        path = tmp_path / "model.onnx"
        export_quickly(trained.model_path, path)
        model = onnx.load(path)
        del model.metadata_props[:]
        if card is not None:
            onnx.helper.set_model_props(model, {"card": card})
        onnx.save(model, path)
        return path

    return write


@pytest.mark.parametrize("open_file", [open_live, open_model, read_model_file])
def test_a_damaged_card_is_said_to_be_damaged(noted, open_file):
    path = noted('{"network": ')
    with pytest.raises(KanjiError, match=r"the card in .*model\.onnx is damaged: Expecting value") as refused:
        open_file(path)
    assert refused.value.remedy == "export the model again"


@pytest.mark.parametrize("card", [None, '"an ace"', '{"suit": "spades"}'])
def test_without_a_card_of_ours_nothing_says_what_it_knows(noted, card):
    path = noted(card)
    with pytest.raises(KanjiError, match="does not say what it was trained on"):
        open_live(path)
    with pytest.raises(KanjiError, match="nothing says which 12 characters"):
        open_model(path)
    assert read_model_file(path).card is None


def test_a_card_with_a_field_missing_is_refused(noted):
    for open_file in (open_live, open_model, read_model_file):
        with pytest.raises(KanjiError, match="holds no valid model card"):
            open_file(noted('{"network": "kanjinet"}'))


def test_a_file_that_is_no_graph_is_a_sentence(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(KanjiError, match="cannot be run by ONNX Runtime") as refused:
        open_live(tmp_path / "model.onnx")
    assert "export onnx" in refused.value.remedy


def test_the_originals_dataset_is_not_converted_to_measure_a_pen(tmp_path):
    write_original(tmp_path / "ds")
    assert find_style(None, tmp_path / "ds") == StrokeStyle()
    assert not (tmp_path / "ds" / ".uint8").exists()


def test_a_broken_dataset_of_the_original_leaves_the_usual_look(tmp_path):
    write_original(tmp_path / "ds", single=True)
    path = tmp_path / "ds" / "etl9g_dataset.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    assert find_style(None, tmp_path / "ds") == StrokeStyle()


def test_a_prepared_dataset_is_measured(trained):
    found = find_style(None, trained.data_dir)
    assert found.source == f"measured in {trained.data_dir}/"
    assert 0 < found.pen != StrokeStyle().pen
