"""The recorded workspace of the workbench's tests, for what both faces know."""

from tests.tui.conftest import home, recorded, recorded_once, utc

__all__ = ["home", "recorded", "recorded_once", "utc"]
