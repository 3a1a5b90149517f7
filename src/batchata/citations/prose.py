"""Cited text outside the JSON: which leaves it speaks of, by label and value."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from batchata.citations.labels import Labels, Mention, Mentions
from batchata.citations.layout import Layout, Piece
from batchata.citations.leaves import Leaf
from batchata.citations.texts import Places, Span, Texts, covers, is_distinctive, without_contained


@dataclass(frozen=True, slots=True)
class Claim:
    """A cited text speaks of a leaf; of one or all of several, where they are equal in label and value."""

    leaves: tuple[Leaf, ...]
    places: tuple[Span, ...]


class Prose:
    """The text around the JSON. To be asked about its cited blocks in the order of the answer."""

    def __init__(self, layout: Layout, leaves: Sequence[Leaf], labels: Labels, texts: Texts) -> None:
        self._layout = layout
        self._texts = texts
        self._found: dict[tuple[Span, str], list[Span]] = {}
        self._kin: defaultdict[str, list[Leaf]] = defaultdict(list)
        for leaf in leaves:
            for holder in _above(leaf.path):
                self._kin[holder].append(leaf)
        namings = layout.outside(labels.find)
        used: set[int] = set()
        self._own = Mentions((Mention(span, named.own) for span, named in namings), used)
        self._inside = Mentions((Mention(span, named.inside) for span, named in namings), used)

    def claims(self, block: Span, cited_texts: Sequence[str]) -> list[list[Claim]]:
        """The leaves that each of a block's citations is evidence for.

        The value must stand in the block, or else in the text it cites. The label must be named in the block, or
        else be the nearest before it in its paragraph, or else stand directly behind it. What holds a leaf may
        name it too ("vendor" ``vendor.name``), where nothing else is named and the value is distinctive.
        """
        piece = self._layout.next_piece(block)
        if piece is None:
            return [[] for _ in cited_texts]
        if stated := self._search(piece, None):
            for span in {span for claim in stated for span in claim.places}:
                self._own.use_up(span)  # "City" in "Kansas City" names no field
                self._inside.use_up(span)
            return [stated] * len(cited_texts)
        return [self._search(piece, text) for text in cited_texts]

    def _search(self, piece: Piece, cited: str | None) -> list[Claim]:
        for mentions in (self._own, self._inside):
            for search in (self._named_within, self._named_before, self._named_behind):
                if claims := search(mentions, piece, cited):
                    return [self._narrowed(claim, piece) for claim in claims]
        return []

    def _named_within(self, mentions: Mentions, piece: Piece, cited: str | None) -> list[Claim]:
        named: dict[str, list[Mention]] = defaultdict(list)
        places: Places = {}
        for mention in mentions.within(piece.span):
            for path, spans in self._standing(mentions, mention, piece, cited).items():
                if cited is not None or not all(covers(span, mention.span) for span in spans):
                    named[path].append(mention)
                    places[path] = spans
        return _claims(named if cited is not None else self._by_sentence(named, places), places)

    def _by_sentence(self, named: Mapping[str, list[Mention]], places: Places) -> Mapping[str, list[Mention]]:
        """Without those whose value is said of another: "Age: 5. On the next page …" says nothing of a page 5."""
        sentence = self._layout.sentence
        firm = {
            (path, span)
            for path, mentions in named.items()
            for span in places[path]
            if any(sentence(mention.span[0]) == sentence(span[0]) for mention in mentions)
        }
        taken = {span for _, span in firm}
        return {
            path: mentions
            for path, mentions in named.items()
            if any((path, span) in firm or span not in taken for span in places[path])
        }

    def _named_before(self, mentions: Mentions, piece: Piece, cited: str | None) -> list[Claim]:
        start = piece.span[0]
        mention = next(mentions.before(start), None)
        if mention is None or not self._layout.leads_to(mention.span, piece, closely=cited is not None):
            return []
        places = self._standing(mentions, mention, piece, cited)
        if cited is None:
            nearer = {
                path
                for path, spans in places.items()
                if all(next(mentions.before(max(span[0], start)), None) is not mention for span in spans)
            }
            places = {path: spans for path, spans in places.items() if path not in nearer}
        return _claims({path: [mention] for path in places}, places)

    def _named_behind(self, mentions: Mentions, piece: Piece, cited: str | None) -> list[Claim]:
        mention = mentions.behind(piece.span[1])
        if mention is None or not self._layout.follows(mention.span, piece):
            return []
        places = self._standing(mentions, mention, piece, cited)
        if places:
            mentions.use_up(mention.span)
        return _claims({path: [mention] for path in places}, places)

    def _standing(self, mentions: Mentions, mention: Mention, piece: Piece, cited: str | None) -> Places:
        """Where the values of the leaves stand that the mention names."""
        places: Places = {}
        for path, leaf in mention.leaves.items():
            spans = self._stated(piece.line, piece.span, leaf) if cited is None else self._texts.places(cited, leaf)
            text = self._layout.text if cited is None else cited
            if spans and (mentions is self._own or is_distinctive(leaf, text, spans)):
                places[path] = spans
        return without_contained(places)

    def _stated(self, line: Span, within: Span, leaf: Leaf) -> list[Span]:
        """Where in a line the value shares characters with a part of it."""
        key = (line, leaf.path)
        if key not in self._found:
            spans = self._texts.places(self._layout.text[slice(*line)], leaf)
            self._found[key] = [(line[0] + start, line[0] + end) for start, end in spans]
        return [span for span in self._found[key] if span[0] < within[1] and within[0] < span[1]]

    def _narrowed(self, claim: Claim, piece: Piece) -> Claim:
        """Of leaves equal in label and value the ones meant, if anything tells."""
        leaves = claim.leaves
        for tell in (self._beside_kin, self._inside_named):
            if len(leaves) > 1:
                leaves = tell(leaves, claim.places, piece)
        depth = min(leaf.path.count(".") for leaf in leaves)
        return replace(claim, leaves=tuple(leaf for leaf in leaves if leaf.path.count(".") == depth))

    def _beside_kin(self, leaves: tuple[Leaf, ...], places: Sequence[Span], piece: Piece) -> tuple[Leaf, ...]:
        """Those with most other values of the same object beside them: in the block, before it, in its line."""
        for window in (piece.span, (piece.lead, piece.span[1]), piece.line):
            for holders in zip(*(_above(leaf.path) for leaf in leaves), strict=False):
                if len(set(holders)) == 1:
                    break
                kin = [
                    sum(
                        any(span not in places for span in self._stated(piece.line, window, other))
                        for other in self._kin[holder]
                    )
                    for holder in holders
                ]
                if min(kin) < max(kin):
                    return tuple(leaf for leaf, count in zip(leaves, kin, strict=True) if count == max(kin))
        return leaves

    def _inside_named(self, leaves: tuple[Leaf, ...], _: Sequence[Span], piece: Piece) -> tuple[Leaf, ...]:
        """Those inside what was named last."""
        paragraph = self._layout.paragraph(piece.span[0])
        for mention in self._inside.before(piece.span[1]):
            if mention.span[0] < paragraph:
                break
            if named := tuple(leaf for leaf in leaves if leaf.path in mention.leaves):
                return named
        return leaves


def _claims(named: Mapping[str, list[Mention]], places: Places) -> list[Claim]:
    """One for each leaf, but one for all that the same words name and whose values stand in the same places."""
    groups: dict[tuple[tuple[Span, ...], ...], list[Leaf]] = defaultdict(list)
    for path, mentions in named.items():
        key = (tuple(places[path]), tuple(mention.span for mention in mentions))
        groups[key].append(mentions[0].leaves[path])
    return [Claim(tuple(leaves), key[0]) for key, leaves in groups.items()]


def _above(path: str) -> list[str]:
    """What holds a leaf, nearest first: of ``a[1].b`` ``a[1]``, ``a``, and the whole."""
    cuts = [position for position, char in enumerate(path) if char in ".[" and position]
    return [path[:cut] for cut in reversed(cuts)] + [""]
