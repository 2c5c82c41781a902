"""Every network as ONNX, at each target's opset and checked in ONNX Runtime, or refused."""

from dataclasses import replace

import numpy as np
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
# Their own pooling cannot be given a fixed window.
REFUSED = {(name, target) for name in ("zoo-efficientnet", "zoo-swin") for target in ("ort-tract", "strict")}


def outputs(model: bytes, pictures: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"input": pictures})
    return logits


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_reaches_each_targets_opset_or_is_refused(name, target):
    torch.manual_seed(0)
    recogniser = Recogniser(build(name, len(CLASSES), 32).eval(), 0.1, 0.3).eval()
    card = ModelCard(name, CLASSES, 32)
    wanted = replace(TARGETS[target], modern=False)  # the modern exporter has no such opset, and says so late
    if (name, target) in REFUSED:
        with pytest.raises(KanjiError, match=name):
            convert(recogniser, card, wanted)
        return
    model, _, _ = convert(recogniser, card, wanted)
    assert opsets(model) == {"ai.onnx": wanted.opset}
    for count in (1,) if wanted.batch else (1, 3):
        pictures = torch.rand(count, 1, 32, 32)
        with torch.no_grad():
            expected = recogniser(pictures).numpy()
        assert np.allclose(outputs(model.SerializeToString(), pictures.numpy()), expected, atol=1e-5)
