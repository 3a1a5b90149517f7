"""Items to HTML: one file, or for many items an index and files of up to 200 items beside it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, StrictUndefined, Template

from batchata.disk import make_folder, write_whole
from batchata.errors import ResultsError
from batchata.report.items import Json, Made, dollars, make, row
from batchata.report.quality import LOW_SCORE
from batchata.report.shown import Run, Shown
from batchata.report.totals import Totals

ITEMS_A_FILE = 200
"""A file of so many items still opens at once."""


@dataclass(slots=True)
class _Block:
    """Items that stand in one file."""

    items: list[Json] = field(default_factory=list)
    pictures: dict[str, str] = field(default_factory=dict, repr=False)
    totals: Totals = field(default_factory=Totals)

    def add(self, made: Made) -> None:
        self.items.append(made.data)
        self.pictures.update(made.pictures)
        self.totals.add(made)


class _Report:
    """What is written so far. The whole of it is never in memory: a file at a time, and a line an item."""

    def __init__(self, run: Run, path: Path) -> None:
        self._run = run
        self._path = path
        self._block = _Block()
        self._blocks: list[Json] = []
        self._rows: list[Json] = []
        self._totals = Totals()

    def add(self, made: Made) -> None:
        if len(self._block.items) == ITEMS_A_FILE:
            self._write_block()
        self._block.add(made)
        self._totals.add(made)
        self._rows.append(row(made, self._address(len(self._blocks) + 1)))

    def close(self) -> None:
        if not self._blocks:
            _write(self._path, _page(self._run, self._totals, self._block.items, self._block.pictures))
            return
        self._write_block()
        _write(self._path, _page(self._run, self._totals, self._rows, {}, blocks=self._blocks))

    def _write_block(self) -> None:
        block, self._block = self._block, _Block()
        number = len(self._blocks) + 1
        first, last = block.items[0]["i"] + 1, block.items[-1]["i"] + 1
        run = Run(f"{self._run.title}: items {first:,} to {last:,}", self._run.facts, remarks=self._run.remarks)
        page = _page(run, block.totals, block.items, block.pictures, index=f"../{quote(self._path.name)}")
        _write(self._folder / f"{number:04d}.html", page)
        flags = {flag.value: count for flag, count in block.totals.flags.items()}
        self._blocks.append({"first": first, "last": last, "href": self._address(number), "flags": flags})

    @property
    def _folder(self) -> Path:
        return self._path.with_name(f"{self._path.stem}-items")

    def _address(self, number: int) -> str:
        return f"./{quote(self._folder.name)}/{number:04d}.html"


def write(run: Run, items: Iterable[Shown], path: Path, *, drawing: AbstractContextManager[object]) -> None:
    """Write the report, replacing one that is there. Raises ``ResultsError`` where the disk refuses it.

    Args:
        run: what the overview says of the run.
        items: in the order of the list; read one by one.
        path: of the file to open. With more than 200 items it is the index, and the items stand in files of the folder
            ``<name>-items`` beside it.
        drawing: held while pages are drawn.
    """
    report = _Report(run, path)
    for shown in items:
        report.add(make(shown, drawing))
    report.close()


def _write(path: Path, page: str) -> None:
    try:
        make_folder(path.parent)
        write_whole(path, (page.encode(),), durable=False)
    except OSError as error:
        raise ResultsError(
            f"The report {str(path)!r} cannot be written: {error.strerror}. Make room there, or give another path."
        ) from error


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_asset("page.html.jinja"))


def _page(
    run: Run,
    totals: Totals,
    items: Sequence[Json],
    pictures: Mapping[str, str],
    *,
    index: str | None = None,
    blocks: Sequence[Json] = (),
) -> str:
    style, script = _asset("page.css"), _asset("page.js")
    text = _template().render(
        run=run,
        totals=totals,
        cost=_at_least(totals.cost, is_least=totals.unknown_costs > 0, is_estimate=totals.cost_is_estimate),
        billed=_billed(run, totals),
        low_score=LOW_SCORE,
        index=index,
        blocks=blocks,
        policy=_policy(style, script),
        style=style,
        script=script,
        data=_json({"items": items, "flags": totals.flags}),
        pictures=pictures,
    )
    # Half a surrogate pair, which names of files may hold, has no form in UTF-8.
    return text.encode("utf-8", "replace").decode()


def _at_least(cost: Decimal, *, is_least: bool, is_estimate: bool = False) -> str:
    """A sum: what is not known of it is not $0."""
    if is_least and not cost:
        return "unknown"
    return ("at least " if is_least else "") + str(dollars(cost, is_estimate=is_estimate))


def _billed(run: Run, totals: Totals) -> str | None:
    """With earlier tries, where there were some."""
    if run.billed is None or (run.billed == totals.cost and run.billed_is_least == (totals.unknown_costs > 0)):
        return None
    return _at_least(run.billed, is_least=run.billed_is_least)


def _policy(style: str, script: str) -> str:
    """Nothing but this very style and script: no other script, no network, no HTML made from text."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src '{_digest(script)}'",
            f"style-src '{_digest(style)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"


def _json(data: object) -> str:
    """JSON that can stand in a script element: nothing in it ends the element, or begins a comment."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
