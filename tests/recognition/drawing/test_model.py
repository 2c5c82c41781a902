"""The model of the Draw screen, and its stroke style."""

import onnx
import pytest

from kanji_tui.errors import KanjiError
from kanji_tui.export.quick_export import export_quickly
from kanji_tui.inspection.compared_file import read_model_file
from kanji_tui.recognition.drawing.model import find_style, open_drawing_model
from kanji_tui.recognition.drawing.results import StrokeStyle
from kanji_tui.recognition.models import open_model
from tests.data.test_legacy import write_original


@pytest.fixture(scope="module")
def exported(trained, tmp_path_factory):
    """The trained model as an ONNX file. Read only."""
    path = tmp_path_factory.mktemp("exported") / "model.onnx"
    export_quickly(trained.model_path, path)
    return path


@pytest.fixture
def with_card_text(exported, tmp_path):
    """Writes the trained model as an ONNX file with this text as its card, or None for no card."""

    def write(card: str | None):
        path = tmp_path / "model.onnx"
        model = onnx.load(exported)
        del model.metadata_props[:]
        if card is not None:
            onnx.helper.set_model_props(model, {"card": card})
        onnx.save(model, path)
        return path

    return write


@pytest.mark.parametrize("open_file", [open_drawing_model, open_model, read_model_file])
def test_a_damaged_card_is_refused(with_card_text, open_file):
    path = with_card_text('{"network": ')
    with pytest.raises(
        KanjiError, match=r"the card in .*model\.onnx cannot be read as JSON: Expecting value"
    ) as refused:
        open_file(path)
    assert refused.value.remedy == "export the model again"


@pytest.mark.parametrize("card", [None, '"an ace"', '{"suit": "spades"}'])
def test_a_file_without_a_card_is_refused_or_has_none(with_card_text, card):
    path = with_card_text(card)
    with pytest.raises(KanjiError, match="has no model card"):
        open_drawing_model(path)
    with pytest.raises(KanjiError, match="its 12 classes and its image size are unknown"):
        open_model(path)
    assert read_model_file(path).card is None


def test_a_card_with_a_field_missing_is_refused(with_card_text):
    for open_file in (open_drawing_model, open_model, read_model_file):
        with pytest.raises(KanjiError, match=r"model\.onnx: the field 'classes' is missing"):
            open_file(with_card_text('{"network": "kanjinet"}'))


def test_a_file_that_is_not_onnx_is_refused(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"not a graph")
    with pytest.raises(KanjiError, match="cannot be run by ONNX Runtime") as refused:
        open_drawing_model(tmp_path / "model.onnx")
    assert "export onnx" in refused.value.remedy


def test_a_legacy_dataset_is_not_converted_to_measure_its_stroke_width(tmp_path):
    write_original(tmp_path / "ds")
    assert find_style(None, tmp_path / "ds") == StrokeStyle()
    assert not (tmp_path / "ds" / ".uint8").exists()


def test_with_a_damaged_legacy_dataset_the_default_style_is_used(tmp_path):
    write_original(tmp_path / "ds", single=True)
    path = tmp_path / "ds" / "etl9g_dataset.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    assert find_style(None, tmp_path / "ds") == StrokeStyle()


def test_the_stroke_style_of_a_prepared_dataset_is_measured(trained):
    found = find_style(None, trained.data_dir)
    assert found.source == f"measured in {trained.data_dir}/"
    assert 0 < found.width != StrokeStyle().width
