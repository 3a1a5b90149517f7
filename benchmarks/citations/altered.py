"""Wrong values searched for: none may come back verified that does not stand in the document."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from batchata.types import Citation, Source
from benchmarks.citations import data
from benchmarks.citations.alterations import Altered, alterations, denied
from benchmarks.citations.data import Value
from benchmarks.citations.standing import affirmed, stands

_SEED = 20240305
_DENIED_A_TEXT = 3
_AMOUNTS = 12
_AMOUNT = re.compile(r"(?<![\w.,-])\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\w,])|(?<![\w.,-])\d+\.\d+(?![\w.,])")
"""Such as 1,234.5 or 23.5: what a passage says in figures."""
_POLARITY = {"not removed", "not cut off"}


@dataclass(frozen=True, slots=True)
class Case:
    """A document, what it says truly (value or passage), and what else is to be searched in it."""

    name: str
    source: Source
    values: Sequence[Value]
    language: str = "en"
    page: int | None = None
    also: Sequence[Altered] = ()


@dataclass(slots=True)
class Tally:
    """What came of it, by set of documents, by way of altering and way of looking up."""

    tried: Counter[str] = field(default_factory=Counter)
    verified: Counter[str] = field(default_factory=Counter)
    false: list[str] = field(default_factory=list)
    wrong: Counter[str] = field(default_factory=Counter)

    def add(self, case: Case, way: str, altered: Altered, citation: Citation | None, within: str) -> None:
        """Count a search; ``within`` is what the second opinion reads."""
        how, value = altered
        keys = (f"set {case.name}", f"way {way}", f"how {how}", "all")
        self.tried.update(keys)
        if citation is None or not citation.verified:
            return
        self.verified.update(keys)
        is_true = stands(value, within)
        if how in _POLARITY and isinstance(value, str):
            is_true = affirmed(value, within)
        if not is_true:
            self.wrong.update(keys)
            self.false.append(
                f"{case.name} {case.source.name}: {way}, {how}: {value!s:.200} verified ({citation.match}) on page "
                f"{citation.start_page} as {citation.cited_text[:200]!r}"
            )

    def show(self) -> None:
        """Print the table."""
        print("| | tried | verified | really standing elsewhere | FALSE |")
        for key in sorted(self.tried):
            wrong = self.wrong[key]
            print(f"| {key} | {self.tried[key]} | {self.verified[key]} | {self.verified[key] - wrong} | {wrong} |")


def run(verbose: bool) -> bool:
    """Every value of the sets altered, searched as value in the document and as quote on its page."""
    random = Random(_SEED)  # noqa: S311  # repeatable, not secret
    tally = Tally()
    for case in cases(random):
        _as_values(case, random, tally)
        _as_quotes(case, random, tally)
    tally.show()
    for line in tally.false if verbose else tally.false[:20]:
        print("  FALSE", line)
    print(
        f"false verifications: {len(tally.false)} of {tally.tried['all']} tried, target 0: "
        f"{'MISSED' if tally.false else 'met'}"
    )
    return not tally.false


def cases(random: Random) -> Iterator[Case]:
    """All sets."""
    for source, fields in data.invoices():
        yield Case("zugferd", source, list(fields.values()))
    for passage in data.passages():
        page = passage.source.pages[passage.page - 1]
        amounts = list(dict.fromkeys(_AMOUNT.findall(passage.text)))
        values: list[Value] = [passage.text]
        values += [
            Decimal(amount.replace(",", "")) for amount in random.sample(amounts, min(_AMOUNTS, len(amounts)))
        ]
        also = denied(page, "en", random, at_most=_DENIED_A_TEXT)
        yield Case("financebench", passage.source, values, page=passage.page, also=also)
    for paragraph in data.paragraphs():
        also = denied(paragraph.text, paragraph.language, random, at_most=_DENIED_A_TEXT)
        answers = list(dict.fromkeys(answer for answer, _ in paragraph.answers))
        source = data.text(paragraph.name, paragraph.text)
        yield Case("xquad", source, answers, paragraph.language, also=also)
    for source, values in data.agreements():
        also = [each for page in source.pages for each in denied(page, "en", random, at_most=_DENIED_A_TEXT)]
        yield Case("nda", source, values, also=also)
    for source, values in data.reports():
        also = denied(source.pages[0], "en", random, at_most=_DENIED_A_TEXT)
        yield Case("tatqa", source, values, also=also)


def _as_values(case: Case, random: Random, tally: Tally) -> None:
    """All wrong values of a document at once, as values of an answer."""
    wrong = [each for value in case.values for each in alterations(value, random, case.language)]
    wrong += case.also
    found = data.align({f"v{number}": value for number, (_, value) in enumerate(wrong)}, case.source)
    whole = "\n".join(case.source.pages)
    for number, altered in enumerate(wrong):
        tally.add(case, "as value", altered, found[f"v{number}"], whole)


def _as_quotes(case: Case, random: Random, tally: Tally) -> None:
    """The words of the true value altered, alone and within their line, as quotes on their page."""
    quotes = list(_quotes(case, random))
    found = data.check([(str(altered[1]), page) for altered, page in quotes], case.source)
    for (altered, page), citation in zip(quotes, found, strict=True):
        within = "\n".join(case.source.pages) if page is None else case.source.pages[page - 1]
        tally.add(case, "as quote", altered, citation, within)


def _quotes(case: Case, random: Random) -> Iterator[tuple[Altered, int | None]]:
    found = data.align({f"v{number}": value for number, value in enumerate(case.values)}, case.source)
    for value, citation in zip(case.values, found.values(), strict=True):
        if case.page is not None and isinstance(value, str):
            yield from ((altered, case.page) for altered in alterations(value, random, case.language))
        elif citation is not None and citation.verified:
            yield from _around(citation, case, random)
    yield from ((altered, case.page) for altered in case.also)


def _around(citation: Citation, case: Case, random: Random) -> Iterator[tuple[Altered, int | None]]:
    """The words that say the value, altered, and the same in the line where they stand."""
    page = citation.start_page
    text = case.source.pages[(page or 1) - 1]
    start, end = citation.start_char or 0, citation.end_char or 0
    if (citation.end_page or page) != page:
        return
    left, right = text.rfind("\n", 0, start) + 1, (text + "\n").find("\n", end)
    for how, words in alterations(text[start:end], random, case.language):
        yield (how, words), page
        yield (how, f"{text[left:start]}{words}{text[end:right]}".strip()), page
