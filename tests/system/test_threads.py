import os
import subprocess
import sys

import pytest

from kanji_tui.system.threads import SPIN_COUNT, usable_cores

SHOW = (
    "import os; from kanji_tui.system.threads import prepare_process; prepare_process(); "
    "print(os.environ.get('OMP_NUM_THREADS'), os.environ.get('GOMP_SPINCOUNT'))"
)


@pytest.mark.parametrize(
    ("given", "settings"),
    [
        ({}, f"{usable_cores()} {SPIN_COUNT}"),
        ({"OMP_NUM_THREADS": "3", "GOMP_SPINCOUNT": "7"}, "3 7"),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, f"{usable_cores()} None"),
    ],
)
def test_what_the_user_set_goes_before_ours(given, settings):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    command = [sys.executable, "-c", SHOW]
    assert subprocess.check_output(command, env={**clean, **given}, text=True).strip() == settings
