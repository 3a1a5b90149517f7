"""The command line: arguments in, exit code out."""

from __future__ import annotations

import sys

__all__ = ["main"]

_INTERRUPTED = 130


def main() -> None:
    """Run the command line."""
    try:
        # In here, since a Ctrl+C may come while it is imported.
        from batchata.cli.entry import main as run  # noqa: PLC0415  # as said above

        run()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
