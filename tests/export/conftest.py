"""Two networks trained on the small drawn sample: agreement of untrained networks would mean nothing."""

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import Trained, made_once

STEPS = 120


@pytest.fixture(autouse=True)
def untimed(monkeypatch: pytest.MonkeyPatch, forked_children: None) -> None:
    """Few runs per timing, in engines that are forks; in tests/engines they are interpreters."""
    monkeypatch.setattr("kanji_tui.engines.engine.LATENCY_RUNS", 3)
    monkeypatch.setattr("kanji_tui.engines.latency.BATCHES", (1, 4))
    monkeypatch.setattr("kanji_tui.export.verification.SLOW_SECONDS", 1.0)


@pytest.fixture(scope="session")
def models(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A .pth with its best_model_info.json by network name. Read only."""
    home = made_once(tmp_path_factory, "network", lambda home: train("v2.1", trained.data_dir, home))
    return {"kanjinet": trained.model_path, "v2.1": home / "best_kanji_model.pth"}


def copy_of(model: Path, folder: Path) -> Path:
    """The .pth and its best_model_info.json in another folder, which is made."""
    folder.mkdir()
    shutil.copy(model.with_name("best_model_info.json"), folder)
    return Path(shutil.copy(model, folder))


def train(name: str, data_dir: Path, folder: Path) -> None:
    import torch

    from kanji_tui.data.dataset import open_dataset
    from kanji_tui.data.splits import split_dataset
    from kanji_tui.networks import registry
    from kanji_tui.networks.card import ModelCard

    dataset = open_dataset(data_dir)
    split = split_dataset(dataset, "writer", (70.0, 15.0, 15.0), 0)
    card = ModelCard(
        network=name,
        classes=dataset.classes,
        size=dataset.size,
        mean=0.1,
        std=0.3,
        dataset=dataset.name,
        source=dataset.source,
        split={"kind": "writer", "shares": [70.0, 15.0, 15.0], "seed": 0, "dataset_digest": dataset.digest},
    )
    torch.manual_seed(0)
    network = registry.build(name, len(dataset.classes), dataset.size).train()
    optimiser = torch.optim.AdamW(network.parameters(), 4e-3)
    images = (torch.from_numpy(dataset.images(split.train)).float()[:, None] / 255 - card.mean) / card.std
    labels = torch.from_numpy(dataset.labels[split.train]).long()
    for _ in range(STEPS):
        batch = torch.randint(len(images), (32,))
        loss = torch.nn.functional.cross_entropy(network(images[batch]), labels[batch])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 1.0, f"{name} has learned nothing, so its agreement would mean nothing"
    torch.save(network.state_dict(), folder / "best_kanji_model.pth")
    (folder / "best_model_info.json").write_text(json.dumps(card.to_json()), encoding="utf-8")
