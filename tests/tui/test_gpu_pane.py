"""GPU telemetry over a run: condensed, shown with reasons, never 0 for an unknown value."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from kanji_tui.events import Gpu
from kanji_tui.tui.training.gpu_pane import gpu_lines, trend
from kanji_tui.workspace.condensed import KEPT
from kanji_tui.workspace.gpu_history import METRICS, GpuRecord

MIG = "utilisation (MIG is on): Not Supported; power, energy: Insufficient Permissions"


def record(count: int, **values: float) -> GpuRecord:
    made = GpuRecord()
    for number in range(count):
        made.add(Gpu(0, "NVIDIA H200", utilisation=number / count, memory_used=2**30, **values))  # type: ignore[arg-type]
    return made


@given(st.integers(1, 3000))
def test_a_long_history_stays_small_and_keeps_its_mean(count: int) -> None:
    history = record(count, temperature=50.0).history()
    assert set(history.values) == {metric.name for metric in METRICS}
    loads = history.values["utilisation"]
    assert 1 <= len(loads) <= KEPT + 1
    assert list(loads) == sorted(loads)  # type: ignore[type-var]
    assert set(history.values["temperature"]) == {50.0}
    assert history.last("utilisation") == (count - 1) / count


def test_an_unknown_value_is_not_zero() -> None:
    made = record(3)
    made.add(Gpu(0, "NVIDIA H200 MIG 1g", None, None, None, None, 45.0, reason=MIG))
    history = made.history()
    assert history.values["utilisation"][-1] is None
    lines = {line.plain.split()[0]: line.plain for line in gpu_lines(history, 60, named=False)}
    assert "N/A  Not Supported (MIG is on)" in lines["util"]
    assert "N/A  Insufficient Permissions" in lines["power"]
    assert "N/A  Insufficient Permissions" in lines["energy"]
    assert "N/A  the run did not report it" in lines["mem"]
    assert "45 C" in lines["temp"]
    assert not any(" 0 " in line for line in lines.values())


@given(st.lists(st.none() | st.floats(0, 1), max_size=300), st.integers(0, 40))
def test_a_trend_has_a_bar_for_what_is_known_and_a_gap_for_what_is_not(values, width: int) -> None:
    shown = trend(values, width, 1.0)
    assert len(shown) == min(width, len(values))
    if len(values) <= width:
        assert [sign == " " for sign in shown] == [value is None for value in values]
    if values and width and all(value == 1.0 for value in values):
        assert set(shown) == {"█"}


@given(st.integers(20, 160))
def test_lines_fit_their_width(width: int) -> None:
    history = record(500, power=650.0, temperature=61.0, memory_total=139 * 2**30, energy=3.6e6).history()
    assert all(cell_len(line.plain) <= max(width, 24) for line in gpu_lines(history, width, named=True)[1:])
