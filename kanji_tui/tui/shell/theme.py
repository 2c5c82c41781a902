"""The themes of the workbench: dark, light, and the terminal's own colours; each with one accent colour."""

from textual.theme import Theme


def _theme(
    *,
    rule: str,
    quiet: str,
    faint: str,
    cursor: str,
    cursor_rest: str,
    variables: dict[str, str] | None = None,
    foreground: str,
    background: str,
    primary: str,
    **rest: str | bool,
) -> Theme:
    """A theme with our own colours beside Textual's, and those derived from them; `variables` override."""
    follows = {
        "rule": rule,
        "quiet": quiet,
        "faint": faint,
        "cursor": cursor,
        "cursor-rest": cursor_rest,
        "block-cursor-foreground": foreground,
        "block-cursor-background": cursor,
        "block-cursor-text-style": "none",
        "input-selection-background": f"{primary} 35%",
        "scrollbar": rule,
        "scrollbar-hover": faint,
        "scrollbar-active": primary,
        "scrollbar-background": background,
        "scrollbar-background-hover": background,
        "scrollbar-background-active": background,
        "scrollbar-corner-color": background,
    }
    return Theme(
        foreground=foreground,
        background=background,
        surface=background,
        primary=primary,
        variables=follows | (variables or {}),
        **rest,  # type: ignore[arg-type]
    )


INK = _theme(
    name="ink",
    primary="#7ea6d9",
    secondary="#8d93a1",
    accent="#e8836b",
    success="#93c08a",
    warning="#dcb870",
    error="#e5706b",
    foreground="#d8dbe2",
    background="#14161b",
    panel="#20242d",
    dark=True,
    rule="#333947",
    quiet="#878e9e",
    faint="#4d5464",
    cursor="#2a3242",
    cursor_rest="#1d2129",
)

PAPER = _theme(
    name="paper",
    primary="#2d5f94",
    secondary="#6d6a63",
    accent="#b8452c",
    success="#3f7a37",
    warning="#8f6410",
    error="#b3322e",
    foreground="#2b2a27",
    background="#faf6ec",
    panel="#efe8d8",
    dark=False,
    rule="#d3c9b4",
    quiet="#6d6a63",
    faint="#aaa390",
    cursor="#e3dac4",
    cursor_rest="#f1eadb",
)

# For 16 colours, for none, and for users who prefer their terminal's colours. Nobody knows whether its background
# is black or white: blue cannot be read on the one, green, yellow and cyan not on the other.
TERMINAL = _theme(
    name="terminal",
    primary="ansi_bright_blue",
    secondary="ansi_default",
    accent="ansi_magenta",
    success="ansi_default",
    warning="ansi_bright_magenta",
    error="ansi_red",
    foreground="ansi_default",
    background="ansi_default",
    panel="ansi_default",
    ansi=True,
    rule="ansi_bright_black",
    quiet="ansi_default",
    faint="ansi_bright_black",
    cursor="ansi_default",
    cursor_rest="ansi_default",
    variables={
        "ansi-background": "ansi_default",
        "ansi-foreground": "ansi_default",
        "block-cursor-text-style": "reverse",
        "input-selection-background": "ansi_cyan",
        "scrollbar-hover": "ansi_default",
    },
)

THEMES = (INK, PAPER, TERMINAL)
