"""The same answers: logits, scores, saliency and exports of a trained network, on the device and on the CPU."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gpu_parts import Bench, Figures, require
from gpu_parts.runs import trained
from kanji_tui.data.dataset import Dataset, open_dataset
from kanji_tui.data.splits import split_as_stored
from kanji_tui.engines.engine import ENGINES, Engine, engine_version
from kanji_tui.engines.parity import Comparison
from kanji_tui.events import SilentReport
from kanji_tui.export.conversion import convert
from kanji_tui.export.readback import read_back
from kanji_tui.export.targets import TARGETS
from kanji_tui.export.verification import run_logits, torch_logits
from kanji_tui.networks.card import ModelCard
from kanji_tui.networks.recogniser import Recogniser
from kanji_tui.paths import MODEL_INFO
from kanji_tui.recognition.evaluation import evaluate
from kanji_tui.recognition.results import Evaluation
from kanji_tui.recognition.saliency import saliency
from kanji_tui.recognition.weights import load_recogniser
from kanji_tui.system.files import read_json
from kanji_tui.training.data import Part
from kanji_tui.training.loader import DeviceLoader
from kanji_tui.training.metrics import score
from kanji_tui.training.results import Metrics

MOST = 1000  # pictures compared
EXACT = 1e-4  # of the largest logit, in float32
# In TF32, which PyTorch lets convolutions on a GPU use: products keep 10 bits after the point, 1e-3 of a value.
TF32 = 5e-3
MAP = 0.05  # of a saliency map's 0-1


def answers(bench: Bench) -> Figures:
    """Each answer within its tolerance: `EXACT` and `TF32` relative to the largest logit, `MAP` for saliency."""
    weights, data_dir = trained(bench)
    host, card = load_recogniser(weights)
    device = deepcopy(host).to(bench.device)
    dataset = open_dataset(data_dir)
    split = split_as_stored(dataset, card.split).test
    pictures = dataset.images(split[:MOST])
    inputs = pictures[:, None].astype(np.float32) / np.float32(255)
    found = bench.found
    found["logits"] = _logits(bench, host, device, inputs)
    found["scores"] = {name: asdict(each) for name, each in _scores(bench, host, device, dataset, split).items()}
    found["evaluate"] = _evaluated(bench, weights, data_dir)
    found["saliency"] = _saliency(bench, host, device, pictures[:3])
    found["exports"] = _exports(bench, host, card, inputs)
    return found


def _logits(bench: Bench, host: Recogniser, device: Recogniser, inputs: np.ndarray) -> Figures:
    reference = torch_logits(host, inputs)
    figures: Figures = {"samples": len(inputs)}
    for name, allowed, tolerance in (("float32", False, EXACT), ("TF32", True, TF32)):
        with tf32(allowed), torch.inference_mode():
            found = device(torch.from_numpy(inputs).to(bench.device)).cpu().numpy()
        difference = float(np.abs(found - reference).max())
        largest = max(1.0, float(np.abs(reference).max()))
        same = float((found.argmax(1) == reference.argmax(1)).mean())
        figures[name] = {"largest_difference": difference, "largest_logit": largest, "same_first_choice": same}
        bench.say(
            f"logits, {name}: {difference:.2g} apart at most, of {largest:.1f}; first choice alike {same:.2%}"
        )
        require(difference <= tolerance * largest, f"logits, {name}: {difference:.3g} apart, of {largest:.1f}")
    return figures


@contextmanager
def tf32(allowed: bool) -> Iterator[None]:
    """Whether convolutions on a GPU may compute in TF32; PyTorch lets them unless told otherwise."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = allowed
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


def _scores(
    bench: Bench, host: Recogniser, device: Recogniser, dataset: Dataset, split: np.ndarray
) -> dict[str, Metrics]:
    """The trainer's own figures of the test split, on the device and on the CPU."""
    found = {}
    for name, recogniser, where in (("device", device, bench.device), ("cpu", host, torch.device("cpu"))):
        pictures = DeviceLoader(Part(dataset, split), where, SilentReport())
        found[name] = score(recogniser.network, pictures, where, len(dataset.classes), "test", SilentReport())
    alike(found["device"], found["cpu"], len(split))
    for name, figures in found.items():
        bench.say(f"scores on the {name}: top-1 {figures.top1:.2%}, loss {figures.loss:.4f}")
    return found


def _evaluated(bench: Bench, weights: Path, data_dir: Path) -> Figures:
    """What the command `evaluate` finds, on the device it chooses, against the test of the run that trained it."""
    found = evaluate(weights, data_dir, "test", None, SilentReport())
    tested = Metrics(**read_json(weights.with_name(MODEL_INFO))["metrics"]["test"])
    bench.say(f"evaluate: top-1 {found.top1:.2%}, loss {found.loss:.4f}; the run's own test {tested.top1:.2%}")
    alike(found, tested, found.samples)
    return {"top1": found.top1, "loss": found.loss, "of_the_run": asdict(tested)}


def alike(one: Metrics | Evaluation, other: Metrics, samples: int) -> None:
    """Failed where more than two samples fell to the other side, or the losses differ by more than a hundredth."""
    for name in ("top1", "top3", "top5"):
        apart = abs(getattr(one, name) - getattr(other, name))
        require(apart <= 2.5 / samples, f"{name} is {getattr(one, name):.4f} and {getattr(other, name):.4f}")
    require(
        abs(one.loss - other.loss) <= 1e-2 * max(0.1, other.loss), f"the losses are {one.loss} and {other.loss}"
    )


def _saliency(bench: Bench, host: Recogniser, device: Recogniser, pictures: np.ndarray) -> Figures:
    apart = []
    for picture in pictures:
        one, other = saliency(host, picture), saliency(device, picture)
        require((one.method, one.output) == (other.method, other.output), f"{one.method} and {other.method} differ")
        apart.append(float(np.abs(one.map - other.map).max()))
    bench.say(f"saliency by {one.method}: maps {max(apart):.2g} apart at most")
    require(max(apart) <= MAP, f"the saliency maps are {max(apart):.3g} apart")
    return {"method": one.method, "largest_difference": max(apart)}


def _exports(bench: Bench, host: Recogniser, card: ModelCard, inputs: np.ndarray) -> Figures:
    """A file for every target, read back, its logits in each engine that is installed against PyTorch's."""
    reference = torch_logits(host, inputs)
    here = [engine for engine in ENGINES if find_spec(engine)]
    figures: Figures = {"engines": here, "not_installed": [engine for engine in ENGINES if engine not in here]}
    for target in TARGETS.values():
        path = bench.folder / f"{target.name}.onnx"
        path.write_bytes(convert(host, card, target).SerializeToString())
        read_back(path, target, card)
        parities: dict[str, Any] = {}
        for name in here:
            comparison = Comparison()
            with Engine(name) as engine:
                comparison.add(reference, run_logits(engine, path, target, inputs))
            parities[name] = asdict(comparison.result(engine_version(name)))
            apart = parities[name]["max_logit_difference"]
            require(parities[name]["passed"], f"the {target.name} file's logits in {name} are {apart:.3g} apart")
            bench.say(f"export {target.name} in {name}: logits {apart:.2g} apart at most")
        figures[target.name] = parities
    return figures
