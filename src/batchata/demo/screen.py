"""What the demo prints: made to be read at 100 columns, with colour or without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from shlex import quote

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from batchata import costs
from batchata.demo.fields import BusinessDocument
from batchata.types import BatchResult, Citation, JobStats, Usage

Entries = Sequence[BatchResult[BusinessDocument]]
Truth = Mapping[str, BusinessDocument]

_REAL_MODELS = ("claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5")
_MANY = 10_000


def introduce(console: Console, files: Sequence[Path], model: str) -> None:
    """What is about to happen."""
    console.print(Text(f"Batchata: {len(files)} documents, one call, every field traced", style="bold"))
    call = "batch(model, files=…, prompt=…, response_model=…, enable_citations=True, examples=…)"
    console.print(Text(f"  {call}", style="cyan"))
    _say(console, f"model: {model}")
    if model.startswith("local/smollm2"):
        _say(
            console,
            "This is SmolLM2 on your CPU: 135 million parameters, no key, no network. It is shown three worked "
            "examples first. It is tiny and gets fields wrong; all it can return is text of the document.",
        )


def print_fields(console: Console, entries: Entries, truth: Truth) -> None:
    """One row per document and field."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("Document", no_wrap=True)
    table.add_column("Field", no_wrap=True)
    table.add_column("Value", overflow="fold", width=28)
    table.add_column("Found", no_wrap=True)
    table.add_column("Remark", overflow="fold")
    for entry in entries:
        name = entry["input"]["name"] or "?"
        result = entry["result"]
        if result is None:
            table.add_row(name, "all", Text("no result", style="red"), "", "see below", end_section=True)
            continue
        for position, field in enumerate(BusinessDocument.model_fields):
            cells = _field_cells(entry, result, truth[name], field)
            table.add_row("" if position else name, field, *cells, end_section=field == "total_due")
    console.print(table)
    _say(console, "✓ the value stands on that page (which does not make it the right one); ✗ it was not found.")


def _field_cells(
    entry: BatchResult[BusinessDocument], result: BusinessDocument, right: BusinessDocument, field: str
) -> tuple[str, Text, Text]:
    """Value, check mark with page, and remark of one field."""
    value = str(getattr(result, field))
    citation = _first_citation(entry, field)
    remark = Text()
    if citation is not None and citation.cited_text != value:
        remark.append(f"printed {citation.cited_text}")
    if getattr(result, field) != getattr(right, field):
        remark.append("\n" if remark else "")
        remark.append(f"expected {getattr(right, field)}", style="red")
    page = "" if citation is None or citation.start_page is None else f" page {citation.start_page}"
    is_shown = citation is not None and citation.verified and citation.holds_value is not False
    found = Text(f"✓{page}", style="green") if is_shown else Text(f"✗{page}", style="red")
    return value, found, remark


def _first_citation(entry: BatchResult[BusinessDocument], field: str) -> Citation | None:
    cited = entry["citations"]
    if not isinstance(cited, dict):
        return None
    return next(iter(cited.get(field, ())), None)


def print_failures(console: Console, entries: Entries) -> None:
    """Each failed document, why, and what to do about it."""
    for entry in entries:
        error = entry["error"]
        if error is None:
            continue
        heading = f"\nFailed: {entry['input']['name']} ({error['reason']})"
        console.print(Text(heading, style="bold red"))
        _say(console, error["message"])
        _say(console, "It cost this document only: the others are not touched by it.")


def print_score(console: Console, entries: Entries, truth: Truth, model: str) -> None:
    """How many fields are what a careful reader would have returned."""
    fields = list(BusinessDocument.model_fields)
    right = sum(
        getattr(entry["result"], field) == getattr(truth[entry["input"]["name"] or ""], field)
        for entry in entries
        for field in fields
        if entry["result"] is not None
    )
    unread = sum(len(fields) for entry in entries if entry["result"] is None)
    wrong = len(entries) * len(fields) - right - unread
    total = len(entries) * len(fields)
    console.print()
    score = f"{right} of {total} fields as expected, {wrong} wrong, {unread} not read."
    console.print(Text(f"{score} ({model}, compared with truth.json)", style="bold"))


def print_costs(console: Console, entries: Entries, stats: JobStats) -> None:
    """What was paid, and what the same tokens cost at a real provider."""
    used = sum((_usage(entry) for entry in entries), Usage())
    paid = "unknown" if stats["total_cost"] is None else f"${stats['total_cost']:.4f}"
    elapsed = "" if stats["elapsed_time"] is None else f" in {stats['elapsed_time']:.0f} s"
    console.print()
    spent = f"{used.input_tokens:,} tokens read and {used.output_tokens:,} written{elapsed}; paid: {paid}."
    console.print(Text(spent, style="bold"))
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("The same at batch price")
    table.add_column("These documents", justify="right")
    table.add_column(f"{_MANY:,} documents", justify="right")
    for model in _REAL_MODELS:
        table.add_row(model, *_price_cells(entries, model))
    console.print(table)
    _say(
        console,
        "An estimate: the tokens were counted by the small model's tokenizer, and of the text alone. A model that "
        "also looks at the pages reads more.",
    )


def _price_cells(entries: Entries, model: str) -> tuple[str, str]:
    """The price of these documents, and of many like them; request by request, since long ones may cost more."""
    prices = [costs.price("anthropic", model, _usage(entry)) for entry in entries if entry["usage"] is not None]
    known = [price.usd for price in prices if price.usd is not None]
    if not known or len(known) < len(prices):
        return "price unknown", "price unknown"
    about = "about " if any(price.estimated for price in prices) else ""
    total = sum(known, Decimal(0))
    return f"{about}${total:.4f}", f"{about}${total / len(known) * _MANY:,.2f}"


def _usage(entry: BatchResult[BusinessDocument]) -> Usage:
    """Without cache figures: another provider's cache would have hit elsewhere."""
    used = entry["usage"]
    return Usage() if used is None else Usage(used["input_tokens"], used["output_tokens"])


def print_folder(console: Console, folder: Path) -> None:
    """Where everything is."""
    console.print(Text(f"\nFiles in {folder}{'' if str(folder).endswith('/') else '/'}", style="bold"))
    contents = [
        ("documents/", "what was read"),
        ("results.jsonl", "one line a document: values, citations with page and rectangle, error, usage"),
        ("raw/", "every answer as the model gave it"),
        ("fields.py", "what was asked of every document"),
    ]
    for name, what in contents:
        console.print(Text(f"  {name:<15}{what}"), soft_wrap=True)


def print_next(console: Console, fields: Path, report: Path | None) -> None:
    """What to do now: look at it, then the same with one's own files."""
    if report is None:
        words = "For a report to look at: pip install 'batchata[report]', then the demo once more"
    else:
        words = f"Open {report}: every value beside its page"
    console.print(Text(f"\n{words}", style="bold"), soft_wrap=True)
    console.print(Text("\nThe same with your own files, still without a key:", style="bold"))
    command = (
        "  batchata run YOUR-FOLDER -m local/smollm2-135m -p 'Extract the fields.' --citations \\\n"
        f"      --schema {quote(str(fields))}"
    )
    console.print(Text(command, style="cyan"), soft_wrap=True)
    _say(console, "With ANTHROPIC_API_KEY set, a large model: -m claude-haiku-5-5. The cost is asked first.")


def _say(console: Console, words: str) -> None:
    """A paragraph, indented; names in it are not highlighted as Python."""
    console.print(Padding(Text(words), (0, 2), expand=False))
