"""Where a value stands in a text: strings by their letters, numbers and dates by their meaning."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import islice

from batchata.citations.grounding import Hit, roughly
from batchata.citations.index import SourceIndex, to_words, whole_token
from batchata.citations.leaves import Leaf
from batchata.citations.negation import is_denied
from batchata.notation import CURRENCY_SIGNS, DateToken, NumberToken, dates, numbers
from batchata.types import Match

_CASE_FREE_FROM = 4
"""Shorter strings must stand in their own case ("IT" is not "it")."""
_INSIDE_FROM = 5
"""Shorter strings stand inside too many words."""
_PLAIN_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
_CLOCK = re.compile(
    r"[\s,T]{1,3}(?:at |um |à )?(?P<hour>\d{1,2})(?:[:.h](?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?)?"
    r"\s?(?P<half>[ap]\.?m\b\.?)?\s?(?P<zone>Z\b|UTC\b|GMT\b|[+-]\d{2}:?\d{2}\b)?",
    re.IGNORECASE,
)
_NOON = 12
_MAX_HITS = 5000

Places = list[tuple[Hit, Match, float]]
"""Where, how, and how sure: below 1 where what is written can as well mean something else."""


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
        inside = [(hit, _share(hit, index)) for hit in islice(index.similar(text, everywhere), _MAX_HITS)]
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
        return [(hit, Match.EXACT, 1.0) for hit in exact]
    if len(text) < _CASE_FREE_FROM:
        return []
    return [(hit, Match.NORMALISED, 1.0) for hit in _whole(index.similar(text, everywhere), index)]


def _whole(hits: Iterable[Hit], index: SourceIndex) -> list[Hit]:
    free = (hit for hit in hits if whole_token(index.text, *hit) and not is_denied(index.text, *hit))
    return list(islice(free, _MAX_HITS))


def _meant_places(value: float | Decimal | date, written: str, index: SourceIndex) -> Places:
    if isinstance(value, datetime):
        return [(hit, Match.NUMERIC, 1.0) for hit in _moments(value, index)]
    if isinstance(value, date):
        return _as_places(index.dates.get(value, ()), written, index)
    wanted = Decimal(str(value))
    if not wanted.is_finite():
        return []
    tokens = index.numbers.meant.get(wanted, [])
    if likeliest := [token for token in tokens if token.values[0] == wanted]:
        return _as_places(likeliest, written, index)
    # "1,234" is 1.234 only where the value itself is written so.
    copied = [token for token in index.numbers.unlikely.get(wanted, ()) if token.text == written]
    return _as_places(tokens, written, index) or [
        (hit, match, sureness / 2) for hit, match, sureness in _as_places(copied, written, index)
    ]


def _as_places(tokens: Sequence[NumberToken | DateToken], written: str, index: SourceIndex) -> Places:
    return [
        (
            (token.start, token.end),
            Match.EXACT if token.text.rstrip("% \u00a0") == written else Match.NUMERIC,
            0.5 if _is_doubtful(token) else 1.0,
        )
        for token in tokens
        if not is_denied(index.text, token.start, token.end)
    ]


def _is_doubtful(token: NumberToken | DateToken) -> bool:
    return token.is_doubtful if isinstance(token, NumberToken) else len(token.values) > 1


def _moments(value: datetime, index: SourceIndex) -> list[Hit]:
    """The date with the time behind it; a midnight may go unsaid."""
    hits: list[Hit] = []
    for token in index.dates.get(value.date(), ()):
        if is_denied(index.text, token.start, token.end):
            continue
        clock = _CLOCK.match(index.text, token.end)
        if clock and (clock["minute"] or clock["half"]):
            if _is_at(value, clock):
                hits.append((token.start, token.end + len(clock.group().rstrip())))
        elif value.time() == time():
            hits.append((token.start, token.end))
    return hits


def _is_at(value: datetime, clock: re.Match[str]) -> bool:
    """Whether a written time is the value's; a zone counts where both have one."""
    hour = int(clock["hour"])
    if clock["half"]:
        hour = hour % _NOON + (_NOON if clock["half"][0] in "pP" else 0)
    if clock["zone"] and value.tzinfo is not None and value.utcoffset() != _offset(clock["zone"]):
        return False
    written = (hour, int(clock["minute"] or 0), int(clock["second"] or 0))
    return written == (value.hour, value.minute, value.second)


def _offset(zone: str) -> timedelta:
    digits = zone[1:].replace(":", "")
    if not digits.isdigit():
        return timedelta(0)
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -offset if zone[0] == "-" else offset


def _same_meaning(text: str, index: SourceIndex) -> Places:
    """A string that is nothing but a date or an amount, unmistakably, is found in other notations too."""
    meaning = _meaning(text)
    if isinstance(meaning, DateToken):
        return _as_places(index.dates.get(meaning.values[0], ()), text, index)
    if meaning is None:
        return []
    same = [token for token in index.numbers.meant.get(meaning.values[0], ()) if _says(token, meaning)]
    return _as_places(same, text, index)


def _says(token: NumberToken, meaning: NumberToken) -> bool:
    """Whether a token may stand for an amount: in the same currency, or none, and without one to the same cent."""
    if token.values != meaning.values:
        return False
    if not meaning.currency:
        return token.values[0].as_tuple().exponent == meaning.values[0].as_tuple().exponent
    return not token.currency or _currency(token.currency) == _currency(meaning.currency)


def _currency(written: str) -> str:
    return CURRENCY_SIGNS.get(written, written)


@lru_cache(maxsize=4096)  # one value is looked for in many texts
def _meaning(text: str) -> DateToken | NumberToken | None:
    for token in dates(text):
        if token.text == text and len(token.values) == 1:
            return token
    if text.isdigit() or re.match(r"[-+]?0\d", text):
        return None  # a code rather than a number
    for number in numbers(text):
        around = (text[: number.start] + text[number.end :]).strip().casefold()
        if around in {"", number.currency} and (len(number.values) == 1 or "%" in number.text):
            return number
    return None
