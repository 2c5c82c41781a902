"""Trainings as tables, lines and documents."""

from dataclasses import replace
from pathlib import Path

from kanji_tui.events import Failure, Gpu, Progress
from kanji_tui.jobs.folds import Fold, summarise
from kanji_tui.jobs.search import SearchResult, TrialResult
from kanji_tui.networks.results import Networks, NetworkSummary
from kanji_tui.presentation import training
from kanji_tui.presentation.document import Styled, Table, text_of
from kanji_tui.presentation.present import present
from kanji_tui.presentation.run_list import run_table
from kanji_tui.training.results import Phase, Probed, Profile
from kanji_tui.workspace.log_times import LogLine
from kanji_tui.workspace.run_views import RunView
from kanji_tui.workspace.trainings import Training
from tests.tui.recorded import RUN, TRAINED, epochs

PROBED = Probed(
    samples_per_second=1210.4, seconds_per_epoch=42.0, seconds=640.0, memory_bytes=3 * 2**30, device="cpu",
    steps=12, epochs=15, samples=48_000,
)  # fmt: skip


def view(**values) -> RunView:
    known = {"spec": {"config": {"network": "kanjinet"}}, "epochs": tuple(epochs(12)), "state": "finished"}
    return RunView(RUN, Path("run"), "train", **{**known, **values})


def cells(table: Table) -> list[list[str]]:
    return [[text_of(cell) for cell in row.cells] for row in table.rows]


def table_of(document) -> Table:
    return next(block for block in document if isinstance(block, Table))


def words(document) -> str:
    return "\n".join(text_of(block) for block in document if not isinstance(block, Table))


def test_runs_show_marks_publication_and_state() -> None:
    views = [view(), replace(view(epochs=(), state="lost"), name="other")]
    rows = cells(run_table([Training((each,)) for each in views], marked=["other"], published=RUN))
    assert [row[1:] for row in rows] == [
        ["kanjinet published", "finished", "99.0"],
        ["a kanjinet", "crashed", "none"],
    ]
    assert cells(run_table([Training((view(epochs=(), state="running"),))]))[0][3] == ""  # there may be one yet
    assert run_table([Training((replace(views[0], state="running", stopping=True),))]).rows[0].cells[2] == Styled(
        "stopping", "warning strong"
    )


def test_the_head_of_a_run_at_each_state() -> None:
    def head(run: RunView | None, published: bool = False) -> list[str]:
        return text_of(training.run_head(run, published, ready=False)).splitlines()

    assert head(None) == ["next  no dataset yet: press 2, or n without one"]
    finished = head(view(result=TRAINED), published=True)
    assert finished[0] == "kanjinet  finished  test 97.1 % (94.2-98.6)  best 99.0 %"
    assert finished[1] == "published  next  e exports, 5 browses  took 1:01 on cpu  1,210 samples/s"
    progress = Progress("training", 3000, 12000, "samples", "epoch 5 of 12", 1250.0, 42.0)
    running = head(view(state="running", progress=progress))
    assert running == [
        "kanjinet  running  training  best 99.0 %",
        "epoch 5 of 12  1,250 samples/s  42 s left",
    ]
    assert head(view(state="running"))[1] == "starting: loading torch"
    assert head(view(state="failed", failure=Failure("no number", "train slower")))[1:] == [
        "no number",
        "train slower",
    ]
    assert "press u to resume" in head(view(state="lost", resumable=True))[1]
    assert "stopped: press u" in head(view(state="stopped", resumable=True))[1]
    assert "n begins anew" in head(view(state="stopped"))[1]


def test_epochs_newest_first_with_the_best_marked() -> None:
    table = training.epoch_table(epochs(12))
    rows = cells(table)
    assert [row[0] for row in rows[:3]] == ["12", "11*", "10"]
    assert table.about == "* best: 11"
    assert rows[1][1:7] == ["0.129", "97.30", "0.123", "98.96", "1.8e-04", "4.2 s"]
    assert rows[1][9] == "-"  # an older version did not measure it
    assert all(isinstance(cell, Styled) and cell.style == "good strong" for cell in table.rows[1].cells)
    assert training.epoch_table(()).about == ""


def test_a_line_for_an_epoch() -> None:
    best, last = epochs(12)[10:]
    assert training.epoch_line(best).endswith("samples/s 1,210  *")
    assert training.epoch_line(last).startswith("epoch  12/12  train loss 0.105  train top-1 98.06 %  val loss")


def test_a_trained_network_with_its_profile() -> None:
    phases = (Phase("data", 0.03, None, 0.25), Phase("forward", 0.09, 0.06, 0.75))
    document = present(replace(TRAINED, profile=Profile(3, 64, "cuda:0", 0.12, phases)))
    output = words(document)
    assert f"run {RUN}: kanjinet, 1,108,246 parameters, on cpu" in output
    assert "best epoch 11 of 12: validation top-1 99.0 % (96.7-99.7)" in output
    assert "test top-1 97.1 % (94.2-98.6), top-5 100.0 % (98.4-100.0)" in output
    assert "1:01, 1,210 samples/s" in output
    assert "profile_trace.json" in output
    assert cells(table_of(document)) == [["data", "10.0", "25.00 %", ""], ["forward", "30.0", "75.00 %", "20.0"]]
    assert "test" not in words(present(replace(TRAINED, test=None)))
    assert "synthetic" not in output
    assert "licence" not in output
    synthetic = replace(TRAINED, source="drawn sample", license="the weights: CC BY-SA 4.0")
    assert "measured on samples that are synthetic, not handwriting" in words(present(synthetic))
    assert "licence of the weights: CC BY-SA 4.0" in words(present(synthetic))
    head = training.run_head(view(result=synthetic, source="drawn sample"), published=False, ready=True)
    assert "synthetic samples" in text_of(head)


def test_a_probe() -> None:
    assert words(present(PROBED)).splitlines() == [
        "about 10:40 in all, 42 s per epoch, 3.0 GiB, 1,210 samples/s on cpu",
        "  15 epochs, measured over 12 steps; peak memory 3.0 GiB",
    ]


def test_folds_end_with_mean_and_deviation() -> None:
    folds = tuple(
        Fold(f"{number}/2", f"run-{number}", TRAINED.validation, replace(TRAINED.validation, top1=top1))
        for number, top1 in ((1, 0.90), (2, 0.92))
    )
    document = present(summarise(folds))
    rows = cells(table_of(document))
    assert rows[0] == ["1/2", "run-1", "98.96 %", "90.00 %", "100.00 %", "98.96 %"]
    assert [row[3] for row in rows[2:]] == ["91.00 %", "1.41 %"]
    assert words(document) == "mean test top-1 91.00 % (88.10-93.25)"  # of 480 samples


def test_a_search_marks_the_best_and_shows_why_a_trial_failed() -> None:
    good = TrialResult("run-1", {"learning_rate": 0.00123456, "optimiser": "muon"}, TRAINED.validation, "")
    bad = TrialResult("run-2", {"learning_rate": 1.0}, None, "the loss is no longer a number")
    document = present(SearchResult("search-1", (bad, good), good))
    assert cells(table_of(document)) == [
        ["", "run-2", "1", "", "failed", ""],
        ["*", "run-1", "0.001235", "muon", "98.96 %", "0.1100"],
    ]
    assert "run-2 failed: the loss is no longer a number" in words(document)
    assert "best: run-1" in words(document)


def test_a_network_that_cannot_be_built_here_has_a_remedy() -> None:
    known = NetworkSummary("v1", "small", 3036, 64, 1_735_527, 3_429_376, 6_950_000)
    missing = NetworkSummary("vit", "patches", 3036, 64, None, None, None, "pip install 'kanji-tui[zoo]'")
    assert cells(table_of(present(Networks((known, missing))))) == [
        ["v1", "1,735,527", "3,429,376", "6.6 MiB", "small"],
        ["vit", "-", "-", "-", "patches; pip install 'kanji-tui[zoo]'"],
    ]


def test_the_screen_as_plain_text() -> None:
    assert "There is no training yet. To do: kanji-tui train" in words(training.training_screen([], [], (), ""))
    progress = Progress("training", 3000, 12000, "samples", "epoch 5 of 12", 1250.0, 42.0)
    running = replace(view(state="running", progress=progress), name="live")
    gpu = Gpu(0, "NVIDIA H200", 0.87, 24 * 2**30, 139 * 2**30, 612.0, 61.0)
    log = (LogLine("one"), LogLine("\ttwo"))
    document = training.training_screen([view(result=TRAINED), running], [gpu], log, RUN)
    output = words(document)
    assert "GPU 0, NVIDIA H200: 87 % busy, 24.0/139 GiB used, 612 W, 61 C." in output
    assert (
        "The running one, live, is running. Progress: epoch 5 of 12, 3,000 of 12,000 samples, 42 s left." in output
    )
    assert output.endswith("The last lines of its log:\n  one\n      two")
    first = cells(table_of(document))[0]
    assert first == [RUN, "kanjinet published", "finished", "12/12", "98.96 % (96.70-99.68)"]
    output = words(training.training_screen([view(result=TRAINED)], [], (), ""))
    assert "The newest, " in output
    assert "Test top-1 97.1 % (94.2-98.6), top-5 100.0 % (98.4-100.0)." in output


def test_the_list_of_networks_names_the_image_size_of_its_macs() -> None:
    network = NetworkSummary("v2.1", "the original", 3036, 64, 3_860_000, 12_000_000, 15_400_000)
    table = table_of(present(Networks((network,))))
    assert table.about == "MACs for an image of 64x64 pixels"
    assert table.rows[0].cells[2] == "12,000,000"
