"""Numbers in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Context, Decimal

from batchata.notation.dates import dates
from batchata.notation.words import CURRENCIES, LETTER_SCALES, SCALES, UNITS

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class NumberToken:
    """A number in a text: characters ``[start, end)``, sign, brackets, per cent and scale word included.

    ``values`` holds every reading, the likeliest first. Tokens may overlap: "2 100,00" with a plain space is one
    number or two, and both readings are given.
    """

    start: int
    end: int
    text: str
    values: tuple[Decimal, ...]


_MAX_DIGITS = 40
_EXACT = Context(prec=80)
_DIGITS = re.compile(r"\d+")
_CORE = re.compile(r"\d+(?:[.,'’٫٬，．]\d+)*")
_PLAIN_SEPARATOR = str.maketrans("，．", ",.")
"""Full-width forms; the Arabic separators have one meaning each, and keep their own."""
_FRACTIONS = {"½": "0.5", "¼": "0.25", "¾": "0.75", "⅛": "0.125", "⅜": "0.375", "⅝": "0.625", "⅞": "0.875"}
_HARD_SPACES = "\u00a0\u202f\u2009"
_SPACED = re.compile(
    rf"(?<![\d.,'’])[1-9]\d{{0,2}}([ {_HARD_SPACES}])\d{{3}}(?:\1\d{{3}}){{0,10}}(?:[.,]\d+)?(?![.,'’]?\d)"
)
_OPAQUE = re.compile(
    r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,8}(?: ?[A-Z0-9]{1,4})?\b"  # IBAN
    r"|\b(?:https?|ftp)://\S+"
)
_GLUE = re.compile(r"[\w/-]*")
_COMPOUND = re.compile(r"[-/][^\W\d_A-Z]{2,}$")
_WORD = re.compile(r"[^\W\d_]+")
_WINDOW = 40
_GROUP = 3
_YEAR_DIGITS = 4
_SIGNS = "-−–"
_SYMBOLS = "$€£¥₹₽₩₺₪₫฿¢"


def numbers(text: str) -> list[NumberToken]:
    """The numbers of a text in order, without those inside identifiers, dates, clock times and URLs.

    "19 %" may mean 19 or 0.19, "(1,234)" minus or plus 1234; scale words count ("12.3 million"). The year of a
    date with a month name is a number, its day is not.
    """
    taken = sorted([match.span() for match in _OPAQUE.finditer(text)] + _date_spans(text))
    tokens = [
        token
        for start, end in _outside(_number_spans(text), taken)
        if (token := _number(text, start, end)) is not None
    ]
    return sorted(tokens, key=lambda token: (token.start, token.end))


def _number_spans(text: str) -> list[Span]:
    """Runs of digits and separators; with spaces as separators, both readings where the space is a plain one."""
    spaced = [match.span() for match in _SPACED.finditer(text)]
    # What has a group such as "000" cannot be several numbers.
    firm = [span for span in spaced if not re.search(r" (?!0)", text[span[0] : span[1]])]
    spans: list[Span] = []
    for match in _CORE.finditer(text):
        spans += _split_list(match)
    return sorted(spaced + list(_outside(spans, firm)))


def _split_list(match: re.Match[str]) -> Iterator[Span]:
    """The whole run, or its members if it is a list such as "1,2,3"."""
    run, start = match.group(), match.start()
    if run.count(",") < 2 or set(run) & set(".'’") or _readings(run):  # noqa: PLR2004  # two commas make a list
        yield match.span()
        return
    for part in run.split(","):
        yield start, start + len(part)
        start += len(part) + 1


def _outside(spans: list[Span], taken: list[Span]) -> Iterator[Span]:
    """The spans that touch none of ``taken``; both in order."""
    index = 0
    for start, end in spans:
        while index < len(taken) and taken[index][1] <= start:
            index += 1
        if index == len(taken) or end <= taken[index][0]:
            yield start, end


def _number(text: str, start: int, end: int) -> NumberToken | None:
    values = _readings(text[start:end].translate(_PLAIN_SEPARATOR)) if end - start <= _MAX_DIGITS else ()
    if not values or _in_time(text, start, end) or _in_identifier(text, start, end):
        return None
    if text[start - 1 : start] == "." and text[start:end].isdigit() and not text[max(0, start - 2) :][:1].isalnum():
        start, values = start - 1, (Decimal("0" + text[start - 1 : end]),)  # ".50"
    if text[end : end + 1] in _FRACTIONS:
        end, values = end + 1, tuple(value + Decimal(_FRACTIONS[text[end]]) for value in values)
    if scaled := _scale(text, end, values, money=_currency_start(text, start) < start):
        end, values = scaled
    percent = re.compile(r"\s?%").match(text, end)
    if percent:
        end, values = percent.end(), (*values, *(_EXACT.multiply(value, Decimal("0.01")) for value in values))
    start, end, values = _signed(text, start, end, values)
    return NumberToken(start, end, text[start:end], tuple(dict.fromkeys(values)))


def _readings(run: str) -> tuple[Decimal, ...]:
    """What digits with separators may mean; nothing if no notation writes numbers like that."""
    separators = [char for char in run if not char.isdigit()]
    groups = re.split(r"\D", run)
    if not separators:
        return (Decimal(run),)
    last, rest = separators[-1], separators[:-1]
    readings = []
    if _grouped(groups, separators):
        readings.append("".join(groups))
    decimal_last = last in ".,٫" and last not in rest
    if decimal_last and (not rest or _grouped(groups[:-1], rest)):
        readings.append("".join(groups[:-1]) + "." + groups[-1])
    return tuple(Decimal(reading) for reading in readings)


def _grouped(groups: list[str], separators: list[str]) -> bool:
    """Whether the separators part thousands: one kind of them, groups of three (or, as in India, of two)."""
    first, *middle, final = groups
    if (
        "٫" in separators
        or len(set(separators)) != 1
        or len(final) != _GROUP
        or not 0 < len(first) <= _GROUP
        or first[0] == "0"
    ):
        return False
    sizes = {len(group) for group in middle}
    indian = separators[0] == "," and sizes == {2} and len(first) <= 2  # noqa: PLR2004  # 1,23,45,678
    return sizes <= {_GROUP} or indian


def _scale(
    text: str, end: int, values: tuple[Decimal, ...], *, money: bool
) -> tuple[int, tuple[Decimal, ...]] | None:
    """Apply a scale word that follows. A single letter outside money ("10k") may as well be a unit."""
    gap = 1 if text[end : end + 1] in {" ", *_HARD_SPACES} else 0
    word = _WORD.match(text, end + gap)
    if word is None:
        return None
    key = word.group().casefold()
    factor = SCALES.get(key) or (LETTER_SCALES.get(key) if not gap else None)
    if factor is None:
        return None
    scaled = tuple(_EXACT.multiply(value, Decimal(factor)) for value in values)
    return word.end(), scaled if key in SCALES or money else (*values, *scaled)


def _signed(text: str, start: int, end: int, values: tuple[Decimal, ...]) -> tuple[int, int, tuple[Decimal, ...]]:
    """Take in a sign or accounting brackets. Brackets alone do not tell a negative from an aside: both."""
    negative = tuple(-value for value in values)
    outer = _currency_start(text, start)
    for edge in (start, outer):
        sign = text[edge - 1 : edge]
        if sign and sign in _SIGNS and not re.match(r"[\w)\]/]", text[max(0, edge - 2) : edge - 1]):
            return edge - 1, end, negative
    if text[outer - 1 : outer] == "(" and text[end : end + 1] == ")":
        plain = text[start:end].isdigit() and outer == start
        return outer - 1, end + 1, (*values, *negative) if plain else (*negative, *values)
    if re.match(r"-(?![\w-])", text[end : end + 2]) and not text[start:end].isdigit():
        return start, end + 1, negative
    return start, end, values


def _currency_start(text: str, start: int) -> int:
    """Where a currency sign or code directly before the number begins; ``start`` if there is none."""
    before = text[max(0, start - 5) : start].rstrip(" " + _HARD_SPACES)
    gap_end = max(0, start - 5) + len(before)
    if before[-1:] and before[-1] in _SYMBOLS:
        return gap_end - 1
    code = re.search(r"(?<![^\W\d_])[A-Za-z]{2,3}$", before)
    return gap_end - len(code.group()) if code and code.group().casefold() in CURRENCIES else start


def _in_time(text: str, start: int, end: int) -> bool:
    return bool(re.match(r"\d:", text[max(0, start - 2) : start]) or re.match(r":\d", text[end : end + 2]))


def _in_identifier(text: str, start: int, end: int) -> bool:
    """Whether letters or further parts joined by hyphens and slashes make the digits a piece of a name."""
    left = text[max(0, start - _WINDOW) : start][::-1]
    before = _matched(_GLUE, left, 0)[::-1]
    after = _matched(_GLUE, text[end : end + _WINDOW], 0)
    if _COMPOUND.match(after) and not before.strip("-"):
        return False  # "10-year", "30/day"
    if _names(before) and _currency_start(text, start) + len(before.lstrip("-")) > start:
        return True
    word = _matched(_WORD, after, 0).casefold()
    if _names(after) and not (word == after.casefold().rstrip("-") and _is_affix(word)):
        return True
    joints = sum(char in "-/" for char in before.lstrip("-") + after.rstrip("-"))
    return joints > 1 or any(char.isdigit() for char in before[-1:] + after[:1])


def _names(glue: str) -> bool:
    """Whether it holds a letter as names are made of: scripts without cases stand next to numbers unparted."""
    return any(char == "_" or char.lower() != char.upper() for char in glue)


def _is_affix(word: str) -> bool:
    return word in UNITS or word in CURRENCIES or word in SCALES or word in LETTER_SCALES


def _matched(pattern: re.Pattern[str], text: str, position: int) -> str:
    match = pattern.match(text, position)
    return match.group() if match else ""


def _date_spans(text: str) -> list[Span]:
    """What numbers must leave alone: dates, but for the year beside a month name."""
    spans: list[Span] = []
    for token in dates(text):
        if token.named:
            runs = [run.span() for run in _DIGITS.finditer(text, token.start, token.end)]
            spans += [run for run in runs if run[1] - run[0] < _YEAR_DIGITS]
        else:
            spans.append((token.start, token.end))
    return spans
