"""What is going on, in a line."""

from pathlib import Path

from kanji_tui.events import Gpu, Progress
from kanji_tui.preflight.all_checks import PreparedDataset
from kanji_tui.presentation import status
from kanji_tui.presentation.document import text_of
from kanji_tui.workspace.gpu_history import GpuRecord
from kanji_tui.workspace.run_views import RunView
from kanji_tui.workspace.snapshot import PublishedModel, WorkspaceSnapshot
from kanji_tui.workspace.state import State

PROGRESS = Progress("prepare", 600, 1200, "records", "ETL9G_01", 12_345.0, 95.0, 50 * 2**20)


def run(job: str = "prepare", progress: Progress | None = PROGRESS) -> RunView:
    return RunView(f"20260102T030405-{job}-1", Path("run"), job, "running", progress=progress)


def test_a_running_job() -> None:
    line = text_of(status.job_line(run()))
    assert line == "prepare  ██████──────  50 %  prepare ETL9G_01  1:35 left  12,345 records/s  50.0 MiB/s"
    assert text_of(status.job_line(run(progress=None))) == "prepare is starting"


def test_the_newest_of_several_jobs() -> None:
    line = text_of(status.running_line([run(), run("verify", None)]))
    assert line.startswith("prepare  ██████──────  50 %")
    assert line.endswith("1:35 left  +1 more")


def test_what_there_is_where_nothing_runs() -> None:
    model = PublishedModel("run", "kanjinet", 0.98961, False, 1.0)
    workspace = WorkspaceSnapshot(
        dataset=PreparedDataset(1200, 40, 64, "drawn sample"), model=model, onnx=(Path("a.onnx"), Path("b.onnx"))
    )
    assert text_of(status.idle_line(workspace)) == (
        "idle   1,200 synthetic samples, 40 classes   model kanjinet 99.0 %   2 ONNX"
    )
    bare = WorkspaceSnapshot(model=PublishedModel("", "", None, False, 1.0))
    assert text_of(status.idle_line(bare)) == "idle   no dataset   model without metadata"
    assert text_of(status.idle_line(WorkspaceSnapshot())) == "idle   no dataset   built-in model"
    assert text_of(status.idle_line(WorkspaceSnapshot(dataset=PreparedDataset(problem="broken")))).startswith(
        "idle   no dataset"
    )


def test_what_is_missing_is_waited_for_where_it_is_being_made() -> None:
    idle, busy = State(), State({view.name: view for view in (run(), run("train"))})
    assert text_of(status.dataset_missing(idle)).endswith("press 2 to prepare a dataset")
    assert text_of(status.model_missing(idle)).endswith("press 3 to train a model")
    assert text_of(status.dataset_missing(busy)).endswith("a dataset is being made: press 2 to watch it")
    assert text_of(status.model_missing(busy)).endswith("a model is being trained: press 3 to watch it")


def test_a_gpu_is_never_0_where_the_driver_gives_no_value() -> None:
    full = Gpu(0, "NVIDIA GeForce RTX 4090", 0.87, 20 * 2**30, 24 * 2**30, 312.4, 61.0)
    assert text_of(status.gpu_line([full, full])) == "GPU RTX 4090 87 % 20.0/24 GiB 312 W 61 C +1"
    assert text_of(status.gpu_line([Gpu(0, "NVIDIA H200 MIG 1g.18gb")])) == "GPU H200 N/A"
    assert status.gpu_line([]) == ""
    assert status.gpu_sentences([Gpu(1, "NVIDIA H200")]) == (
        "GPU 1, NVIDIA H200: utilisation not known, memory not known.",
    )


def test_the_values_of_a_gpu() -> None:
    record = GpuRecord()
    record.add(Gpu(0, "NVIDIA H200", 0.5, 24 * 2**30, 139 * 2**30, 612.0, energy=3.6e6))
    history = record.history()
    names = ("utilisation", "memory", "power", "temperature", "energy")
    assert [status.gpu_value(history, name) for name in names] == ["50 %", "24.0/139 GiB", "612 W", "N/A", "1 kWh"]
