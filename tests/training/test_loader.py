"""Where the pictures lie: in memory as far as that reaches, a container's limit counted."""

import torch

from kanji_tui.data.dataset import open_dataset
from kanji_tui.system import machine
from kanji_tui.training.data import Part
from kanji_tui.training.loader import DeviceLoader


def test_a_containers_limit_decides_whether_all_pictures_lie_in_memory(
    sample_dataset, tmp_path, monkeypatch, report
):
    dataset = open_dataset(sample_dataset)
    monkeypatch.setattr(machine, "CGROUPS", tmp_path)
    monkeypatch.setattr(machine, "OWN_CGROUPS", tmp_path / "own")
    (tmp_path / "own").write_text("0::/\n")
    (tmp_path / "memory.current").write_text("0\n")
    kept = {}
    for limit in (3 * len(dataset) * dataset.size**2, len(dataset) * dataset.size**2):
        (tmp_path / "memory.max").write_text(f"{limit}\n")
        pictures = DeviceLoader(Part(dataset, dataset.labels.argsort()), torch.device("cpu"), report)
        kept[pictures.resident] = pictures(torch.arange(5))
    assert set(kept) == {True, False}
    assert all(map(torch.equal, kept[True], kept[False]))
