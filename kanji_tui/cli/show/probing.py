"""How the result of a probe is shown."""

from kanji_tui.cli.show.words import Result, size, stdout


def probed(value: Result) -> None:
    stdout.print(
        f"about {_duration(value['seconds'])} for {value['epochs']} epochs on {value['device']}, "
        f"{_duration(value['seconds_per_epoch'])} each, with {size(value['memory_bytes'])} of memory"
    )
    stdout.print(f"  {value['samples_per_second']:,.0f} samples/s, measured over {value['steps']} steps")


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
