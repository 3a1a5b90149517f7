"""What is printed where: results on stdout, for people or for programs; everything else on stderr."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

import typer


@dataclass(frozen=True, slots=True)
class Out:
    """How this command talks.

    Attributes:
        is_json: one machine-readable object on stdout.
        is_quiet: no progress and no remarks.
    """

    is_json: bool = False
    is_quiet: bool = False

    def __post_init__(self) -> None:
        if self.is_quiet:
            logging.getLogger("batchata").setLevel(logging.ERROR)

    def tell(self, data: object, lines: Iterable[str]) -> None:
        """The command's result: ``data`` for programs, ``lines`` for people."""
        if self.is_json:
            print_json(data)
        elif not self.is_quiet:
            typer.echo("\n".join(lines))

    def remark(self, words: str) -> None:
        """Something by the way, on stderr."""
        if not self.is_quiet:
            typer.echo(words, err=True)


def print_json(data: object) -> None:
    """One line of JSON on stdout; amounts of money as text, so that none of their digits is lost."""
    typer.echo(json_line(data))


def json_line(data: object) -> str:
    """ASCII, so that no terminal's encoding, and no file name's, can break it."""
    from pydantic_core import to_jsonable_python  # noqa: PLC0415  # imported where first used

    return json.dumps(to_jsonable_python(data))


def dollars(amount: Decimal | None) -> str:
    """With four decimals, as everywhere."""
    return "unknown" if amount is None else f"${amount:,.4f}"


def counted(count: int, thing: str) -> str:
    """``1 item``, ``2 items``."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"
