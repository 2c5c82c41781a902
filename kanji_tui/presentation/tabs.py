"""The screens in the order of their digits: (digit, name in commands, title)."""

TABS = (
    ("1", "preflight", "Preflight"),
    ("2", "dataset", "Dataset"),
    ("3", "training", "Training"),
    ("4", "inspector", "Inspector"),
    ("5", "browser", "Browser"),
    ("6", "draw", "Draw"),
)
SCREENS = tuple(name for _, name, _ in TABS)
