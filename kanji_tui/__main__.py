"""`python -m kanji_tui`, `kanji-tui` and the commands of the original scripts: where a process begins."""

import sys

from kanji_tui.interrupts import end_at_once

end_at_once()  # before what takes time to import


def main() -> int:
    from kanji_tui import cli

    return cli.main()


def train_kanji() -> int:
    from kanji_tui.cli import legacy

    return legacy.train_kanji()


def prepare_dataset() -> int:
    from kanji_tui.cli import legacy

    return legacy.prepare_dataset()


def convert_to_onnx() -> int:
    from kanji_tui.cli import legacy

    return legacy.convert_to_onnx()


def convert_to_safetensors() -> int:
    from kanji_tui.cli import legacy

    return legacy.convert_to_safetensors()


if __name__ == "__main__":
    sys.exit(main())
