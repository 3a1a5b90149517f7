"""Values and passages that do stand in their documents: how many are found."""

from __future__ import annotations

from collections import Counter

from batchata.types import Match, Origin
from benchmarks.citations import data

INVOICES_AT_LEAST = 0.98
PASSAGES_AT_LEAST = 0.95


def zugferd(verbose: bool) -> bool:
    """Typed fields of invoices, each invoice at once."""
    asked, good = Counter[str](), Counter[str]()
    for source, fields in data.invoices():
        found = data.align(fields, source)
        for name, value in fields.items():
            citation = found[name]
            asked[name] += 1
            if citation is not None and citation.verified and citation.origin is Origin.ALIGNED:
                good[name] += 1
            elif verbose:
                print(f"  {source.name}: {name} {value!s} is not verified: {citation}")
    for name in asked:
        print(f"| {name:16} | {good[name]:4} of {asked[name]:4} |")
    return _target("aligned and verified", good.total(), asked.total(), INVOICES_AT_LEAST)


def financebench(verbose: bool) -> bool:
    """Gold passages as quotes on their pages."""
    found = verified = asked = 0
    for passage in data.passages():
        (citation,) = data.check([(passage.text, passage.page)], passage.source)
        on_page = citation.match is not Match.NOT_FOUND and citation.start_page == passage.page
        asked += 1
        found += on_page
        verified += on_page and citation.verified
        if verbose and not (on_page and citation.verified):
            print(
                f"  {passage.source.name} page {passage.page}: {citation.match}, pages {citation.start_page} to "
                f"{citation.end_page}, score {citation.score}: {passage.text[:150]!r}"
            )
    print(f"| verified         | {verified:4} of {asked:4} |")
    return _target("found on its page", found, asked, PASSAGES_AT_LEAST)


def xquad(verbose: bool) -> bool:
    """Answers in their paragraphs, each alone: at the gold offset, or elsewhere where the same words stand."""
    asked, at_gold, elsewhere, verified = (Counter[str]() for _ in range(4))
    for paragraph in data.paragraphs():
        source = data.text(paragraph.name, paragraph.text)
        for answer, offset in paragraph.answers:
            asked[paragraph.language] += 1
            citation = data.align({"answer": answer}, source)["answer"]
            start = None if citation is None else citation.start_char
            at_gold[paragraph.language] += start == offset
            is_elsewhere = start not in {None, offset} and paragraph.text.startswith(answer, start)
            elsewhere[paragraph.language] += is_elsewhere
            is_verified = citation is not None and citation.verified
            verified[paragraph.language] += is_verified
            if verbose and not (is_verified and (start == offset or is_elsewhere)):
                print(f"  {paragraph.name}: {answer!r} at {offset}: {citation}")
    print("| language | answers | at the gold offset | at another of their places | verified |")
    for language in asked:
        print(
            f"| {language} | {asked[language]} | {at_gold[language]} | {elsewhere[language]} | {verified[language]} |"
        )
    return _target("found", at_gold.total() + elsewhere.total(), asked.total(), 1.0)


def _target(what: str, good: int, asked: int, at_least: float) -> bool:
    met = good >= at_least * asked
    print(f"{what}: {good} of {asked} ({good / asked:.1%}), target {at_least:.0%}: {'met' if met else 'MISSED'}")
    return met
