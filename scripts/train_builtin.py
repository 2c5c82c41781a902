"""Makes the built-in model: trains kanjinet on synthetic writers alone and puts its two files into the package.

    python scripts/train_builtin.py

Interrupt it whenever you like: the same command goes on where it was. Its state is in .built-in/, which git
ignores; a training that has ended is packed again without a new training.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
HOME = ROOT / ".built-in"
WRITERS, EPOCHS, SEED = 240, 5, 1
# The batch size and its learning rate are named, so that a GPU and a CPU train alike.
TRAINING = (
    f"--synthetic {WRITERS} --characters all --network kanjinet --epochs {EPOCHS} --seed {SEED}"
    " --batch-size 512 --learning-rate 0.007"
).split()


def main() -> int:
    HOME.mkdir(exist_ok=True)
    runs = [run for run in _answer("runs")["runs"] if run["job"] == "train"]
    if not any(run["state"] == "finished" for run in runs):
        began = [run["run"] for run in runs if (HOME / "models" / "runs" / run["run"] / "last.ckpt").is_file()]
        arguments = ["--resume", max(began)] if began else TRAINING
        ended = subprocess.run([sys.executable, "-m", "kanji_tui", "train", *arguments], env=_environment())
        if ended.returncode:
            return ended.returncode
    from kanji_tui.export.built_in_files import write_built_in

    for path in write_built_in(HOME / "models" / "best_kanji_model.pth"):
        print(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1e6:.2f} MB")
    return 0


def _answer(*arguments: str) -> Any:
    command = [sys.executable, "-m", "kanji_tui", *arguments, "--json"]
    return json.loads(subprocess.run(command, env=_environment(), check=True, capture_output=True).stdout)


def _environment() -> dict[str, str]:
    return {**os.environ, "KANJI_TUI_HOME": str(HOME)}


if __name__ == "__main__":
    raise SystemExit(main())
