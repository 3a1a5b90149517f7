"""Where a value stands in a text: strings by their letters, numbers and dates by their meaning."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache

from batchata.citations.grounding import Hit, roughly
from batchata.citations.index import SourceIndex, to_words, whole_token
from batchata.citations.leaves import Leaf
from batchata.citations.negation import is_denied
from batchata.notation import DateToken, NumberToken, dates, numbers
from batchata.types import Match

_CASE_FREE_FROM = 4
"""Shorter strings must stand in their own case ("IT" is not "it")."""
_INSIDE_FROM = 5
"""Shorter strings stand inside too many words."""
_PLAIN_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
_MONEY_WORDS = re.compile(r"[\s$€£¥]*(?:[A-Z]{3})?[\s$€£¥]*")
_CLOCK = re.compile(r"[\s,T]{1,3}(?:at |um |à )?(\d{1,2})[:.h](\d{2})")

Places = list[tuple[Hit, Match]]


def places_of(leaf: Leaf, index: SourceIndex) -> Places:
    """Every place where the leaf's value stands as a whole. Booleans and ``None`` stand nowhere.

    A number stands only where the same number is written, a date only where the same date is.
    """
    value = leaf.value
    if value is None or isinstance(value, bool):
        return []
    if isinstance(value, int | float | Decimal | date):
        # What the model copied in the document's own notation is found as it stands.
        copied = leaf.raw if isinstance(leaf.raw, str) and not _PLAIN_NUMBER.fullmatch(leaf.raw) else ""
        return _text_places(copied.strip(), index) or _meant_places(value, _as_written(leaf), index)
    texts = dict.fromkeys(text.strip() for text in (value, leaf.raw) if isinstance(text, str))
    for text in texts or [str(value)]:
        if found := _text_places(text, index) or _same_meaning(text, index):
            return found
    return []


def rough_places_of(leaf: Leaf, index: SourceIndex) -> list[tuple[Hit, float]]:
    """Where a string stands at the head of a longer word, or with some letters changed; with its likeness.

    For looking at, not for believing: what is found here is never verified.
    """
    text = leaf.value.strip() if isinstance(leaf.value, str) else ""
    everywhere = (0, len(index.text))
    if len(text) >= _INSIDE_FROM and not any(char.isdigit() for char in text):
        inside = [(hit, _share(hit, index)) for hit in index.similar(text, everywhere)]
        if found := [(hit, share) for hit, share in inside if share and not is_denied(index.text, *hit)]:
            return found
    return roughly(index, text, everywhere)


def _share(hit: Hit, index: SourceIndex) -> float:
    """How much of the words it stands in it makes up; 0 where letters with cases stand before it: "un", "non"."""
    start, end = to_words(index.text, *hit)
    is_head = start == hit[0] or index.text[start].lower() == index.text[start].upper()
    return (hit[1] - hit[0]) / (end - start) if is_head else 0.0


def _as_written(leaf: Leaf) -> str:
    return str(leaf.value if leaf.raw is None or isinstance(leaf.raw, float) else leaf.raw)


def _text_places(text: str, index: SourceIndex) -> Places:
    everywhere = (0, len(index.text))
    if exact := _whole(index.exact(text, everywhere), index):
        return [(hit, Match.EXACT) for hit in exact]
    if len(text) < _CASE_FREE_FROM:
        return []
    return [(hit, Match.NORMALISED) for hit in _whole(index.similar(text, everywhere), index)]


def _whole(hits: list[Hit], index: SourceIndex) -> list[Hit]:
    return [hit for hit in hits if whole_token(index.text, *hit) and not is_denied(index.text, *hit)]


def _meant_places(value: float | Decimal | date, written: str, index: SourceIndex) -> Places:
    if isinstance(value, datetime):
        return [(hit, Match.NUMERIC) for hit in _moments(value, index)]
    if isinstance(value, date):
        return _as_places(index.dates.get(value, ()), written, index)
    wanted = Decimal(str(value))
    if not wanted.is_finite():
        return []
    tokens = index.numbers.get(wanted, [])
    likeliest = [token for token in tokens if token.values[0] == wanted]
    return _as_places(likeliest or tokens, written, index)


def _as_places(tokens: Sequence[NumberToken | DateToken], written: str, index: SourceIndex) -> Places:
    return [
        ((token.start, token.end), Match.EXACT if token.text.rstrip("% \u00a0") == written else Match.NUMERIC)
        for token in tokens
        if not is_denied(index.text, token.start, token.end)
    ]


def _moments(value: datetime, index: SourceIndex) -> list[Hit]:
    """The date with the time behind it; a midnight may go unsaid."""
    hits: list[Hit] = []
    for token in index.dates.get(value.date(), ()):
        if is_denied(index.text, token.start, token.end):
            continue
        clock = _CLOCK.match(index.text, token.end)
        if clock and (int(clock[1]), int(clock[2])) == (value.hour, value.minute):
            hits.append((token.start, clock.end()))
        elif clock is None and value.time() == time():
            hits.append((token.start, token.end))
    return hits


def _same_meaning(text: str, index: SourceIndex) -> Places:
    """A string that is nothing but a date or an amount, unmistakably, is found in other notations too."""
    meaning = _meaning(text)
    if isinstance(meaning, DateToken):
        return _as_places(index.dates.get(meaning.values[0], ()), text, index)
    if meaning is None:
        return []
    same = [token for token in index.numbers.get(meaning.values[0], ()) if token.values == meaning.values]
    return _as_places(same, text, index)


@lru_cache(maxsize=4096)  # one value is looked for in many texts
def _meaning(text: str) -> DateToken | NumberToken | None:
    for token in dates(text):
        if token.text == text and len(token.values) == 1:
            return token
    if text.isdigit() or re.match(r"[-+]?0\d", text):
        return None  # a code rather than a number
    for number in numbers(text):
        around = text[: number.start] + text[number.end :]
        if _MONEY_WORDS.fullmatch(around) and (len(number.values) == 1 or "%" in number.text):
            return number
    return None
