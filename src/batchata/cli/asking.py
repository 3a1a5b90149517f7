"""The question before money is spent."""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import Any

import typer

from batchata import BatchManager
from batchata.cli.exits import InterruptedRunError, NotAgreedError
from batchata.cli.out import counted, dollars
from batchata.types import Estimate

if sys.platform != "win32":
    import termios


def agree(manager: BatchManager[Any], max_cost: Decimal | None, *, yes: bool, items: int | None = None) -> None:
    """Ask whether it may cost what it will, unless that is said already or it costs nothing.

    Args:
        manager: whose inputs are read for the estimate.
        max_cost: the cap, which is consent enough where nobody can be asked.
        yes: consent was given.
        items: how many of the inputs are meant, if not all.

    Raises:
        NotAgreedError: somebody said no, or nobody can be asked.
    """
    has_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    if yes or (max_cost is not None and not has_terminal):
        return
    estimate = _estimated(manager, is_watched=has_terminal)
    if estimate["worst_cost"] == 0:
        return
    lines = estimate_lines(_share(estimate, items))
    if not has_terminal:
        raise NotAgreedError(
            f"This costs money ({'; '.join(lines)}), and nobody can be asked. Give --yes, or --max-cost DOLLARS."
        )
    cap = [] if max_cost is None else [f"never more than {dollars(max_cost)}"]
    typer.echo("\n".join([*lines, *cap]), err=True)
    _forget_typed()
    if not typer.confirm("Go on?", err=True):
        raise NotAgreedError("Not agreed to, so nothing was sent.")


def _estimated(manager: BatchManager[Any], *, is_watched: bool) -> Estimate:
    """The estimate, for which every input is read, and may be counted by the provider: that can take minutes."""
    try:
        if is_watched:
            typer.echo("Reading the inputs, to tell what it may cost …", err=True)
        return manager.estimate()
    except KeyboardInterrupt as error:
        raise InterruptedRunError("Stopped before anything was sent.") from error


def _forget_typed() -> None:
    """What was typed before the question is no answer to it."""
    if sys.platform != "win32":
        termios.tcflush(sys.stdin, termios.TCIFLUSH)


def estimate_lines(estimate: Estimate) -> list[str]:
    """The facts for people."""
    unreadable = estimate["unreadable_items"]
    cannot = f" ({unreadable:,} cannot be read)" if unreadable else ""
    exact = "" if estimate["input_tokens_are_exact"] else "about "
    assumed = ", a guess" if estimate["output_tokens_are_assumed"] else ""
    return [
        f"{counted(estimate['total_items'], 'item')}{cannot} in {counted(estimate['jobs'], 'job')}",
        f"{exact}{estimate['input_tokens']:,} tokens in, likely {estimate['output_tokens']:,} out{assumed}",
        f"likely {dollars(estimate['likely_cost'])}, at most {dollars(estimate['worst_cost'])}",
    ]


def _share(estimate: Estimate, items: int | None) -> Estimate:
    """Of some of the items, as if each took the same."""
    total = estimate["total_items"]
    if items is None or not total:
        return estimate
    part = Decimal(items) / total
    share = estimate.copy()
    share["total_items"], share["input_tokens_are_exact"] = items, False
    share["jobs"] = min(estimate["jobs"], items)
    share["input_tokens"] = int(estimate["input_tokens"] * part)
    share["output_tokens"] = int(estimate["output_tokens"] * part)
    for key in ("likely_cost", "worst_cost"):
        cost = estimate[key]
        share[key] = None if cost is None else cost * part
    return share
