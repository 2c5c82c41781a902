from dataclasses import replace

import pytest
import torch

from kanji_tui.errors import KanjiError
from kanji_tui.events import Notice
from kanji_tui.training import step
from kanji_tui.training.config import TrainConfig, configure
from kanji_tui.training.state import TrainState, choose_precision, initial_state

CPU = torch.device("cpu")
STILL = {"rotation": 0.0, "shear": 0.0, "scale": 0.0, "shift": 0.0, "elastic": 0.0, "stroke_width": 0.0}
CONFIG = configure(epochs=1, batch_size=16, precision="float32", **STILL)


def state_of(config: TrainConfig) -> TrainState:
    return initial_state(config, 10, 32, 100, CPU)


def batch(count: int = 16) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    pictures = torch.randint(0, 256, (count, 1, 32, 32), dtype=torch.uint8, generator=random)
    return pictures, torch.arange(count) % 10


def weights(state: TrainState) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in state.network.parameters()])


class Forgetful(torch.nn.Module):
    """A network on a device that holds `most` samples: with more it runs out of memory, on the CPU as on a GPU."""

    def __init__(self, network: torch.nn.Module, most: int) -> None:
        super().__init__()
        self.network, self.most, self.seen = network, most, []

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        if len(pictures) > self.most:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        self.seen.append(len(pictures))
        return self.network(pictures)


def test_out_of_memory_doubles_the_accumulation_steps_with_a_notice(report):
    state = state_of(CONFIG)
    small = state.network = Forgetful(state.network, most=5)
    state.average = None
    before = weights(state)
    step.train_step(state, *batch(), 1, 10, report)
    assert small.seen == [4, 4, 4, 4]
    assert state.accumulation_steps == 4
    assert [notice.message.split("in ")[1] for notice in report.of(Notice)] == [
        "2 micro-batches from now on",
        "4 micro-batches from now on",
    ]
    assert not torch.equal(before, weights(state))
    state.metrics.synchronise()
    assert state.metrics.sums[2] == 16  # every sample counted once
    step.train_step(state, *batch(), 2, 10, report)
    assert small.seen == [4] * 8
    assert len(report.of(Notice)) == 2


def test_a_device_too_small_for_two_samples_ends_the_run(report):
    state = state_of(CONFIG)
    state.network = Forgetful(state.network, most=1)
    with pytest.raises(KanjiError, match="too small for 2 samples"):
        step.train_step(state, *batch(), 1, 10, report)


def test_micro_batches_add_up_to_the_same_gradient(report):
    """With BatchNorm in evaluation mode, for its statistics are each piece's own."""
    found = []
    for steps in (1, 3):
        state = state_of(replace(CONFIG, accumulation_steps=steps))
        state.network.eval()
        step.train_step(state, *batch(), 1, 10, report)
        found.append(torch.cat([p.grad.flatten() for p in state.network.parameters() if p.grad is not None]))
    assert torch.allclose(found[0], found[1], atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("optimiser", ["muon", "adamw", "sgd"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_every_optimiser_fits_one_batch_in_each_precision(optimiser, precision, report):
    rate = 0.05 if optimiser == "sgd" else 2e-3
    state = state_of(replace(CONFIG, epochs=4, optimiser=optimiser, precision=precision, learning_rate=rate))
    losses = []
    for number in range(12):
        state.metrics.reset()
        step.train_step(state, *batch(), number + 8, 10, report)
        state.metrics.synchronise()
        losses.append(state.metrics.loss)
    assert losses[-1] < 0.6 * losses[0]


def test_a_gradient_beyond_float16_moves_the_weights_of_no_optimiser(report):
    """Batches of two: a CPU computes convolutions in float16 slowly."""
    state = state_of(replace(CONFIG, epochs=4, precision="float16", weight_decay=0.1))
    adam, muon = state.optimisers
    first = adam.param_groups[0]["params"][0]
    before = weights(state)
    for spoilt in (float("inf"), float("nan")):
        hook = first.register_hook(lambda gradient, spoilt=spoilt: torch.full_like(gradient, spoilt))
        step.train_step(state, *batch(2), 10, 10, report)
        hook.remove()
        assert torch.equal(before, weights(state))
        assert not muon.state
    state.scaler.update(1.0)  # whatever it came down to, the next gradients fit
    for number in (11, 12):
        step.train_step(state, *batch(2), number, 10, report)
    assert weights(state).isfinite().all()
    assert not torch.equal(before, weights(state))


def test_sgd_is_nesterovs():
    (optimiser,) = state_of(replace(CONFIG, optimiser="sgd", momentum=0.8)).optimisers
    assert isinstance(optimiser, torch.optim.SGD)
    assert all(group["nesterov"] and group["momentum"] == 0.8 for group in optimiser.param_groups)


def test_muon_and_adamw_share_out_all_parameters():
    state = state_of(CONFIG)
    shared = [p for optimiser in state.optimisers for group in optimiser.param_groups for p in group["params"]]
    assert len(shared) == len({id(p) for p in shared}) == len(list(state.network.parameters()))
    assert len(state.optimisers) == 2


def test_precision_is_what_was_asked_for_and_auto_what_the_machine_is_fast_in(monkeypatch):
    assert choose_precision(CPU, "bfloat16", "v2.1") == torch.bfloat16
    assert choose_precision(CPU, "float32", "kanjinet") == torch.float32
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    for native, expected in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda native=native: native)
        assert choose_precision(CPU, "auto", "kanjinet") == expected
        assert choose_precision(CPU, "auto", "kuzushiji") == torch.float32


@pytest.mark.filterwarnings("ignore:Error detected in", "ignore:Anomaly Detection")
def test_detect_anomaly_names_the_operation_that_gave_no_number(report):
    state = state_of(replace(CONFIG, detect_anomaly=True))
    with torch.no_grad():
        next(state.network.parameters()).fill_(float("nan"))
    with torch.autograd.detect_anomaly(), pytest.raises(KanjiError, match="returned nan values"):
        step.train_step(state, *batch(), 1, 10, report)


def test_a_memory_failure_between_two_optimisers_moves_no_weight_twice(report, monkeypatch):
    state = state_of(CONFIG)
    adam, muon = state.optimisers
    moved = []

    def too_late() -> None:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    adam.register_step_post_hook(lambda *_: moved.append("adam"))
    monkeypatch.setattr(muon, "step", too_late)
    with pytest.raises(KanjiError, match="memory ended in the optimiser") as failed:
        step.train_step(state, *batch(), 1, 10, report)
    assert moved == ["adam"]
    assert "last checkpoint is kept" in failed.value.remedy
