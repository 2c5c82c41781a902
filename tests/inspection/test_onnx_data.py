"""Inspection of models in the test data of the `onnx` package, which others made for other purposes.

Twelve of them in every test run; all light, simple and pytorch models: make test-onnx-data.
"""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import onnx.backend.test
import pytest

from kanji_tui.engines.engine import ENGINES, Engine
from kanji_tui.engines.graph import count_operators
from kanji_tui.engines.loading import load_onnx
from kanji_tui.events import SilentReport
from kanji_tui.inspection.inspect import inspect_model
from kanji_tui.inspection.results import InspectedModel

DATA = Path(onnx.backend.test.__file__).parent / "data"
FOLDERS = ("light", "simple", "pytorch-converted", "pytorch-operator")
ALL = [path for folder in FOLDERS for path in sorted((DATA / folder).rglob("*.onnx"))]
Engines = tuple[Engine, Engine]


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    """Both engines for all models; timings of 3 runs instead of 30."""
    with pytest.MonkeyPatch.context() as patched, Engine(ENGINES[0]) as onnxruntime, Engine(ENGINES[1]) as tract:
        patched.setattr("kanji_tui.engines.engine.LATENCY_RUNS", 3)
        yield onnxruntime, tract


def inspected(path: Path, engines: Engines) -> InspectedModel:
    """The model, with everything checked that holds for any model."""
    model = inspect_model(path, *engines, SilentReport())
    json.dumps(dataclasses.asdict(model))
    assert model.operators == count_operators(load_onnx(path))
    assert sum(layer.parameters for layer in model.layers) == model.parameters
    assert sum(layer.macs for layer in model.layers) == model.macs
    for name in ENGINES:
        support = model.backends[name]
        assert support.runs is not False or support.reason
        assert support.runs is not None or support.reason.startswith("not ")
        assert support.latency is None or support.latency.inputs == model.ran_on
        assert support.probed + len(support.not_probed) == len(model.nodes) or not model.nodes
    return model


@pytest.mark.parametrize(
    ("name", "parameters", "macs", "tract"),
    [
        ("pytorch-converted/test_Conv2d", 4 * 3 * 3 * 2 + 4, (2 * 4 * 5 * 4) * (3 * 3 * 2), True),
        ("pytorch-converted/test_Conv2d_groups", 6 * 2 * 3 * 2 + 6, (2 * 6 * 4 * 4) * (2 * 3 * 2), True),
        ("pytorch-converted/test_ConvTranspose2d", 3 * 4 * 3 * 3 + 4, (3 * 7 * 6) * (4 * 3 * 3), True),
        ("pytorch-converted/test_Embedding", 4 * 3, 0, True),
        ("pytorch-converted/test_Linear_no_bias", 8 * 10, 4 * 8 * 10, True),
        ("pytorch-converted/test_MaxPool2d", 0, 0, True),
        ("pytorch-operator/test_operator_convtranspose", 3 * 3 * 3 * 3, (2 * 3 * 4 * 5) * (3 * 3 * 3), True),
        ("pytorch-operator/test_operator_symbolic_override", 10 + 10, 0, True),
        ("simple/test_single_relu_model", 0, 0, True),
        ("simple/test_shrink", 0, 0, True),
        ("simple/test_sequence_model1", 0, 0, False),
        ("simple/test_strnorm_model_monday_casesensintive_nochangecase", 0, 0, None),
    ],
)
def test_twelve_models(engines: Engines, name: str, parameters: int, macs: int, tract: bool | None) -> None:
    """ONNX Runtime runs all of them; tract lacks sequences, and its Python package lacks strings."""
    model = inspected(DATA / name / "model.onnx", engines)
    assert (model.parameters, model.macs) == (parameters, macs)
    assert model.backends["onnxruntime"].runs is True
    assert model.backends["tract"].runs is tract


@pytest.mark.onnx_data
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("path", ALL, ids=lambda path: str(path.relative_to(DATA)))
def test_every_model(engines: Engines, path: Path) -> None:
    """Whatever it is, an engine runs it or says why not."""
    inspected(path, engines)
