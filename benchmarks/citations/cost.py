"""What the looking up costs, at two sizes each."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from decimal import Decimal
from random import Random
from statistics import median
from typing import Any

from pydantic import create_model

from batchata.citations import resolve
from batchata.structured import read
from batchata.types import Citation, Source, TextBlock
from benchmarks.citations import data

_FIELDS = 40
_RUNS = 3
_WORDS = 5
_SEED = 20240305
_NEAR_LINEAR = 1.3
"""What twice the text may cost beyond twice as much; mapping ten times the citations likewise."""


def run(verbose: bool) -> bool:
    """Mapping alone, then values and quotes in long documents."""
    del verbose  # nothing to list
    small, large = (_milliseconds(mapping(count)) for count in (300, 3000))
    met = _row(f"mapping, {_FIELDS} fields x 300 and 3,000 citations", (small, large), 10)
    texts = [page for passage in data.passages() for page in passage.source.pages]
    pages = [page for page in dict.fromkeys(texts) if len(page.split()) > _FIELDS]
    works = [_looking_up(_repeated(pages, number)) for number in (150, 300)]
    characters = [sum(map(len, _repeated(pages, number).pages)) for number in (150, 300)]
    print(f"(150 and 300 pages: {characters[0]:,} and {characters[1]:,} characters of 10-K and 10-Q text)")
    for name in works[0]:
        small, large = (_milliseconds(work[name]) for work in works)
        met &= _row(f"{name}, 150 and 300 pages", (small, large), 2)
    return met


def mapping(citations: int) -> Callable[[], object]:
    """An answer of short fields with as many citations shared out among them, no documents."""
    model = create_model("Wide", **{f"field_{number}": (str, ...) for number in range(_FIELDS)})  # type: ignore[call-overload]  # fields known at run time only
    blocks = [TextBlock("{")]
    for number in range(_FIELDS):
        share = citations // _FIELDS + (number < citations % _FIELDS)
        cited = tuple(Citation(f"the value {number} stands here", document_index=0) for _ in range(share))
        blocks += [
            TextBlock(f'{", " if number else ""}"field_{number}": "'),
            TextBlock(f"value {number}", cited),
            TextBlock('"'),
        ]
    blocks.append(TextBlock("}"))
    reading: Any = read("".join(block.text for block in blocks), model)
    return lambda: resolve(blocks, reading.value, reading.node, [])


def _repeated(pages: list[str], count: int) -> Source:
    return Source("long.pdf", tuple(pages[number % len(pages)] for number in range(count)), paged=True)


def _looking_up(source: Source) -> dict[str, Callable[[], object]]:
    """40 pieces of the document looked up: as values, as quotes to the letter, and as models quote."""
    random = Random(_SEED)  # noqa: S311  # repeatable, not secret
    quotes: list[tuple[str, int | None]] = []
    for page in random.sample(range(1, len(source.pages) + 1), _FIELDS):
        rows = [line.strip() for line in source.pages[page - 1].splitlines()]
        quotes.append((random.choice([row for row in rows if len(row.split()) > _WORDS]), page))
    amounts = [re.findall(r"\d[\d,.]*\d", quote) for quote, _ in quotes]
    values: dict[str, data.Value] = {}
    for number, ((quote, _), found) in enumerate(zip(quotes, amounts, strict=True)):
        plain = found[0].replace(",", "") if found else ""
        values[f"field_{number}"] = Decimal(plain) if re.fullmatch(r"\d+(\.\d+)?", plain) else quote
    loose: list[tuple[str, int | None]] = [
        (_misspelt(quote) if number % 2 else quote.upper().replace(" ", "  "), page)
        for number, (quote, page) in enumerate(quotes)
    ]
    return {
        f"{_FIELDS} values aligned": lambda: data.align(values, source),
        f"{_FIELDS} quotes to the letter": lambda: data.check(quotes, source),
        f"{_FIELDS} quotes, half respaced and half misspelt": lambda: data.check(loose, source),
    }


def _misspelt(quote: str) -> str:
    """With the last letter of the longest word taken out."""
    word = max(quote.split(), key=len)
    return quote.replace(word, word[:-1], 1)


def _milliseconds(work: Callable[[], object]) -> float:
    times = []
    for _ in range(_RUNS):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return median(times)


def _row(name: str, times: tuple[float, float], factor: int) -> bool:
    small, large = times
    met = large <= small * factor * _NEAR_LINEAR
    print(
        f"| {name} | {small:.1f} ms | {large:.1f} ms | ratio {large / small:.1f} for {factor} times as much "
        f"| {'met' if met else 'MISSED'} |"
    )
    return met
