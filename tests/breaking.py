"""Breaks work off at any of its changes to the names of files, as a kill at that moment would."""

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHANGES = ((Path, "replace"), (Path, "rename"), (Path, "unlink"), (Path, "rmdir"), (os, "replace"), (os, "unlink"))


@contextmanager
def breaking_at(number: int, concerns: Callable[[Path], bool]) -> Iterator[None]:
    """Within it, the change with this number, from 0, of a path that it `concerns` raises KeyboardInterrupt."""
    counted = itertools.count()

    def breaking(real: Callable[..., Any]) -> Callable[..., Any]:
        def change(target: Any, *arguments: Any, **named: Any) -> Any:
            if concerns(Path(target)) and next(counted) == number:
                raise KeyboardInterrupt
            return real(target, *arguments, **named)

        return change

    with pytest.MonkeyPatch.context() as patched:
        for owner, name in CHANGES:
            patched.setattr(owner, name, breaking(getattr(owner, name)))
        yield


def broken_off(number: int, concerns: Callable[[Path], bool], work: Callable[[], object]) -> bool:
    """Do the work, broken off at its change with this number; whether it was, and not done before."""
    try:
        with breaking_at(number, concerns):
            work()
    except KeyboardInterrupt:
        return True
    return False
