"""Citations looked up in the documents they name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from batchata.citations.index import SourceIndex, fold, whole_token
from batchata.types import Box, Citation, Match, Source

_TIGHT_FROM = 20
"""Shorter quotes must have their spaces where the source has them ("not able" is not "notable")."""

Hit = tuple[int, int]


class Grounder:
    """The documents of one answer, each indexed once."""

    def __init__(self, sources: Sequence[Source | None]) -> None:
        self.indexes = [None if source is None else SourceIndex(source) for source in sources]

    def index(self, document_index: int | None) -> SourceIndex | None:
        """The document with that number, if it is at hand."""
        if document_index is None or not 0 <= document_index < len(self.indexes):
            return None
        return self.indexes[document_index]

    def check(self, citation: Citation) -> Citation:
        """The citation with the place where its text stands, if that is the place it names.

        Text that stands elsewhere in the document is ``not_found``, and the citation keeps what the provider said.
        Without the document nothing is looked up, and ``match`` stays ``None``.
        """
        index = self.index(citation.document_index)
        if index is None or not citation.cited_text.strip():
            return citation
        named = replace(citation, document=citation.document or index.source.name)
        found = _lookup(index, citation)
        if found is None:
            return replace(named, match=Match.NOT_FOUND, verified=False, score=0.0)
        hits, match = found
        return self.place(named, index, hits[0], match, score=1 / len(hits))

    def place(self, citation: Citation, index: SourceIndex, hit: Hit, match: Match, *, score: float) -> Citation:
        """The citation at a place in its source."""
        first_page, start = index.position(hit[0])
        last_page, last = index.position(hit[1] - 1)
        return replace(
            citation,
            start_page=first_page if index.source.paged else citation.start_page,
            end_page=last_page if index.source.paged else citation.end_page,
            start_char=start,
            end_char=last + 1,
            boxes=_boxes(index.source, (first_page, start), (last_page, last + 1)),
            match=match,
            verified=match in {Match.EXACT, Match.NORMALISED, Match.NUMERIC},
            score=score,
        )


def _lookup(index: SourceIndex, citation: Citation) -> tuple[list[Hit], Match] | None:
    """Where the cited text stands within the named place."""
    if citation.start_char is not None and citation.end_char is not None:
        first, last = citation.start_page or 1, citation.end_page or citation.start_page or 1
        if not (1 <= first <= last <= len(index.source.pages)):
            return None
        named = (index.place(first, citation.start_char), index.place(last, citation.end_char))
        return _at_offsets(index, citation.cited_text, named)
    within: Hit | None = (0, len(index.text))
    if citation.start_page is not None and index.source.paged:
        within = index.pages_range(citation.start_page, citation.end_page or citation.start_page)
    if within is None:
        return None
    quote = citation.cited_text.strip()
    ways = [(index.exact, Match.EXACT), (index.similar, Match.NORMALISED)]
    if len(quote) >= _TIGHT_FROM:
        ways.append((index.similar_tight, Match.NORMALISED))
    for search, match in ways:
        # A quote of "1.234" is not found in "1.2345".
        if hits := [hit for hit in search(quote, within) if whole_token(index.text, *hit)]:
            return hits, match
    return None


def _at_offsets(index: SourceIndex, quote: str, named: Hit) -> tuple[list[Hit], Match] | None:
    start, end = named
    if not 0 <= start < end <= len(index.text):
        return None
    text = index.text[start:end]
    if text == quote:
        return [named], Match.EXACT
    return ([named], Match.NORMALISED) if fold(text).text.strip() == fold(quote).text.strip() else None


def _boxes(source: Source, first: Hit, last: Hit) -> tuple[Box, ...]:
    """Rectangles of a range from (page, character) to (page, character), over pages if need be."""
    if source.boxes is None:
        return ()
    found: list[Box] = []
    for page in range(first[0], last[0] + 1):
        start = first[1] if page == first[0] else 0
        end = last[1] if page == last[0] else len(source.pages[page - 1])
        found += source.boxes(page, start, end)
    return tuple(found)
