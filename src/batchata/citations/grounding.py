"""Citations looked up in the documents they name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from batchata.citations.fuzzy import likeliest, say_the_same
from batchata.citations.index import SourceIndex, fold, whole_token
from batchata.citations.negation import is_denied
from batchata.types import Box, Citation, Match, Origin, Source

_TIGHT_FROM = 20
"""Shorter quotes must have their spaces where the source has them ("not able" is not "notable")."""
_MAX_HITS = 5000
_RANKS = (Match.EXACT, Match.NORMALISED, Match.FUZZY)

Hit = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands in one document; ``sureness`` is below 1 for what is only alike, or can be read otherwise."""

    document: int
    index: SourceIndex
    hit: Hit
    match: Match
    sureness: float = 1.0


@dataclass(frozen=True, slots=True)
class Lookup:
    """A citation, and all the places, equally good, where its text stands; ``None`` if nobody could look."""

    citation: Citation
    places: list[Place] | None


class Grounder:
    """The documents of one answer, each indexed once."""

    def __init__(self, sources: Sequence[Source | None]) -> None:
        self.indexes = [None if source is None else SourceIndex(source) for source in sources]
        self._found: dict[str, Lookup] = {}

    def index(self, document_index: int | None) -> SourceIndex | None:
        """The document with that number, if it is at hand."""
        if document_index is None or not 0 <= document_index < len(self.indexes):
            return None
        return self.indexes[document_index]

    def at_hand(self) -> list[tuple[int, SourceIndex]]:
        """The documents, with their numbers."""
        return [(number, index) for number, index in enumerate(self.indexes) if index is not None]

    def look_up(self, citation: Citation) -> Lookup:
        """Where the text stands within the place that the citation names.

        A quote that names no document may stand in any.
        """
        is_anywhere = citation.document_index is None and citation.origin is Origin.QUOTED
        index = self.index(citation.document_index)
        asked = self.at_hand() if is_anywhere else [(citation.document_index or 0, index)] if index else []
        if not asked or not citation.cited_text.strip():
            return Lookup(citation, None)
        if index is not None:
            citation = _of_document(citation, index)
        found = [place for number, each in asked for place in _lookup(number, each, citation)]
        return Lookup(citation, _best(found))

    def find(self, text: str) -> Lookup:
        """The text wherever it stands in the documents, word for word."""
        if text not in self._found:
            self._found[text] = self._find(text)
        return self._found[text]

    def _find(self, text: str) -> Lookup:
        found = [
            place
            for number, index in self.at_hand()
            for place in _verbatim(number, index, text.strip(), (0, len(index.text)))
        ]
        return Lookup(Citation(text, origin=Origin.ALIGNED), _best(found))

    def cite(self, lookup: Lookup) -> Citation:
        """The citation at the first of its places, and how sure that one is.

        What does not stand where it should is ``not_found``, and keeps what was said. If nobody could look,
        ``match`` stays ``None``.
        """
        if lookup.places is None:
            return lookup.citation
        if not lookup.places:
            return replace(lookup.citation, match=Match.NOT_FOUND, verified=False, score=0.0)
        return self.at(lookup.citation, lookup.places[0], score=lookup.places[0].sureness / len(lookup.places))

    def at(self, citation: Citation, place: Place, *, score: float) -> Citation:
        """The citation at a place in its source."""
        source = place.index.source
        first_page, start = place.index.position(place.hit[0])
        last_page, last = place.index.position(place.hit[1] - 1)
        named = _of_document(replace(citation, document_index=place.document), place.index)
        return replace(
            named,
            start_page=first_page if source.paged else named.start_page,
            end_page=last_page if source.paged else named.end_page,
            start_char=start,
            end_char=last + 1,
            boxes=_boxes(source, (first_page, start), (last_page, last + 1)),
            match=place.match,
            verified=place.match in {Match.EXACT, Match.NORMALISED, Match.NUMERIC},
            score=score,
        )


def _best(places: Sequence[Place]) -> list[Place]:
    if not places:
        return []
    rank = min((_RANKS.index(place.match), -place.sureness) for place in places)
    return [place for place in places if (_RANKS.index(place.match), -place.sureness) == rank]


def _of_document(citation: Citation, index: SourceIndex) -> Citation:
    """The citation with its document's name, and without pages that a model claims of a document that has none."""
    named = replace(citation, document=citation.document or index.source.name)
    if citation.origin is Origin.QUOTED and not index.source.paged:
        return replace(named, start_page=None, end_page=None)
    return named


def _lookup(number: int, index: SourceIndex, citation: Citation) -> list[Place]:
    """Where the cited text stands within the named place."""
    if citation.start_char is not None and citation.end_char is not None:
        return _at_offsets(number, index, citation)
    within, begins_by = _named_range(index, citation)
    if within is None:
        return []
    quote = citation.cited_text.strip()
    found = _verbatim(number, index, quote, within, begins_by=begins_by, is_joined=citation.start_block is not None)
    if found:
        return found
    rough = [each for each in roughly(index, quote, within) if each[0][0] < begins_by]
    return [Place(number, index, hit, Match.FUZZY, likeness) for hit, likeness in rough]


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
) -> list[Place]:
    """Where the words stand as they are, as whole words, and not denied."""
    ways: list[tuple[Callable[[str, Hit], Iterable[Hit]], Match]] = [
        (index.exact, Match.EXACT),
        (index.similar, Match.NORMALISED),
    ]
    if len(quote) >= _TIGHT_FROM or is_joined:
        ways.append((index.similar_tight, Match.NORMALISED))
    for search, match in ways:
        free = (
            hit
            for hit in search(quote, within)
            # A quote of "1.234" is not found in "1.2345", nor "liable" in "not liable".
            if whole_token(index.text, *hit) and not is_denied(index.text, *hit)
            if begins_by is None or hit[0] < begins_by
        )
        if hits := list(islice(free, _MAX_HITS)):
            return [Place(number, index, hit, match) for hit in hits]
    return []


def roughly(index: SourceIndex, wanted: str, within: Hit) -> list[tuple[Hit, float]]:
    """Where nearly the same stands, with the same numbers, dates and negations: the likeliest, with their likeness."""
    folded = index.folded
    found: list[tuple[Hit, float]] = []
    for span, likeness in likeliest(index.words, fold(wanted).text.strip(), folded.range_of(*within)):
        start, end = folded.original(*span)
        if any(likeness < best or (start < hit[1] and hit[0] < end) for hit, best in found):
            continue
        if say_the_same(wanted, index.text[start:end]) and not is_denied(index.text, start, end):
            found.append(((start, end), likeness))
    return found


def _at_offsets(number: int, index: SourceIndex, citation: Citation) -> list[Place]:
    first, last = citation.start_page or 1, citation.end_page or citation.start_page or 1
    if not (1 <= first <= last <= len(index.source.pages)):
        return []
    start = index.place(first, citation.start_char or 0)
    end = index.place(last, citation.end_char or 0)
    if not 0 <= start < end <= len(index.text):
        return []
    text, quote = index.text[start:end], citation.cited_text
    if text == quote:
        return [Place(number, index, (start, end), Match.EXACT)]
    if fold(text).text.strip() == fold(quote).text.strip():
        return [Place(number, index, (start, end), Match.NORMALISED)]
    return []


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
