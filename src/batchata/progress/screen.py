"""Where a live display can be drawn."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console


def live_console(stream: TextIO | None) -> Console | None:
    """A console on a terminal or in a notebook; ``None`` elsewhere, and where there are no widgets to draw with.

    Args:
        stream: standard error; ``None`` in a process without a console, such as pythonw.
    """
    if stream is None or not (stream.isatty() or "ipykernel" in sys.modules):
        return None
    from rich.console import Console  # noqa: PLC0415  # imported where first used

    console = Console(stderr=True)
    if console.is_jupyter:
        return console if importlib.util.find_spec("ipywidgets") else None  # rich draws with these
    # Not interactive with TERM=dumb, for example. But FORCE_COLOR makes a terminal of a pipe, hence isatty.
    return console if stream.isatty() and console.is_interactive else None
