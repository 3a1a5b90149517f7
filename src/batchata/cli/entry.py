"""The one place where errors become words and exit codes."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback

import typer
from rich.console import Console
from rich.text import Text

from batchata.cli.app import app
from batchata.cli.exits import Code, InterruptedRunError, NotAgreedError, code_of, is_retryable
from batchata.cli.out import print_json
from batchata.errors import BatchataError


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # names of files may hold bytes that no encoding has
            stream.reconfigure(errors="backslashreplace")
    sys.exit(_run())


def _run() -> int:
    try:
        return _called()
    except BatchataError as error:
        _tell(type(error).__name__, _with_notes(error), retryable=is_retryable(error))
        return code_of(error)
    except typer.Abort:
        sys.stderr.write("\n")  # the question stands there
        _tell(NotAgreedError.__name__, "Nobody answered, so nothing was sent.", retryable=False)
        return Code.NOT_AGREED
    except typer.TyperException as error:  # a wrong option, argument or command
        words = error.format_message().replace("Value error, ", "").rstrip(".")
        _tell("UsageError", f"{words}. Try --help.", retryable=False)
        return Code.USAGE
    except OSError as error:
        where = "" if error.filename is None else f" ({str(error.filename)!r})"
        _tell(type(error).__name__, f"{error.strerror or error}{where}. Mend that, and try again.", retryable=False)
        return Code.ERROR
    except Exception as error:  # noqa: BLE001  # the last line of defence: nobody is shown a traceback unasked
        if os.environ.get("BATCHATA_TRACEBACK"):
            traceback.print_exc()
        words = f"{type(error).__name__}: {error} (BATCHATA_TRACEBACK=1 shows where)"
        _tell(type(error).__name__, words, retryable=False)
        return Code.ERROR


def _called() -> int:
    code = int(app(prog_name="batchata", standalone_mode=False) or Code.OK)
    if code == Code.INTERRUPTED:  # typer's, for a Ctrl+C that no command has words for
        raise InterruptedRunError("Stopped.")
    return code


def _with_notes(error: BatchataError) -> str:
    return "\n".join([str(error), *getattr(error, "__notes__", ())])


def _tell(kind: str, message: str, *, retryable: bool) -> None:
    if "--json" in sys.argv[1:]:
        with contextlib.suppress(OSError):  # it may be stdout that failed
            print_json({"error": {"type": kind, "message": message, "retryable": retryable}})
            return
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    is_wish = kind in {InterruptedRunError.__name__, NotAgreedError.__name__}
    console.print(Text(message) if is_wish else Text.assemble(("Error: ", "bold red"), message))
