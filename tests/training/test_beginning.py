"""From which models a training can begin, and what is advised where it cannot."""

from pathlib import Path

import pytest

from kanji_tui.errors import KanjiError
from kanji_tui.networks.card import ModelCard
from kanji_tui.training import beginning
from kanji_tui.training.config import configure


def refusal(network: str, size: int, own: str, own_size: int, **config) -> KanjiError:
    """Why a training of `own` cannot begin from a model of `network` for images of `size` pixels a side."""
    card = ModelCard(network, (0x2422, 0x3021, 0x3026), size)
    with pytest.raises(KanjiError) as refused:
        beginning.require_same_network(Path("m.pth"), card, configure(own, **config), own_size)
    return refused.value


@pytest.fixture
def _depends_on_size(monkeypatch):
    """As zoo-vit, which takes a second to load: some layers depend on the size of the images."""
    monkeypatch.setattr(beginning, "_shapes", lambda card, size: size)


@pytest.mark.parametrize("network", ["kanjinet", "v1", "vit"])
def test_layers_that_take_every_size_are_no_reason_to_refuse(network: str) -> None:
    card = ModelCard(network, (0x2422, 0x3021, 0x3026), 64)
    beginning.require_same_network(Path("m.pth"), card, configure(network), 32)


def test_another_network_is_no_matter_of_the_size() -> None:
    refused = refusal("v2.1", 64, "kanjinet", 32)
    assert refused.message == "m.pth holds a v2.1; a training of a kanjinet cannot begin from it"
    assert "--network v2.1" in refused.remedy
    assert "--size" not in refused.remedy


@pytest.mark.usefixtures("_depends_on_size")
def test_another_size_is_no_matter_of_the_network() -> None:
    refused = refusal("kanjinet", 32, "kanjinet", 64)
    assert "holds a kanjinet for images of 32x32; a training of a kanjinet for images of 64x64" in refused.message
    assert "kanji-tui prepare --size 32" in refused.remedy
    assert "--network" not in refused.remedy


@pytest.mark.usefixtures("_depends_on_size")
def test_both_are_advised_where_both_differ_and_writers_write_one_size_alone() -> None:
    both = refusal("v1", 32, "kanjinet", 64)
    assert "--network v1, and prepare the dataset at that size: kanji-tui prepare --size 32" in both.remedy
    of_writers = refusal("kanjinet", 32, "kanjinet", 64, synthetic=4)
    assert "learn from a dataset of that size instead" in of_writers.remedy
