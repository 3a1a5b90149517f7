"""Citations looked up in the documents they name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from batchata.citations.fuzzy import likeliest, say_the_same
from batchata.citations.index import SourceIndex, fold, whole_token
from batchata.citations.negation import is_denied
from batchata.types import Box, Citation, Match, Origin, Source

_TIGHT_FROM = 20
"""Shorter quotes must have their spaces where the source has them ("not able" is not "notable")."""
_RANKS = (Match.EXACT, Match.NORMALISED, Match.FUZZY)

Hit = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """Where a text stands in one document, all places alike; ``likeness`` is below 1 only for ``fuzzy``."""

    document: int
    hits: list[Hit]
    match: Match
    likeness: float = 1.0


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

        Text that stands elsewhere in the document is ``not_found``, and the citation keeps what was said. A quote
        that names no document may stand in any. Without a document nothing is looked up, and ``match`` stays
        ``None``.
        """
        asked = self._asked(citation)
        if not asked or not citation.cited_text.strip():
            return citation
        if citation.document_index is not None:
            citation = _of_document(citation, asked[0][1])
        found = [_lookup(number, index, citation) for number, index in asked]
        return self._placed(citation, [each for each in found if each is not None])

    def find(self, text: str) -> Citation | None:
        """The text wherever it stands in the documents, word for word; the first place, and how many there are."""
        found: list[Found] = []
        for number, index in self._at_hand():
            if (place := _verbatim(number, index, text.strip(), (0, len(index.text)))) is not None:
                found.append(place)
        if not found:
            return None
        return self._placed(Citation(text, origin=Origin.ALIGNED), found)

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

    def _at_hand(self) -> list[tuple[int, SourceIndex]]:
        return [(number, index) for number, index in enumerate(self.indexes) if index is not None]

    def _asked(self, citation: Citation) -> list[tuple[int, SourceIndex]]:
        """The documents in which a citation is to be looked up."""
        if citation.document_index is None and citation.origin is Origin.QUOTED:
            return self._at_hand()
        index = self.index(citation.document_index)
        return [] if index is None or citation.document_index is None else [(citation.document_index, index)]

    def _placed(self, citation: Citation, found: Sequence[Found]) -> Citation:
        """The citation at the first of its best places."""
        if not found:
            return replace(citation, match=Match.NOT_FOUND, verified=False, score=0.0)
        first = min(found, key=lambda each: (_RANKS.index(each.match), -each.likeness))
        places = sum(len(each.hits) for each in found if each.match is first.match)
        index = self.indexes[first.document]
        assert index is not None  # noqa: S101  # it was found there
        named = _of_document(replace(citation, document_index=first.document), index)
        return self.place(named, index, first.hits[0], first.match, score=first.likeness / places)


def _of_document(citation: Citation, index: SourceIndex) -> Citation:
    """The citation with its document's name, and without pages that a model claims of a document that has none."""
    named = replace(citation, document=citation.document or index.source.name)
    if citation.origin is Origin.QUOTED and not index.source.paged:
        return replace(named, start_page=None, end_page=None)
    return named


def _lookup(number: int, index: SourceIndex, citation: Citation) -> Found | None:
    """Where the cited text stands within the named place."""
    if citation.start_char is not None and citation.end_char is not None:
        return _at_offsets(number, index, citation)
    within, begins_by = _named_range(index, citation)
    if within is None:
        return None
    quote = citation.cited_text.strip()
    found = _verbatim(number, index, quote, within, begins_by=begins_by, is_joined=citation.start_block is not None)
    return found or _roughly(number, index, quote, within)


def _named_range(index: SourceIndex, citation: Citation) -> tuple[Hit | None, int]:
    """The characters that a citation names, and where at the latest its text must begin.

    A model that quotes a passage over a page's end names the page on which it begins.
    """
    first, last = citation.start_page, citation.end_page
    if first is not None and index.source.paged:
        named = index.pages_range(first, last or first)
        if named is None or citation.origin is not Origin.QUOTED:
            return named, len(index.text)
        return index.pages_range(first, (last or first) + 1), named[1]
    if citation.start_block is not None and not index.source.paged:
        first, behind = citation.start_block, citation.end_block or citation.start_block + 1
        return index.pages_range(first + 1, behind), len(index.text)
    return (0, len(index.text)), len(index.text)


def _verbatim(
    number: int,
    index: SourceIndex,
    quote: str,
    within: Hit,
    *,
    begins_by: int | None = None,
    is_joined: bool = False,
) -> Found | None:
    """Where the words stand as they are, as whole words, and not denied."""
    ways: list[tuple[Callable[[str, Hit], Iterable[Hit]], Match]] = [
        (index.exact, Match.EXACT),
        (index.similar, Match.NORMALISED),
    ]
    if len(quote) >= _TIGHT_FROM or is_joined:
        ways.append((index.similar_tight, Match.NORMALISED))
    for search, match in ways:
        hits = [
            hit
            for hit in search(quote, within)
            # A quote of "1.234" is not found in "1.2345", nor "liable" in "not liable".
            if whole_token(index.text, *hit) and not is_denied(index.text, *hit)
            if begins_by is None or hit[0] < begins_by
        ]
        if hits:
            return Found(number, hits, match)
    return None


def _roughly(number: int, index: SourceIndex, quote: str, within: Hit) -> Found | None:
    """Where nearly the same stands, with the same numbers, dates and negations."""
    folded = index.folded
    for (start, end), likeness in likeliest(index.words, fold(quote).text.strip(), folded.range_of(*within)):
        hit = folded.original(start, end)
        if say_the_same(quote, index.text[slice(*hit)]) and not is_denied(index.text, *hit):
            return Found(number, [hit], Match.FUZZY, likeness)
    return None


def _at_offsets(number: int, index: SourceIndex, citation: Citation) -> Found | None:
    first, last = citation.start_page or 1, citation.end_page or citation.start_page or 1
    if not (1 <= first <= last <= len(index.source.pages)):
        return None
    start = index.place(first, citation.start_char or 0)
    end = index.place(last, citation.end_char or 0)
    if not 0 <= start < end <= len(index.text):
        return None
    text, quote = index.text[start:end], citation.cited_text
    if text == quote:
        return Found(number, [(start, end)], Match.EXACT)
    if fold(text).text.strip() == fold(quote).text.strip():
        return Found(number, [(start, end)], Match.NORMALISED)
    return None


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
