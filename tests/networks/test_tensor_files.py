"""Files of torch.save: read without running code, and without taking memory that the file does not hold."""

import json
import zipfile
from pathlib import Path

import pytest
import torch

from kanji_tui.characters.jis import jis_to_character, name_jis
from kanji_tui.errors import KanjiError
from kanji_tui.networks.tensor_files import load_tensors
from kanji_tui.recognition.weights import load_recogniser

CONTENT = {"a": torch.arange(1000.0), "b": [torch.zeros(3), {"c": torch.ones(2, 2)}], "n": 3}


def load(path: Path):
    return load_tensors(path, "weights", "give another file")


def rewritten(path: Path, change, compression=zipfile.ZIP_STORED) -> None:
    """Write the archive again, each record changed by `change(name, content)`."""
    with zipfile.ZipFile(path) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in records.items():
            archive.writestr(name, change(name, content))


def test_tensors_numbers_and_texts_are_read(tmp_path):
    torch.save(CONTENT, tmp_path / "file.pth")
    found = load(tmp_path / "file.pth")
    assert torch.equal(found["a"], CONTENT["a"])
    assert torch.equal(found["b"][1]["c"], torch.ones(2, 2))


def test_an_object_is_refused_without_the_advice_to_load_it_all_the_same(tmp_path):
    torch.save({"a": Path("x")}, tmp_path / "file.pth")
    with pytest.raises(KanjiError, match="it holds something else than tensors and numbers") as raised:
        load(tmp_path / "file.pth")
    assert "weights_only" not in raised.value.message + raised.value.remedy


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x80\x02}q\x00.", b"PK\x03\x04 half"])
def test_what_is_no_such_file_is_one_sentence(tmp_path, content):
    (tmp_path / "file.pth").write_bytes(content)
    with pytest.raises(
        KanjiError, match=r"file\.pth cannot be read as weights: it is damaged, or no file of torch"
    ):
        load(tmp_path / "file.pth")


def test_a_compressed_archive_is_refused_before_it_is_unpacked(tmp_path):
    torch.save({"a": torch.zeros(1_000_000)}, tmp_path / "file.pth")
    rewritten(tmp_path / "file.pth", lambda name, content: content, zipfile.ZIP_DEFLATED)
    with pytest.raises(KanjiError, match="it is compressed"):
        load(tmp_path / "file.pth")


def test_a_tensor_larger_than_its_file_is_refused(tmp_path):
    torch.save({"a": torch.zeros(1000)}, tmp_path / "file.pth")
    larger = b"J" + (10**9).to_bytes(4, "little")  # of its storage and its shape, in the pickle

    def enlarge(name: str, content: bytes) -> bytes:
        return content.replace(b"M\xe8\x03", larger) if name.endswith("data.pkl") else content

    rewritten(tmp_path / "file.pth", enlarge)
    with pytest.raises(KanjiError, match="cannot be read as weights"):
        load(tmp_path / "file.pth")


def test_a_card_that_says_more_than_the_weights_takes_no_memory(tmp_path, trained, monkeypatch):
    """The network of the card is only built once the weights are known to fit it."""
    weights, card = tmp_path / "best_kanji_model.pth", tmp_path / "best_model_info.json"
    weights.write_bytes(trained.model_path.read_bytes())
    codes = [name_jis(jis) for jis in range(0x2121, 0x7E7F) if jis_to_character(jis)]
    known = json.loads((trained.models_dir / "best_model_info.json").read_text())
    card.write_text(json.dumps(known | {"classes": codes, "image_size": 128}))
    built = []
    whole = torch.nn.Linear.__init__

    def build(self, *sizes, **options):
        whole(self, *sizes, **options)
        built.append(self.weight.device.type)

    monkeypatch.setattr(torch.nn.Linear, "__init__", build)
    with pytest.raises(KanjiError, match="do not fit the model's card"):
        load_recogniser(weights)
    assert set(built) == {"meta"}
