"""The command ``models``: prices, limits and dates, as far as they are known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, time
from decimal import Decimal

from batchata import costs
from batchata.cli.exits import Code
from batchata.cli.out import Out
from batchata.errors import ArgumentError, MissingExtraError, ProviderError, UnknownModelError
from batchata.providers import PROVIDERS, Provider
from batchata.providers.retirements import retirement
from batchata.runner.start import connect
from batchata.runner.task import Task

_LOCAL = "local/smollm2-135m"


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """A provider.

    Attributes:
        is_ready: whether its key, or what else it needs, is there.
        missing: what is not.
    """

    provider: str
    prefixes: tuple[str, ...]
    is_ready: bool
    missing: str | None
    max_requests: int | None
    max_bytes: int | None
    max_pages: int | None
    expires_hours: float | None
    native_citations: bool | None


@dataclass(frozen=True, slots=True)
class ModelRow:
    """Batch prices of a model, in dollars per million tokens, for prompts of more than ``above`` tokens.

    Attributes:
        has_batch_price: the price list has a price for batches; else the documented discount is taken off.
        retires_at: when calls begin to fail, as the provider announced it, or told when it was asked.
        note: what else the provider said.
    """

    model: str
    provider: str
    above: int
    input: Decimal
    output: Decimal
    has_batch_price: bool
    retires_at: datetime | None = None
    note: str | None = None


def models(prefix: str, out: Out, *, everything: bool, ask: bool) -> Code:
    """Print providers and models."""
    rows = [
        row for row in _rows() if row.model.startswith(prefix) or row.model.partition("/")[2].startswith(prefix)
    ]
    if prefix and not rows:
        raise UnknownModelError(
            f"No price is known for a model whose name begins with {prefix!r}. It may work all the same: names are "
            f"open. With --max-cost, give --prices."
        )
    rows = rows if everything or prefix else [row for row in rows if row.has_batch_price and not _is_gone(row)]
    wanted = {row.provider for row in rows}
    providers = [_provider(name) for name in PROVIDERS if not prefix or name in wanted]
    if ask:
        rows = [_asked(row) for row in rows]
    if out.is_json:
        out.tell({"providers": [asdict(row) for row in providers], "models": [asdict(row) for row in rows]}, ())
    else:
        _print(providers, rows)
    return Code.OK


def _provider(name: str) -> ProviderRow:
    missing = None
    try:
        provider: Provider | None = connect(Task(model=f"{name}/any"))[0]
    except ArgumentError as error:
        missing = str(error)
        provider = None if isinstance(error, MissingExtraError) else _without_key(name)
    limits = None if provider is None else provider.limits
    return ProviderRow(
        provider=name,
        prefixes=PROVIDERS[name].prefixes,
        is_ready=missing is None,
        missing=missing,
        max_requests=None if limits is None else limits.max_requests,
        max_bytes=None if limits is None else limits.max_bytes,
        max_pages=None if limits is None else limits.max_pages,
        expires_hours=None if limits is None else limits.expires_hours,
        native_citations=None if limits is None else limits.native_citations,
    )


def _without_key(name: str) -> Provider | None:
    """Limits are data: with a made-up key they can be read, and nobody is asked."""
    try:
        return PROVIDERS[name].connect({f"{name.upper()}_API_KEY": "none"})
    except ArgumentError:
        return None


def _rows() -> Iterator[ModelRow]:
    yield ModelRow(_LOCAL, "local", 0, Decimal(0), Decimal(0), has_batch_price=True)
    for name, entry in PROVIDERS.items():
        for model in costs.listed_models(name):
            if entry.prefixes and not model.startswith(entry.prefixes):
                continue
            for row in costs.price_rows(name, model):
                yield ModelRow(
                    model=model if entry.prefixes else f"{name}/{model}",
                    provider=name,
                    above=row.above,
                    input=row.rates.input,
                    output=row.rates.output,
                    has_batch_price=not row.estimated,
                    retires_at=_announced(model),
                )


def _announced(model: str) -> datetime | None:
    day = retirement(model)
    return None if day is None else datetime.combine(day, time(), UTC)


def _asked(row: ModelRow) -> ModelRow:
    """With what the provider says of the model."""
    told = asdict(row)
    try:
        provider, name = connect(Task(model=row.model))
        told["retires_at"] = provider.describe(name.model).retires_at or row.retires_at
    except (ArgumentError, ProviderError) as error:
        told["note"] = str(error)
    return ModelRow(**told)


def _citations(row: ProviderRow) -> str:
    if not row.native_citations:
        return "quotes, looked up"
    return "the engine's, of fields" if row.provider == "local" else "the provider's"


def _is_gone(row: ModelRow) -> bool:
    return row.retires_at is not None and row.retires_at <= datetime.now(UTC)


def _day(row: ModelRow) -> str:
    if row.retires_at is None:
        return ""
    return f"{row.retires_at:%Y-%m-%d}" + (", gone" if _is_gone(row) else "")


def _print(providers: list[ProviderRow], rows: list[ModelRow]) -> None:
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415  # imported where first used
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    console = Console(highlight=False)
    console = console if console.is_terminal else Console(highlight=False, width=160)
    table = Table("Provider", "Ready", "Requests a job", "MB a job", "Done within", "Citations", box=SIMPLE_HEAD)
    for each in providers:
        table.add_row(
            each.provider,
            "yes" if each.is_ready else "no",
            "" if each.max_requests is None else f"{each.max_requests:,}",
            "" if each.max_bytes is None else f"{each.max_bytes / 1_000_000:,.0f}",
            "" if each.expires_hours is None else f"{each.expires_hours:g} h",
            _citations(each),
        )
    console.print(table)
    prices = Table("Model", "Input", "Output", "", "Retires", "Note", box=SIMPLE_HEAD)
    for row in rows:
        step = f"prompts over {row.above:,} tokens" if row.above else ""
        doubt = "" if row.has_batch_price else "batch price not listed; by the documented discount"
        prices.add_row(row.model, f"{row.input:f}", f"{row.output:f}", step or doubt, _day(row), row.note or "")
    console.print(prices)
    console.print("Dollars per million tokens, in batches.")
