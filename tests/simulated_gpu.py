"""A GPU that is not there: tensors that say they are on cuda:0 and are computed on the CPU, by PyTorch's own rules.

Each operation, those of backward passes and fused optimisers too, is first given to PyTorch's FakeTensorMode, with
fake tensors on the devices that the true ones say they are on. It raises FakeTensorDeviceMismatchError where
devices mix, and it knows where a result lies. Then the CPU computes it: what comes out can be held against the
CPU's, to the last bit. (With fake tensors alone a CPU build of torch indexes nothing on cuda and does no backward
pass there.)

`machine_with_gpu` also stands in for what of torch.cuda the program asks; `Waits` counts the waits of the host for
the GPU. What it cannot show: kernels, speed, memory that ends, anything asynchronous, NCCL.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import torch
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensor,
    FakeTensorMode,
)
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map, tree_map_only

GPU, CPU = torch.device("cuda", 0), torch.device("cpu")
NAME, UUID = "NVIDIA Simulated", "5f3c0b1e-0000-0000-0000-000000000001"
MEMORY = 80 * 2**30
aten = torch.ops.aten


class OnGpu(torch.Tensor):
    """A tensor that says it is on cuda:0; its numbers are in `held`, on the CPU."""

    held: torch.Tensor
    leaving: ClassVar[bool] = False  # .to("cpu") or .cpu() is at work

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> "OnGpu":
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            layout=held.layout,
            device=CPU,
        )
        made.held = held
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return compute(func, args, kwargs or {})

    @property
    def device(self) -> torch.device:
        return GPU

    @property
    def is_cuda(self) -> bool:
        return True

    def to(self, *args: Any, copy: bool = False, **kwargs: Any) -> torch.Tensor:
        device, dtype, non_blocking, memory_format = torch._C._nn._parse_to(*args, **kwargs)
        if device is None or device.type == "cuda":
            return true_to(
                self, copy=copy, dtype=dtype or self.dtype, memory_format=memory_format or torch.preserve_format
            )
        OnGpu.leaving = True
        try:
            return aten._to_copy(
                self, device=device, dtype=dtype, non_blocking=non_blocking, memory_format=memory_format
            )
        finally:
            OnGpu.leaving = False

    def cpu(self) -> torch.Tensor:
        return self.to(CPU)

    def tolist(self) -> Any:
        Waits.count += 1
        return self.held.tolist()

    def numpy(self, *, force: bool = False) -> Any:
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() first")

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        return self.numpy()

    def __reduce_ex__(self, protocol: Any) -> Any:
        """As a file written on a GPU is read with map_location="cpu"."""
        return self.held.__reduce_ex__(protocol)

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return f"OnGpu({self.held!r})"


class Waits:
    """How often the host has waited for a value of the GPU."""

    count: ClassVar[int] = 0


KNOWN: dict[Any, list[str]] = {}  # what they said: it depends on the operation and on where its inputs lie
NO_RULE = ("not linked with support for cuda", "Could not run")  # a few need a true GPU to be asked


@cache
def rules() -> FakeTensorMode:
    """Made with the first tensor: it loads the compiler of torch."""
    return FakeTensorMode()


def compute(func: Any, args: Any, kwargs: Any) -> Any:
    """One operation: PyTorch's rules with fake tensors first, then the numbers on the CPU."""
    if kwargs.get("pin_memory"):
        kwargs = {**kwargs, "pin_memory": False}
    if func is aten._to_copy.default and isinstance(args[0], OnGpu) and not OnGpu.leaving:
        kwargs = {**kwargs, "device": None}  # torch's C++, in a gradient: it takes the tensor to be on the CPU
    inputs = tree_leaves((args, kwargs))
    touched = any(isinstance(leaf, OnGpu) for leaf in inputs)
    if not touched and not any(isinstance(leaf, torch.device) and leaf.type == "cuda" for leaf in inputs):
        return func(*args, **kwargs)
    key = (func, *(_place(leaf) for leaf in inputs if isinstance(leaf, torch.Tensor | torch.device)))
    if key not in KNOWN:
        KNOWN[key] = _devices(func, args, kwargs)
    devices = KNOWN[key]
    for generator in (leaf for leaf in inputs if isinstance(leaf, torch._C.Generator)):
        if generator._cdata not in Generator.on_gpu:
            raise RuntimeError("Expected a 'cuda' device type for generator but found 'cpu'")
    if touched and _waits(func, args, kwargs, devices):
        Waits.count += 1
    held_args, held_kwargs = tree_map(_held, (args, kwargs))
    found = func(*held_args, **held_kwargs)
    if "cpu" in devices:
        return found
    made = tree_map_only(torch.Tensor, OnGpu, found)
    return return_and_correct_aliasing(func, args, kwargs, made) if touched else made


def _place(leaf: Any) -> Any:
    return (leaf.device.type, leaf.dim() == 0) if isinstance(leaf, torch.Tensor) else leaf.type


def _devices(func: Any, args: Any, kwargs: Any) -> list[str]:
    """On which devices the results lie, by PyTorch's rules; "host": the host waits for what it is."""
    fake_args, fake_kwargs = tree_map(_fake, (args, kwargs))
    try:
        with rules():
            found = func(*fake_args, **fake_kwargs)
    except (DataDependentOutputException, DynamicOutputShapeException):
        return ["host"] if func is aten._local_scalar_dense.default else ["cuda", "host"]
    except RuntimeError as error:
        if not any(words in str(error) for words in NO_RULE):
            raise
        places = {leaf.device.type for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)}
        assert places == {"cuda"}, f"Expected all tensors to be on the same device, but found {places}"
        return ["cuda"]
    return [leaf.device.type for leaf in tree_leaves(found) if isinstance(leaf, torch.Tensor)]


def _waits(func: Any, args: Any, kwargs: Any, devices: list[str]) -> bool:
    """Whether the host waits for it: it needs a value, or copies one without asking for less."""
    if func is aten._to_copy.default:
        return "cpu" in devices and not kwargs.get("non_blocking")
    if func is aten.copy_.default:
        return not isinstance(args[0], OnGpu) and not (args[2] if len(args) > 2 else kwargs.get("non_blocking"))
    return "host" in devices


def _fake(leaf: Any) -> Any:
    if isinstance(leaf, torch._C.Generator):
        return None
    if not isinstance(leaf, torch.Tensor):
        return leaf
    with rules():
        return torch.empty_strided(leaf.size(), leaf.stride(), dtype=leaf.dtype, device=leaf.device)


def _held(leaf: Any) -> Any:
    if isinstance(leaf, OnGpu):
        return leaf.held
    return CPU if isinstance(leaf, torch.device) else leaf


class Simulation(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return compute(func, args, kwargs or {})


class Generator(torch.Generator):
    """As on a GPU: its state has 16 bytes. It draws what the CPU's draws."""

    kept: ClassVar[list[torch.Tensor]] = []
    on_gpu: ClassVar[set[int]] = set()
    place: torch.device

    def __new__(cls, device: Any = "cpu") -> "Generator":
        made = super().__new__(cls)
        made.place = torch.device(device)
        (cls.on_gpu.add if made.place.type == "cuda" else cls.on_gpu.discard)(made._cdata)
        return made

    @property
    def device(self) -> torch.device:
        return self.place

    def get_state(self) -> torch.Tensor:
        state = super().get_state()
        if self.place.type == "cpu":
            return state
        self.kept.append(state)
        return torch.tensor([len(self.kept) - 1, 0]).view(torch.uint8)

    def set_state(self, state: torch.Tensor) -> "Generator":
        if self.place.type == "cuda":
            _expect_state(state)
        super().set_state(state if self.place.type == "cpu" else self.kept[int(state.view(torch.int64)[0])])
        return self


true_to, true_grouping = torch.Tensor.to, torch._C._group_tensors_by_device_and_dtype


def _group(*arguments: Any) -> Any:
    """As torch's C++ groups tensors, which takes all to be on the CPU; those of two devices it refuses."""
    made = {}
    for (_, dtype), (lists, places) in true_grouping(*arguments).items():
        (device,) = {tensor.device for tensors in lists for tensor in tensors if tensor is not None}
        made[device, dtype] = lists, places
    return made


def _to(tensor: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    """Tensor.to, for a CPU build of torch has no way to cuda (and its gradient none back)."""
    if isinstance(tensor, FakeTensor) or "copy" in kwargs:
        return true_to(tensor, *args, **kwargs)
    device, dtype, _, memory_format = torch._C._nn._parse_to(*args, **kwargs)
    if device is None or device.type != "cuda":
        return true_to(tensor, *args, **kwargs)
    assert not (tensor.requires_grad and torch.is_grad_enabled()), "the simulation has no gradient from GPU to CPU"
    layout = memory_format or torch.preserve_format
    return OnGpu(aten._to_copy(tensor.detach(), dtype=dtype, memory_format=layout))


@dataclass
class Event:
    enable_timing: bool = False
    recorded: int = 0

    def record(self) -> None:
        self.recorded += 1

    def query(self) -> bool:
        return True

    def elapsed_time(self, end: "Event") -> float:
        return 1.0


class AutocastOnCpu(torch.autocast):
    """autocast on "cuda" casts what lies on the simulated GPU; autocast on "cpu" leaves it alone."""

    def __init__(self, device_type: str, dtype: Any = None, enabled: bool = True) -> None:
        now = torch.is_autocast_enabled("cpu")
        super().__init__("cpu", dtype, enabled=enabled if device_type == "cuda" else now)


def _expect_state(state: torch.Tensor) -> None:
    assert type(state) is torch.Tensor, "RNG state must be a torch.ByteTensor on the CPU"
    assert state.shape == (16,), "RNG state is wrong size"


@contextmanager
def machine_with_gpu() -> Iterator[None]:
    """Within it this machine has one GPU, and torch is built for CUDA."""
    properties = SimpleNamespace(name=NAME, uuid=UUID, major=9, minor=0, total_memory=MEMORY)
    answers = {
        "is_available": lambda: True,
        "_lazy_init": lambda: None,
        "device_count": lambda: 1,
        "current_device": lambda: 0,
        "set_device": lambda device: None,
        "get_device_name": lambda device=None: NAME,
        "get_device_properties": lambda device=None: properties,
        "get_device_capability": lambda device=None: (9, 0),
        "mem_get_info": lambda device=None: (MEMORY, MEMORY),
        "memory_reserved": lambda device=None: 0,
        "memory_allocated": lambda device=None: 0,
        "max_memory_reserved": lambda device=None: 2**20,
        "synchronize": lambda device=None: None,
        "get_rng_state": lambda device: torch.zeros(16, dtype=torch.uint8),
        "set_rng_state": lambda state, device: _expect_state(state),
        "Event": Event,
    }
    with pytest.MonkeyPatch.context() as monkeypatch, Simulation():
        for name, answer in answers.items():
            monkeypatch.setattr(torch.cuda, name, answer)
        monkeypatch.setattr(torch, "Generator", Generator)
        monkeypatch.setattr(torch, "autocast", AutocastOnCpu)
        monkeypatch.setattr(torch.cuda.amp.common, "amp_definitely_not_available", lambda: False)
        monkeypatch.setattr(torch._C, "_group_tensors_by_device_and_dtype", _group)
        monkeypatch.setattr(torch.Tensor, "to", _to)
        monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self, device=None: self)
        # A module that moves gets new parameters; those of one device it would change in place.
        monkeypatch.setattr(torch, "_has_compatible_shallow_copy_type", lambda *both: OnGpu not in map(type, both))
        Waits.count = 0
        yield
