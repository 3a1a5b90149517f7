"""Options and arguments that several commands share."""

from __future__ import annotations

from typing import Annotated, Literal

import typer


def _runs(incomplete: str) -> list[str]:
    """For the shell's completion."""
    from batchata.cli.folder import runs_here  # noqa: PLC0415  # imported where first used

    return [str(run) for run in runs_here() if str(run).startswith(incomplete)]


_INPUTS, _ANSWERS, _LIMITS, _PLACES = "What is read", "What comes back", "Limits", "Where it is kept"


def _option(panel: str, text: str, *names: str, metavar: str | None = None) -> typer.models.OptionInfo:
    found: typer.models.OptionInfo = typer.Option(*names, help=text, rich_help_panel=panel, metavar=metavar)
    return found


Inputs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="RUN.toml|FILES",
        help="A run file, and files: names, patterns (in quotes), folders, addresses as s3://bucket/*.pdf.",
        show_default=False,
    ),
]
Run = Annotated[
    str | None,
    typer.Argument(
        metavar="RUN",
        help="The run's folder, its name or its run file; without it, the only run here.",
        autocompletion=_runs,
        show_default=False,
    ),
]

Model = Annotated[
    str | None, _option(_INPUTS, "A model's name, or provider/name. See 'batchata models'.", "--model", "-m")
]
Prompt = Annotated[
    str | None,
    _option(_INPUTS, "What is asked of every file; with --messages, the system message.", "--prompt", "-p"),
]
PromptFile = Annotated[str | None, _option(_INPUTS, "A file with the prompt.", "--prompt-file", metavar="FILE")]
Messages = Annotated[
    str | None,
    _option(_INPUTS, "Conversations, or texts, from a JSONL, CSV or Parquet file.", "--messages", metavar="FILE"),
]
Column = Annotated[str | None, _option(_INPUTS, "The column of --messages to take.", "--column", metavar="NAME")]
Examples = Annotated[
    str | None,
    _option(_INPUTS, "Worked examples: JSON lines with 'input' and 'output'.", "--examples", metavar="FILE"),
]

Schema = Annotated[
    str | None,
    _option(
        _ANSWERS,
        "The fields wanted: 'module:Class', 'file.py:Class', or a JSON Schema file. Without it, answers are text.",
        "--schema",
        "--response-model",
        metavar="MODEL",
    ),
]
Citations = Annotated[
    bool | None,
    _option(_ANSWERS, "Trace each field to its place in the source.", "--citations/--no-citations"),
]
CitationMode = Annotated[
    Literal["auto", "native", "quoted", "aligned"] | None,
    _option(
        _ANSWERS,
        "Where the places come from: auto, native (the provider), quoted (the model), aligned (looked up by us).",
        "--citation-mode",
        metavar="MODE",
    ),
]
MaxTokens = Annotated[int | None, _option(_ANSWERS, "Most tokens of one answer. (default: 4096)", "--max-tokens")]
Temperature = Annotated[float | None, _option(_ANSWERS, "Refused by models that do not take it.", "--temperature")]

MaxCost = Annotated[
    str | None, _option(_LIMITS, "What the provider bills never passes this.", "--max-cost", metavar="DOLLARS")
]
MaxWait = Annotated[
    float | None,
    _option(_LIMITS, "Stop waiting after this; jobs go on.", "--max-wait-time", metavar="SECONDS"),
]
ItemsPerJob = Annotated[
    int | None,
    _option(_LIMITS, "At most; fewer where the provider's limits say so. (default: 10)", "--items-per-job"),
]
MaxJobs = Annotated[int | None, _option(_LIMITS, "Jobs in flight at a time. (default: 5)", "--max-parallel-jobs")]
Prices = Annotated[
    str | None,
    _option(
        _LIMITS,
        "Dollars per million tokens, where they are not known: input=0.10,output=0.50",
        "--prices",
        metavar="PRICES",
    ),
]

Name = Annotated[str | None, _option(_PLACES, "Names the run's folder: NAME-run.", "--name", metavar="NAME")]
ResultsDir = Annotated[str | None, _option(_PLACES, "The run's folder itself.", "--results-dir", metavar="FOLDER")]
StatePath = Annotated[
    str | None,
    _option(
        _PLACES,
        "A *.json file, or a database address. (default: state.json in the folder)",
        "--state-path",
        metavar="PLACE",
    ),
]
RawFiles = Annotated[
    bool | None,
    _option(_PLACES, "Keep the answers as they came, too. (default: raw-files)", "--raw-files/--no-raw-files"),
]

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether it may cost something.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, errors too.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no words; errors only.")]
