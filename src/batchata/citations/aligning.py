"""Leaves without a citation, looked up in the documents themselves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from batchata.citations.grounding import Grounder, Hit
from batchata.citations.index import SourceIndex, around, whole_token
from batchata.citations.leaves import Leaf
from batchata.citations.places import places_of, rough_places_of
from batchata.types import Citation, Match, Origin

_MIN_LABEL = 3
_MAX_LABEL_GAP = 300
_MAX_PLACES = 200


@dataclass(frozen=True, slots=True)
class _Found:
    """A place where a leaf's value stands; ``likeness`` is below 1 only for ``fuzzy``."""

    document: int
    index: SourceIndex
    hit: Hit
    match: Match
    likeness: float = 1.0


@dataclass(slots=True)
class Aligner:
    """Finds values in the documents; of several places the one near the field's label or its siblings."""

    grounder: Grounder
    anchors: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    labels: dict[tuple[int, str], list[int]] = field(default_factory=dict)

    def align(self, wanted: Sequence[Leaf], cited: dict[str, list[Citation]]) -> dict[str, Citation]:
        """A citation for each leaf whose value stands in a document. ``cited``: what is known of the others.

        ``score`` is below 1 where the value stands in several places.
        """
        for path, citations in cited.items():
            self._anchor_citations(path, citations)
        places = {leaf.path: self._places(leaf) for leaf in wanted}
        # What stands in one place only is sure, and helps to choose for the rest.
        surest = sorted((leaf for leaf in wanted if places[leaf.path]), key=lambda leaf: len(places[leaf.path]))
        return {leaf.path: self._cite(leaf, places[leaf.path]) for leaf in surest}

    def _places(self, leaf: Leaf) -> list[_Found]:
        found = [
            _Found(number, index, hit, match)
            for number, index in enumerate(self.grounder.indexes)
            if index is not None
            for hit, match in places_of(leaf, index)
        ]
        return found[:_MAX_PLACES] or self._rough_places(leaf)

    def _rough_places(self, leaf: Leaf) -> list[_Found]:
        """The likeliest of them."""
        found = [
            _Found(number, index, hit, Match.FUZZY, likeness)
            for number, index in enumerate(self.grounder.indexes)
            if index is not None
            for hit, likeness in rough_places_of(leaf, index)
        ]
        best = max((place.likeness for place in found), default=0)
        return [place for place in found if place.likeness == best][:_MAX_PLACES]

    def _cite(self, leaf: Leaf, places: list[_Found]) -> Citation:
        chosen, score = self._choose(leaf, places)
        self._anchor(leaf.path, chosen.document, chosen.hit[0])
        citation = Citation(
            chosen.index.text[slice(*chosen.hit)],
            document=chosen.index.source.name,
            document_index=chosen.document,
            origin=Origin.ALIGNED,
        )
        return self.grounder.place(citation, chosen.index, chosen.hit, chosen.match, score=score * chosen.likeness)

    def _choose(self, leaf: Leaf, places: list[_Found]) -> tuple[_Found, float]:
        """The likeliest place and how sure it is. In lists the label is the head of a column: siblings first."""
        chance = 1 / len(places)
        if len(places) == 1:
            return places[0], chance
        ways = [(self._label_distance, (1 + chance) / 2), (self._sibling_distance, chance)]
        for distance, score in reversed(ways) if "[" in leaf.path else ways:
            distances = [distance(leaf, place) for place in places]
            if min(distances) < math.inf:
                return places[distances.index(min(distances))], score
        return places[0], chance

    def _label_distance(self, leaf: Leaf, place: _Found) -> float:
        """Characters to the nearest label on the same page; a label behind the value counts double."""
        best = math.inf
        page, _ = place.index.position(place.hit[0])
        for label in leaf.labels:
            for start in around(self._label_places(place, label), place.hit[0]):
                gap = place.hit[0] - start if start <= place.hit[0] else 2 * (start - place.hit[0])
                if gap <= _MAX_LABEL_GAP and place.index.position(start)[0] == page:
                    best = min(best, gap)
        return best

    def _label_places(self, place: _Found, label: str) -> list[int]:
        key = (place.document, label)
        if key not in self.labels:
            text = place.index.text
            hits = place.index.similar(label, (0, len(text))) if len(label) >= _MIN_LABEL else []
            self.labels[key] = [start for start, end in hits if whole_token(text, start, end)]
        return self.labels[key]

    def _sibling_distance(self, leaf: Leaf, place: _Found) -> float:
        """Characters to the nearest place of a leaf of the same object, else of the object that holds it."""
        for parent in _ancestors(leaf.path):
            near = [start for document, start in self.anchors.get(parent, ()) if document == place.document]
            if near:
                return min(abs(start - place.hit[0]) for start in near)
        return math.inf

    def _anchor_citations(self, path: str, citations: Iterable[Citation]) -> None:
        for citation in citations:
            document, char = citation.document_index, citation.start_char
            index = self.grounder.index(document) if citation.verified else None
            if index is not None and document is not None and char is not None:
                page = citation.start_page if index.source.paged else None
                self._anchor(path, document, index.place(page or 1, char))

    def _anchor(self, path: str, document: int, start: int) -> None:
        for parent in _ancestors(path):
            self.anchors.setdefault(parent, []).append((document, start))


def _ancestors(path: str) -> list[str]:
    """``a[1].b`` → ``a[1]``, ``a``, and the whole."""
    cuts = [position for position, char in enumerate(path) if char in ".[" and position]
    return [path[:cut] for cut in reversed(cuts)] + [""]
