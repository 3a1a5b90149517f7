"""Leaves without a citation, looked up in the documents themselves."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from batchata.citations.grounding import Grounder, Hit, Lookup, Place
from batchata.citations.index import around
from batchata.citations.labelled import LabelPlaces
from batchata.citations.leaves import Leaf
from batchata.citations.places import places_of, rough_places_of
from batchata.types import Citation, Match, Origin

_MAX_LABEL_GAP = 300
_MAX_PLACES = 5000
_FEW = 50


class _Values:
    """The places of values, looked up once for all leaves that share one."""

    def __init__(self, grounder: Grounder) -> None:
        self._grounder = grounder
        self._known: dict[tuple[type, str, str], list[Place]] = {}

    def find(self, leaf: Leaf) -> list[Place]:
        """All places of the leaf's value, in order; else the likeliest of those roughly like it."""
        key = (type(leaf.value), repr(leaf.value), repr(leaf.raw))
        if key not in self._known:
            self._known[key] = self._search(leaf)
        return self._known[key]

    def _search(self, leaf: Leaf) -> list[Place]:
        found = [
            Place(number, index, hit, match, sureness)
            for number, index in self._grounder.at_hand()
            for hit, match, sureness in places_of(leaf, index)
        ]
        return found[:_MAX_PLACES] or self._rough_places(leaf)

    def _rough_places(self, leaf: Leaf) -> list[Place]:
        """The likeliest of them."""
        found = [
            Place(number, index, hit, Match.FUZZY, likeness)
            for number, index in self._grounder.at_hand()
            for hit, likeness in rough_places_of(leaf, index)
        ]
        best = max((place.sureness for place in found), default=0)
        return [place for place in found if place.sureness == best][:_MAX_PLACES]


class Aligner:
    """Finds values in the documents; of several places the one near the field's label or its siblings."""

    def __init__(self, grounder: Grounder, leaves: Sequence[Leaf]) -> None:
        self._grounder = grounder
        self._values = _Values(grounder)
        self._labels = LabelPlaces(grounder.indexes, leaves)
        self._anchors: defaultdict[tuple[str, int], list[Hit]] = defaultdict(list)
        """By path of an object and document, where something of it stands, in order."""

    def settle(self, given: Sequence[tuple[Leaf, Lookup]]) -> list[Citation]:
        """A citation for each, at the place that is likeliest for its leaf. ``given`` is in any order.

        What is found for one leaf helps to choose for its siblings, here and in ``align``.
        """
        settled: dict[int, Citation] = {}
        surest = sorted(range(len(given)), key=lambda number: len(given[number][1].places or ()))
        for number in surest:
            leaf, lookup = given[number]
            settled[number] = (
                self._cite(leaf, lookup.citation, lookup.places) if lookup.places else (self._grounder.cite(lookup))
            )
        return [settled[number] for number in range(len(given))]

    def align(self, wanted: Sequence[Leaf]) -> dict[str, Citation]:
        """A citation for each leaf whose value stands in a document.

        ``score`` is below 1 where the value stands in several places.
        """
        places = {leaf.path: self._values.find(leaf) for leaf in wanted}
        # What stands in one place only is sure, and helps to choose for the rest.
        surest = sorted((leaf for leaf in wanted if places[leaf.path]), key=lambda leaf: len(places[leaf.path]))
        citation = Citation("", origin=Origin.ALIGNED)
        return {leaf.path: self._cite(leaf, citation, places[leaf.path]) for leaf in surest}

    def _cite(self, leaf: Leaf, citation: Citation, places: list[Place]) -> Citation:
        chosen, score = self._choose(leaf, places)
        if chosen.match is not Match.FUZZY:
            for parent in _ancestors(leaf.path):
                insort(self._anchors[parent, chosen.document], chosen.hit)
        if not citation.cited_text:
            citation = replace(citation, cited_text=chosen.index.text[slice(*chosen.hit)])
        return self._grounder.at(citation, chosen, score=score * chosen.sureness)

    def _choose(self, leaf: Leaf, places: list[Place]) -> tuple[Place, float]:
        """The likeliest place and how sure it is: half sure at least if a label tells it from all others."""
        chance = 1 / len(places)
        if len(places) == 1:
            return places[0], chance
        if "[" in leaf.path:  # in lists the label is the head of a column: siblings first
            alike = self._nearest_siblings(leaf, self._near_siblings(leaf, places)) or places
            return (self._nearest_labels(leaf, alike) or alike)[0], chance
        labelled = self._nearest_labels(leaf, places)
        score = (1 / len(labelled) + chance) / 2 if labelled else chance
        alike = labelled or places
        return (self._nearest_siblings(leaf, alike) or alike)[0], score

    def _nearest_labels(self, leaf: Leaf, places: list[Place]) -> list[Place]:
        distances = [self._label_distance(leaf, place) for place in places]
        return _nearest(places, distances)

    def _label_distance(self, leaf: Leaf, place: Place) -> float:
        """Characters to the nearest label before it on the same page, or twice those to one behind it in its line."""
        best = math.inf
        begin, end = place.hit
        page, _ = place.index.position(begin)
        for label in leaf.labels:
            for start in around(self._labels.find(place.document, label), begin):
                gap = begin - start if start <= begin else 2 * (start - begin)
                is_own = start < end or "\n" not in place.index.text[end : min(start, end + _MAX_LABEL_GAP)]
                if gap <= _MAX_LABEL_GAP and is_own and place.index.position(start)[0] == page:
                    best = min(best, gap)
        return best

    def _near_siblings(self, leaf: Leaf, places: list[Place]) -> list[Place]:
        """Of many places the ones next to something of the same object, else of what holds it."""
        if len(places) <= _FEW:
            return places
        starts = [(place.document, place.hit[0]) for place in places]
        for parent in _ancestors(leaf.path):
            near = [
                (number, start)
                for number, _ in self._grounder.at_hand()
                for start, _ in self._anchors.get((parent, number), ())[-_FEW:]
            ]
            if near:
                found = {position for anchor in near for position in _around(starts, anchor)}
                return [places[position] for position in sorted(found)]
        return places

    def _nearest_siblings(self, leaf: Leaf, places: list[Place]) -> list[Place]:
        distances = [self._sibling_distance(leaf, place) for place in places]
        return _nearest(places, distances)

    def _sibling_distance(self, leaf: Leaf, place: Place) -> float:
        """How far it is from the nearest leaf of the same object, else of the object that holds it."""
        for parent in _ancestors(leaf.path):
            anchors = self._anchors.get((parent, place.document), ())
            behind = bisect_left(anchors, place.hit)
            if near := anchors[max(0, behind - 1) : behind + 1]:
                return min(_gap(place, anchor) for anchor in near)
        return math.inf


def _gap(place: Place, anchor: Hit) -> float:
    """Characters between the two, line ends twice; what stands before loses to what follows as closely."""
    (start, end), (first, last) = place.hit, anchor
    text = place.index.text
    if start >= last:
        return start - last + text.count("\n", last, start)
    return max(first - end, 0) + text.count("\n", end, first) + 0.5


def _around(starts: Sequence[tuple[int, int]], anchor: tuple[int, int]) -> range:
    """Positions of the last start before an anchor and the first behind it."""
    position = bisect_left(starts, anchor)
    return range(max(0, position - 1), min(len(starts), position + 1))


def _nearest(places: Sequence[Place], distances: Sequence[float]) -> list[Place]:
    """Those at the least distance; none if that is infinite."""
    least = min(distances)
    return [
        place for place, distance in zip(places, distances, strict=True) if distance == least and least < math.inf
    ]


def _ancestors(path: str) -> list[str]:
    """``a[1].b`` → ``a[1]``, ``a``, and the whole."""
    cuts = [position for position, char in enumerate(path) if char in ".[" and position]
    return [path[:cut] for cut in reversed(cuts)] + [""]
