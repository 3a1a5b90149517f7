"""A block that covers the whole JSON: which values of it a cited text holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from batchata.citations.labels import Labels, Named
from batchata.citations.leaves import Leaf
from batchata.citations.texts import Places, Span, Texts, covers, is_distinctive, without_contained

_Namings = list[tuple[Span, Named]]


class Whole:
    """The leaves of an answer, found again in what is cited for all of it."""

    def __init__(self, leaves: Sequence[Leaf], labels: Labels, texts: Texts) -> None:
        self._leaves = {leaf.path: leaf for leaf in leaves}
        self._labels = labels
        self._texts = texts

    def held_by(self, cited: str) -> list[Leaf]:
        """The leaves whose values the text holds; a value that is not distinctive must have its label there too.

        Where several leaves have the value, the label nearest before it decides, or else the nearest behind it.
        """
        places = self._places(cited)
        namings = self._labels.find(cited) if places else []
        at: dict[Span, list[Leaf]] = defaultdict(list)
        for path, spans in places.items():
            leaf = self._leaves[path]
            if is_distinctive(leaf, cited, spans) or _is_named(leaf, spans, namings):
                for span in spans:
                    at[span].append(leaf)
        found = {leaf.path for span, leaves in at.items() for leaf in _meant(leaves, span, namings)}
        return [leaf for path, leaf in self._leaves.items() if path in found]

    def _places(self, cited: str) -> Places:
        by_label: dict[tuple[str, ...], Places] = defaultdict(dict)
        for leaf in self._leaves.values():
            if spans := self._texts.places(cited, leaf):
                by_label[leaf.labels][leaf.path] = spans
        return {path: spans for alike in by_label.values() for path, spans in without_contained(alike).items()}


def _is_named(leaf: Leaf, spans: Sequence[Span], namings: _Namings) -> bool:
    return any(
        leaf.path in named.own and not all(covers(span, naming) for span in spans) for naming, named in namings
    )


def _meant(leaves: list[Leaf], span: Span, namings: _Namings) -> list[Leaf]:
    if len(leaves) == 1:
        return leaves
    before = [named for naming, named in reversed(namings) if naming[1] <= span[0]]
    behind = [named for naming, named in namings if naming[0] >= span[1]]
    for named in before + behind:
        for paths in (named.own, named.inside):
            if chosen := [leaf for leaf in leaves if leaf.path in paths]:
                return chosen
    return leaves
