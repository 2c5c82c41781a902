from dataclasses import replace

import pytest
import torch

from kanji_tui.errors import KanjiError
from kanji_tui.events import Notice
from kanji_tui.training import muon, step
from kanji_tui.training.config import TrainConfig, configure
from kanji_tui.training.precision import choose_precision, newton_schulz_precision
from kanji_tui.training.state import TrainState, initial_state

CPU = torch.device("cpu")
STILL = {"rotation": 0.0, "shear": 0.0, "scale": 0.0, "shift": 0.0, "elastic": 0.0, "stroke_width": 0.0}
# The smallest network, which Muon has two shapes of weights to update of.
CONFIG = configure("v1", "standard", epochs=1, batch_size=16, precision="float32", **STILL)


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
    rate = 0.2 if optimiser == "sgd" else 2e-3
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
    adam, convolutions = state.optimisers
    first = adam.param_groups[0]["params"][0]
    before = weights(state)
    for spoilt in (float("inf"), float("nan")):
        hook = first.register_hook(lambda gradient, spoilt=spoilt: torch.full_like(gradient, spoilt))
        step.train_step(state, *batch(2), 10, 10, report)
        hook.remove()
        assert torch.equal(before, weights(state))
        assert not any(kept["momentum"].any() for kept in convolutions.state.values())
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
        assert newton_schulz_precision(CPU, torch.bfloat16) == expected
        assert newton_schulz_precision(CPU, torch.float16) == torch.float32


@pytest.mark.filterwarnings("ignore:Error detected in", "ignore:Anomaly Detection")
def test_detect_anomaly_names_the_operation_that_gave_no_number(report):
    state = state_of(replace(CONFIG, detect_anomaly=True))
    with torch.no_grad():
        next(state.network.parameters()).fill_(float("nan"))
    with torch.autograd.detect_anomaly(), pytest.raises(KanjiError, match="returned nan values"):
        step.train_step(state, *batch(), 1, 10, report)


class MemoryThatEnds:
    """In place of a function: computes as it does, but for the calls in `fails`, in which the memory ends."""

    def __init__(self, function, *fails: int) -> None:
        self.function, self.fails, self.calls = function, fails, 0

    def __call__(self, *arguments, **named):
        self.calls += 1
        if self.calls in self.fails:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return self.function(*arguments, **named)


def trained_weights(report, steps: int = 3, **settings) -> tuple[TrainState, torch.Tensor]:
    """After some steps; BatchNorm in evaluation mode, for its statistics are each piece's own."""
    state = state_of(replace(CONFIG, **settings))
    state.network.eval()
    for number in range(1, steps + 1):
        step.train_step(state, *batch(), number, 10, report)
    return state, weights(state)


@pytest.mark.parametrize(
    ("where", "fails"),
    [("muon.orthogonal", (1,)), ("muon.orthogonal", (2, 4)), ("step.get_total_norm", (1,))],
    ids=["in the first step", "after Muon computed a part, twice", "clipping"],
)
def test_memory_that_ends_in_the_optimiser_ends_in_no_weight_and_the_batch_is_tried_again(
    where, fails, report, monkeypatch
):
    settings = {"clip_norm": 1e-3}
    steps = 4 if len(fails) == 2 else 2
    _, expected = trained_weights(report, accumulation_steps=steps, **settings)
    place = f"kanji_tui.training.{where}"
    module, name = {"muon.orthogonal": (muon, "orthogonal"), "step.get_total_norm": (step, "get_total_norm")}[where]
    begun = state_of(replace(CONFIG, **settings))  # an optimiser's room is made before the memory ends
    monkeypatch.setattr(place, ends := MemoryThatEnds(getattr(module, name), *fails))
    begun.network.eval()
    for number in range(1, 4):
        step.train_step(begun, *batch(), number, 10, report)
    assert ends.calls > max(fails)
    assert begun.accumulation_steps == steps
    assert "micro-batches from now on" in report.of(Notice)[-1].message
    assert torch.equal(weights(begun), expected)
    begun.metrics.synchronise()
    assert begun.metrics.sums[2] == 3 * 16


def test_memory_that_ends_once_a_weight_is_changed_ends_the_run(report, monkeypatch):
    state = state_of(CONFIG)
    adam, second = state.optimisers
    moved = []
    second.register_step_post_hook(lambda *_: moved.append("muon"))
    monkeypatch.setattr(adam, "step", MemoryThatEnds(adam.step, 1))
    with pytest.raises(KanjiError, match="memory ended in the optimiser") as failed:
        step.train_step(state, *batch(), 1, 10, report)
    assert moved == ["muon"]
    assert "checkpoint it has written is kept" in failed.value.remedy


def test_float16_takes_its_gradients_again_where_the_memory_ended_in_the_optimiser(report, monkeypatch):
    state = state_of(replace(CONFIG, precision="float16"))
    before = weights(state)
    state.scaler.load_state_dict(
        {**state.scaler.state_dict(), "scale": 2.0}
    )  # which no gradient here is too large for
    monkeypatch.setattr(muon, "orthogonal", MemoryThatEnds(muon.orthogonal, 1))
    step.train_step(state, *batch(4), 1, 10, report)
    assert state.accumulation_steps == 2
    assert state.scaler.get_scale() == 2.0
    assert weights(state).isfinite().all()
    assert not torch.equal(before, weights(state))


@pytest.mark.parametrize("optimiser", ["muon", "adamw", "adam", "sgd"])
def test_room_for_the_optimiser_is_made_before_the_first_step_and_changes_nothing(optimiser, report, monkeypatch):
    """All that it keeps lies where it lay; steps are to the last bit those of optimisers without that room."""
    settings = {"optimiser": optimiser, "weight_decay": 0.1}
    made = state_of(replace(CONFIG, **settings))
    kept = [tensor for each in made.optimisers for entry in each.state.values() for tensor in entry.values()]
    assert len(kept) >= len(list(made.network.parameters()))
    assert not any(tensor.any() for tensor in kept)
    step.train_step(made, *batch(4), 1, 10, report)
    after = [tensor for each in made.optimisers for entry in each.state.values() for tensor in entry.values()]
    assert all(one is other for one, other in zip(kept, after, strict=True))
    monkeypatch.setattr("kanji_tui.training.state.make_room", lambda optimisers: None)
    bare = state_of(replace(CONFIG, **settings))
    step.train_step(bare, *batch(4), 1, 10, report)
    assert torch.equal(weights(bare), weights(made))


def test_a_device_too_small_for_the_network_is_a_sentence(monkeypatch):
    monkeypatch.setattr("kanji_tui.training.state.make_room", MemoryThatEnds(None, 1))
    with pytest.raises(KanjiError, match="too small for the network and what its optimiser keeps"):
        state_of(CONFIG)
