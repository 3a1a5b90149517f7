"""Dates in a text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from batchata.notation.words import MONTHS


@dataclass(frozen=True, slots=True)
class DateToken:
    """A date in a text: characters ``[start, end)``; ``values`` holds every reading."""

    start: int
    end: int
    text: str
    values: tuple[date, ...]
    named: bool
    """Whether the month is a word."""


_NUMERIC_DATE = re.compile(
    r"(?<![\w/])(?<!\d[.,])"
    r"(?:(?P<iso>(?<!-)(\d{4})([-/.])(\d{1,2})\3(\d{1,2}))(?=T\d|\b(?![.,/-]\d))"
    r"|(?P<dotted>(\d{1,2})\. ?(\d{1,2})\. ?(\d{4}|\d{2})(?!\w|[.,/]\d))"
    r"|(?P<other>(?<!-)(\d{1,2})([-/])(\d{1,2})\12(\d{4}|\d{2})(?!\w|[.,/-]\d))"
    r"|(?P<cjk>(\d{4}) ?年 ?(\d{1,2}) ?月 ?(\d{1,2}) ?日)"
    r"|(?P<korean>(\d{4})년 ?(\d{1,2})월 ?(\d{1,2})일))"
)
_OF = r"(?:(?:of|de|del|di|d['’]|van|do)\s{0,2})?"
_LONG_YEAR = 4
_GAP = r"[\s.,/-]{1,3}"
_NAME = r"([^\W\d_]{3,12})"
_DAY_FIRST = re.compile(
    rf"(?<![\w.,/-])(\d{{1,2}})(?:st|nd|rd|th|er|ème|e|º|°|ª)?{_GAP}{_OF}{_NAME}{_GAP}{_OF}(\d{{4}}|['’]?\d{{2}})(?![\w%])(?![.,:/]\d)"
)
_MONTH_FIRST = re.compile(
    rf"(?<![\w]){_NAME}\.?[\s/-]{{1,2}}(\d{{1,2}})(?:st|nd|rd|th)?(?:,\s{{0,2}}|[\s/-]{{1,2}})(\d{{4}})(?![\w%])(?![.,:/]\d)"
)
_YEAR_FIRST = re.compile(
    rf"(?<![\w.,/-])(\d{{4}}),?[\s-]{{1,2}}{_NAME}\.?[\s-]{{1,2}}(\d{{1,2}})(?![\w%])(?![.,:/]\d)"
)


def dates(text: str) -> list[DateToken]:
    """The dates of a text in order.

    Understood are year first, d.m.y, d/m/y and m/d/y (both readings), Chinese, Japanese and Korean, and month names in
    English, German, French, Spanish, Italian, Dutch, Portuguese, Polish, Russian, Turkish, Arabic and the Nordic
    languages. A year of two digits is read as POSIX does: 69 to 99 are 19xx.
    """
    found = [_numeric_date(match) for match in _NUMERIC_DATE.finditer(text)]
    for pattern, order in ((_DAY_FIRST, (3, 2, 1)), (_MONTH_FIRST, (3, 1, 2)), (_YEAR_FIRST, (1, 2, 3))):
        found += [_named_date(match, order) for match in pattern.finditer(text)]
    tokens = sorted((token for token in found if token), key=lambda token: (token.start, -token.end))
    kept: list[DateToken] = []
    for token in tokens:
        if not kept or token.start >= kept[-1].end:
            kept.append(token)
    return kept


_NUMBERED = re.compile(
    r"(?:\b(?:sections?|clauses?|versions?|v|art(?:icle|ikel)?s?|chapters?|abschnitt|kapitel|ziff(?:er)?|punkt|abs)\.?|§§?)\s*$",
    re.IGNORECASE,
)


def _numeric_date(match: re.Match[str]) -> DateToken | None:
    if match["dotted"] and _NUMBERED.search(match.string, max(0, match.start() - 12), match.start()):
        return None  # "section 5.3.24"
    fields = [group for group in match.groups() if group and group.isdigit()]
    first, second, third = fields
    if match["iso"] or match["cjk"] or match["korean"]:
        return _date_token(match, [(first, second, third)], named=False)
    readings = [(third, second, first)]
    if match["other"]:
        readings.append((third, first, second))
    return _date_token(match, readings, named=False)


def _named_date(match: re.Match[str], order: tuple[int, int, int]) -> DateToken | None:
    year, name, day = (match.group(index) for index in order)
    month = MONTHS.get(name.casefold())
    if month is None:
        return None
    return _date_token(match, [(year.lstrip("'’"), str(month), day)], named=True)


def _date_token(match: re.Match[str], readings: list[tuple[str, str, str]], *, named: bool) -> DateToken | None:
    values = []
    for year, month, day in readings:
        try:
            values.append(date(_year(year), int(month), int(day)))
        except ValueError:  # no such day: this reading is not a date
            continue
    if not values:
        return None
    return DateToken(match.start(), match.end(), match.group(), tuple(dict.fromkeys(values)), named=named)


def _year(digits: str) -> int:
    year = int(digits)
    if len(digits) == _LONG_YEAR:
        return year
    return year + (1900 if year >= 69 else 2000)  # noqa: PLR2004  # the pivot of POSIX strptime
