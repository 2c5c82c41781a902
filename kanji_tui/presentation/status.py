"""The status in a line: a job's progress, the GPUs, and without a job the contents of the workspace.

Imports nothing that would delay the first paint of the workbench.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from kanji_tui.data.defaults import SYNTHETIC_SOURCE
from kanji_tui.presentation import marks
from kanji_tui.presentation.document import Document, Line, Styled, join, quiet
from kanji_tui.system import numbers

if TYPE_CHECKING:
    from kanji_tui.events import Gpu, Progress
    from kanji_tui.workspace.gpu_history import GpuHistory
    from kanji_tui.workspace.run_views import RunView
    from kanji_tui.workspace.snapshot import WorkspaceSnapshot
    from kanji_tui.workspace.state import State

BAR = 12
GAP = "  "
READING = "reading the workspace"


def state_of(view: "RunView") -> Styled:
    """A run's state; a run that was asked to stop is stopping."""
    return marks.state("stopping" if view.stopping else view.state, view.problem)


def share_of(progress: "Progress", width: int) -> Line:
    """A bar of `width` cells and the percentage; the total must be known."""
    done = progress.done / progress.total
    return join("", [marks.bar(done, width), f" {numbers.percent(done, 0):>5}"])


def progress_parts(progress: "Progress") -> Iterator[Line]:
    """Bar and percentage, phase, time left."""
    if progress.total:
        yield share_of(progress, BAR)
    yield f"{progress.phase} {progress.item}".strip()
    if progress.remaining is not None:
        yield f"{numbers.duration(progress.remaining)} left"


def job_line(view: "RunView") -> Line:
    """A running job: progress, rate, time left."""
    progress = view.progress
    if progress is None:
        return Styled(f"{view.job} is starting", "primary")
    parts: list[Line] = [Styled(view.job, "primary strong"), *progress_parts(progress)]
    if progress.rate is not None:
        parts.append(numbers.rate(progress.rate, progress.unit))
    if progress.bytes_per_second:
        parts.append(quiet(f"{numbers.size(progress.bytes_per_second)}/s"))
    return join(GAP, parts)


def model_missing(state: "State") -> Line:
    """What to do where there is no model yet."""
    if state.active("train"):
        return marks.next_step("a model is being trained: press 3 to watch it")
    return marks.next_step("press 3 to train a model")


def dataset_missing(state: "State") -> Line:
    """What to do where there is no dataset yet."""
    if state.active("sample", "prepare"):
        return marks.next_step("a dataset is being made: press 2 to watch it")
    return marks.next_step("press 2 to prepare a dataset")


def running_line(views: "Sequence[RunView]") -> Line:
    """The newest of the running jobs, and the number of others."""
    view = views[0]
    parts: list[Line] = [Styled(view.title, "primary strong")]
    parts += [quiet(view.state)] if view.progress is None else progress_parts(view.progress)
    if len(views) > 1:
        parts.append(quiet(f"+{len(views) - 1} more"))
    return join(GAP, parts)


def running_sentences(views: "Sequence[RunView]") -> Document:
    """Each running job in a sentence."""
    return tuple(f"{view.title} is {state_of(view).text}. {progress_sentence(view)}".strip() for view in views)


def progress_sentence(view: "RunView") -> str:
    """The progress of a running job; empty if it is not known."""
    progress = view.progress
    if not view.active or progress is None:
        return ""
    share = (
        f", {numbers.count(progress.done)} of {numbers.count(progress.total)} {progress.unit}"
        if progress.total
        else ""
    )
    left = f", {numbers.duration(progress.remaining)} left" if progress.remaining is not None else ""
    return f"Progress: {progress.item or progress.phase}{share}{left}."


def idle_line(workspace: "WorkspaceSnapshot | None") -> Line:
    """The dataset, the published model and the exports."""
    if workspace is None:
        return quiet(READING)
    parts = ["idle"]
    dataset, model = workspace.dataset, workspace.model
    if dataset is not None and not dataset.problem:
        synthetic = "synthetic " if dataset.source == SYNTHETIC_SOURCE else ""
        samples, classes = numbers.count(dataset.samples), numbers.count(dataset.classes)
        parts.append(f"{samples} {synthetic}samples, {classes} classes")
    else:
        parts.append("no dataset")
    if model is None:
        parts.append("built-in model")
    elif model.network:
        parts.append(f"model {model.network} {numbers.percent(model.accuracy, 1)}")
    else:
        parts.append("model without metadata")
    if workspace.onnx:
        parts.append(f"{len(workspace.onnx)} ONNX")
    return quiet("   ".join(parts))


def gpu_line(gpus: "Sequence[Gpu]") -> Line:
    """The first GPU, `+n` for n others; N/A if the driver gives no value; empty without a GPU."""
    if not gpus:
        return ""
    gpu = gpus[0]
    short = gpu.name.removeprefix("NVIDIA ").removeprefix("GeForce ").split(" MIG")[0]
    parts = [short, "N/A" if gpu.utilisation is None else numbers.percent(gpu.utilisation, 0)]
    if gpu.memory_used is not None and gpu.memory_total:
        parts.append(numbers.share_of_size(gpu.memory_used, gpu.memory_total))
    if gpu.power is not None:
        parts.append(numbers.power(gpu.power))
    if gpu.temperature is not None:
        parts.append(numbers.temperature(gpu.temperature))
    if len(gpus) > 1:
        parts.append(f"+{len(gpus) - 1}")
    return quiet("GPU "), " ".join(parts)


def gpu_value(gpu: "GpuHistory", name: str) -> str:
    """The newest value of a metric with its unit, or N/A."""
    value = gpu.last(name)
    if value is None:
        return "N/A"
    if name == "utilisation":
        return numbers.percent(value, 0)
    if name == "memory":
        return numbers.share_of_size(value, gpu.now.memory_total)
    if name == "power":
        return numbers.power(value)
    if name == "temperature":
        return numbers.temperature(value)
    return numbers.energy(value / numbers.JOULES_PER_KWH)


def gpu_sentences(gpus: "Sequence[Gpu]") -> Document:
    """Each GPU in a sentence."""
    if not gpus:
        return ("This machine has no NVIDIA GPU that can be read.",)
    return tuple(_gpu_sentence(gpu) for gpu in gpus)


def _gpu_sentence(gpu: "Gpu") -> str:
    parts = ["utilisation not known" if gpu.utilisation is None else f"{numbers.percent(gpu.utilisation, 0)} busy"]
    if gpu.memory_used is None:
        parts.append("memory not known")
    else:
        parts.append(f"{numbers.share_of_size(gpu.memory_used, gpu.memory_total)} used")
    if gpu.power is not None:
        parts.append(numbers.power(gpu.power))
    if gpu.temperature is not None:
        parts.append(numbers.temperature(gpu.temperature))
    return f"GPU {gpu.index}, {gpu.name}: {', '.join(parts)}."
