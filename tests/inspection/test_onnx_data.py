"""Inspection of models in the test data of the `onnx` package, which others made for other purposes.

Twelve of them in every test run; all light, simple and pytorch models: make test-onnx-data.
"""

import dataclasses
import json
from pathlib import Path

import onnx.backend.test
import pytest

from kanji_tui.engines.engine import ENGINES
from kanji_tui.engines.graph import count_operators
from kanji_tui.engines.loading import load_onnx
from kanji_tui.events import SilentReport
from kanji_tui.inspection.inspect import inspect_models
from kanji_tui.inspection.results import InspectedModel

DATA = Path(onnx.backend.test.__file__).parent / "data"
FOLDERS = ("light", "simple", "pytorch-converted", "pytorch-operator")
# Parameters and MACs, counted from the shapes in the files, and whether tract runs them; ONNX Runtime runs all.
TWELVE: dict[str, tuple[int, int, bool | None]] = {
    "pytorch-converted/test_Conv2d": (4 * 3 * 3 * 2 + 4, (2 * 4 * 5 * 4) * (3 * 3 * 2), True),
    "pytorch-converted/test_Conv2d_groups": (6 * 2 * 3 * 2 + 6, (2 * 6 * 4 * 4) * (2 * 3 * 2), True),
    "pytorch-converted/test_ConvTranspose2d": (3 * 4 * 3 * 3 + 4, (3 * 7 * 6) * (4 * 3 * 3), True),
    "pytorch-converted/test_Embedding": (4 * 3, 0, True),
    "pytorch-converted/test_Linear_no_bias": (8 * 10, 4 * 8 * 10, True),
    "pytorch-converted/test_MaxPool2d": (0, 0, True),
    "pytorch-operator/test_operator_convtranspose": (3 * 3 * 3 * 3, (2 * 3 * 4 * 5) * (3 * 3 * 3), True),
    "pytorch-operator/test_operator_symbolic_override": (10 + 10, 0, True),
    "simple/test_single_relu_model": (0, 0, True),
    "simple/test_shrink": (0, 0, True),
    "simple/test_sequence_model1": (0, 0, False),  # tract lacks sequences
    "simple/test_strnorm_model_monday_casesensintive_nochangecase": (
        0,
        0,
        None,
    ),  # its Python package lacks strings
}


def inspected(paths: list[Path]) -> dict[Path, InspectedModel]:
    """The models, with everything checked that holds for any model. Timings of 3 runs instead of 30."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("kanji_tui.engines.engine.LATENCY_RUNS", 3)
        models = dict(zip(paths, inspect_models(tuple(paths), SilentReport()).models, strict=True))
    for path, model in models.items():
        assert isinstance(model, InspectedModel), model
        json.dumps(dataclasses.asdict(model))
        assert model.operators == count_operators(load_onnx(path)), path
        assert sum(layer.parameters for layer in model.layers) == model.parameters, path
        assert sum(layer.macs for layer in model.layers) == model.macs, path
        for name in ENGINES:
            support = model.backends[name]
            assert support.runs is True or support.reason, path
            assert support.latency is None or support.latency.inputs.keys() == model.ran_on.keys(), path
    return models


@pytest.fixture(scope="module")
def twelve() -> dict[Path, InspectedModel]:
    return inspected([DATA / name / "model.onnx" for name in TWELVE])


@pytest.mark.parametrize("name", TWELVE)
def test_twelve_models(twelve: dict[Path, InspectedModel], name: str) -> None:
    model = twelve[DATA / name / "model.onnx"]
    parameters, macs, tract = TWELVE[name]
    assert (model.parameters, model.macs) == (parameters, macs)
    assert model.backends["onnxruntime"].runs is True
    assert model.backends["tract"].runs is tract


@pytest.mark.onnx_data
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("folder", FOLDERS)
def test_every_model(folder: str) -> None:
    """Whatever they are, an engine runs them or says why not."""
    paths = sorted((DATA / folder).rglob("*.onnx"))
    assert len(paths) == len(inspected(paths)) > 8
