"""Every network is exported and compared in ONNX Runtime, or the export is refused."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from kanji_tui.engines.graph import opsets
from kanji_tui.errors import KanjiError
from kanji_tui.export.conversion import convert
from kanji_tui.export.targets import TARGETS
from kanji_tui.networks.card import ModelCard
from kanji_tui.networks.recogniser import Recogniser
from kanji_tui.networks.registry import NETWORKS, build

CLASSES = (0x2422, 0x2424, 0x3021, 0x4544)
# These networks' pooling cannot be converted to fixed windows.
ADAPTIVE = ("zoo-efficientnet", "zoo-swin")


def outputs(model: bytes, images: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"input": images})
    return logits


def converted(name: str, target: str) -> tuple[Recogniser, onnx.ModelProto]:
    torch.manual_seed(0)
    recogniser = Recogniser(build(name, len(CLASSES), 32).eval(), 0.1, 0.3).eval()
    return recogniser, convert(recogniser, ModelCard(name, CLASSES, 32), TARGETS[target])


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_exported_at_the_strictest_opset_it_has(name):
    """The strict target is the others' with a batch of 1 and fixed windows; test_onnx_export.py has all targets."""
    target = "tract" if name in ADAPTIVE else "strict"
    recogniser, model = converted(name, target)
    assert opsets(model) == {"ai.onnx": TARGETS[target].opset}
    for count in (1,) if TARGETS[target].batch else (1, 3):
        images = torch.rand(count, 1, 32, 32)
        with torch.no_grad():
            expected = recogniser(images).numpy()
        assert np.allclose(outputs(model.SerializeToString(), images.numpy()), expected, atol=1e-5)


def test_pooling_that_has_no_fixed_window_is_refused():
    name = ADAPTIVE[0]
    with pytest.raises(KanjiError, match=name):
        converted(name, "strict")
