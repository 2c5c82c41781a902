"""Every network is exported at each target's opset and compared in ONNX Runtime, or the export is refused."""

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
# These networks' pooling cannot be converted to fixed windows.
REFUSED = {(name, target) for name in ("zoo-efficientnet", "zoo-swin") for target in ("ort-tract", "strict")}


def outputs(model: bytes, images: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"input": images})
    return logits


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_exported_at_each_targets_opset_or_refused(name, target):
    torch.manual_seed(0)
    recogniser = Recogniser(build(name, len(CLASSES), 32).eval(), 0.1, 0.3).eval()
    card = ModelCard(name, CLASSES, 32)
    wanted = replace(TARGETS[target], dynamo=False)  # the dynamo exporter lacks this opset, and fails slowly
    if (name, target) in REFUSED:
        with pytest.raises(KanjiError, match=name):
            convert(recogniser, card, wanted)
        return
    model, _, _ = convert(recogniser, card, wanted)
    assert opsets(model) == {"ai.onnx": wanted.opset}
    for count in (1,) if wanted.batch else (1, 3):
        images = torch.rand(count, 1, 32, 32)
        with torch.no_grad():
            expected = recogniser(images).numpy()
        assert np.allclose(outputs(model.SerializeToString(), images.numpy()), expected, atol=1e-5)
