"""Detecting the terminal from the environment and from a real pseudo-terminal."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest

from kanji_tui.preflight.terminal import read_terminal


@pytest.mark.parametrize(
    ("environment", "colours"),
    [
        ({}, "none"),
        ({"TERM": "dumb", "COLORTERM": "truecolor"}, "none"),
        ({"TERM": "xterm"}, "16"),
        ({"TERM": "screen-256color"}, "256"),
        ({"TERM": "xterm-256color", "COLORTERM": "24bit"}, "truecolour"),
        ({"TERM": "xterm-direct"}, "truecolour"),
    ],
)
def test_colours_are_read_from_the_environment(environment: dict[str, str], colours: str) -> None:
    assert read_terminal(environment).colours == colours


@pytest.mark.parametrize(
    ("environment", "declared"),
    [
        ({}, False),
        ({"LANG": "C"}, False),
        ({"LANG": "ja_JP.UTF-8"}, True),
        ({"LANG": "en_GB.utf8"}, True),
        ({"LANG": "C.UTF-8"}, True),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "C"}, False),
        ({"LANG": "ja_JP.eucJP"}, False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),  # set by Python itself
        ({"LC_CTYPE": "ja_JP.UTF-8"}, True),
    ],
)
def test_utf_8_is_read_from_the_locale_variables(environment: dict[str, str], declared: bool) -> None:
    assert read_terminal(environment).declares_utf8 is declared


def test_tmux_screen_and_no_color_are_detected() -> None:
    assert read_terminal({"TMUX": "/tmp/tmux,1,0", "STY": "1"}).multiplexer == "tmux"
    assert read_terminal({"STY": "1.pts"}).multiplexer == "screen"
    assert read_terminal({}).multiplexer == ""
    assert read_terminal({"NO_COLOR": "1"}).no_color
    assert not read_terminal({"NO_COLOR": ""}).no_color  # no-color.org: only when not empty


def test_a_pipe_is_not_a_terminal() -> None:
    asked = (sys.executable, "-c", "from kanji_tui.preflight.terminal import *; print(read_terminal().attached)")
    answer = subprocess.run(asked, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    assert answer.stdout == "False\n"


def test_a_pseudo_terminal_reports_its_size() -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 31, 97, 0, 0))
    code = "import json; from kanji_tui.preflight.terminal import *; t = read_terminal(); "
    code += "print(json.dumps([t.attached, t.columns, t.rows, t.colours, t.encodes_utf8]))"
    environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", "COLORTERM": ""}
    subprocess.run(
        [sys.executable, "-c", code], stdin=theirs, stdout=theirs, stderr=theirs, env=environment, check=True
    )
    answer = os.read(ours, 4096)
    os.close(ours)
    os.close(theirs)
    assert json.loads(answer) == [True, 97, 31, "256", True]


def test_missing_streams_are_not_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("__stdin__", "__stdout__", "__stderr__"):
        monkeypatch.setattr(sys, name, None)
    found = read_terminal({})
    assert not found.attached
    assert found.columns == 0
