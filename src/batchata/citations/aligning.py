"""Leaves without a citation, looked up in the documents themselves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from batchata.citations.grounding import Grounder, Lookup, Place
from batchata.citations.index import around, whole_token
from batchata.citations.leaves import Leaf
from batchata.citations.places import places_of, rough_places_of
from batchata.types import Citation, Match, Origin

_MIN_LABEL = 3
_MAX_LABEL_GAP = 300
_MAX_PLACES = 200


@dataclass(slots=True)
class Aligner:
    """Finds values in the documents; of several places the one near the field's label or its siblings."""

    grounder: Grounder
    anchors: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    labels: dict[tuple[int, str], list[int]] = field(default_factory=dict)

    def settle(self, given: Sequence[tuple[Leaf, Lookup]]) -> list[Citation]:
        """A citation for each, at the place that is likeliest for its leaf. ``given`` is in any order.

        What is found for one leaf helps to choose for its siblings, here and in ``align``.
        """
        settled: dict[int, Citation] = {}
        surest = sorted(range(len(given)), key=lambda number: len(given[number][1].places or ()))
        for number in surest:
            leaf, lookup = given[number]
            settled[number] = (
                self._cite(leaf, lookup.citation, lookup.places) if lookup.places else (self.grounder.cite(lookup))
            )
        return [settled[number] for number in range(len(given))]

    def align(self, wanted: Sequence[Leaf]) -> dict[str, Citation]:
        """A citation for each leaf whose value stands in a document.

        ``score`` is below 1 where the value stands in several places.
        """
        places = {leaf.path: self._places(leaf) for leaf in wanted}
        # What stands in one place only is sure, and helps to choose for the rest.
        surest = sorted((leaf for leaf in wanted if places[leaf.path]), key=lambda leaf: len(places[leaf.path]))
        citation = Citation("", origin=Origin.ALIGNED)
        return {leaf.path: self._cite(leaf, citation, places[leaf.path]) for leaf in surest}

    def _places(self, leaf: Leaf) -> list[Place]:
        found = [
            Place(number, index, hit, match)
            for number, index in self.grounder.at_hand()
            for hit, match in places_of(leaf, index)
        ]
        return found[:_MAX_PLACES] or self._rough_places(leaf)

    def _rough_places(self, leaf: Leaf) -> list[Place]:
        """The likeliest of them."""
        found = [
            Place(number, index, hit, Match.FUZZY, likeness)
            for number, index in self.grounder.at_hand()
            for hit, likeness in rough_places_of(leaf, index)
        ]
        best = max((place.likeness for place in found), default=0)
        return [place for place in found if place.likeness == best][:_MAX_PLACES]

    def _cite(self, leaf: Leaf, citation: Citation, places: list[Place]) -> Citation:
        chosen, score = self._choose(leaf, places)
        if chosen.match is not Match.FUZZY:
            for parent in _ancestors(leaf.path):
                self.anchors.setdefault(parent, []).append((chosen.document, chosen.hit[0]))
        if not citation.cited_text:
            citation = replace(citation, cited_text=chosen.index.text[slice(*chosen.hit)])
        return self.grounder.at(citation, chosen, score=score * chosen.likeness)

    def _choose(self, leaf: Leaf, places: list[Place]) -> tuple[Place, float]:
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

    def _label_distance(self, leaf: Leaf, place: Place) -> float:
        """Characters to the nearest label before it on the same page, or twice those to one behind it in its line."""
        best = math.inf
        begin, end = place.hit
        page, _ = place.index.position(begin)
        for label in leaf.labels:
            for start in around(self._label_places(place, label), begin):
                gap = begin - start if start <= begin else 2 * (start - begin)
                is_own = start < end or "\n" not in place.index.text[end : min(start, end + _MAX_LABEL_GAP)]
                if gap <= _MAX_LABEL_GAP and is_own and place.index.position(start)[0] == page:
                    best = min(best, gap)
        return best

    def _label_places(self, place: Place, label: str) -> list[int]:
        key = (place.document, label)
        if key not in self.labels:
            text = place.index.text
            hits = place.index.similar(label, (0, len(text))) if len(label) >= _MIN_LABEL else []
            self.labels[key] = [start for start, end in hits if whole_token(text, start, end)]
        return self.labels[key]

    def _sibling_distance(self, leaf: Leaf, place: Place) -> float:
        """Characters to the nearest place of a leaf of the same object, else of the object that holds it."""
        for parent in _ancestors(leaf.path):
            near = [start for document, start in self.anchors.get(parent, ()) if document == place.document]
            if near:
                return min(abs(start - place.hit[0]) for start in near)
        return math.inf


def _ancestors(path: str) -> list[str]:
    """``a[1].b`` → ``a[1]``, ``a``, and the whole."""
    cuts = [position for position, char in enumerate(path) if char in ".[" and position]
    return [path[:cut] for cut in reversed(cuts)] + [""]
