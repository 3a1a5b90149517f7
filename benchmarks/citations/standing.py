"""Whether a value stands in a text: a second opinion on the engine's, which shares no code with it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from benchmarks.citations.data import Value

_UNPARTED = "\u0e00-\u0eff\u2e80-\ua4cf"
"""Scripts that put no spaces between words."""
_DASHES = re.compile("[\u2010-\u2015\u2212]")
_QUOTES = {ord(char): "'" for char in "’‘‚‛`´′"} | {ord(char): '"' for char in "“”„‟«»″"}
_UNSEEN = re.compile("[\u00ad\u0002\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
_RAISED = re.compile("[²³¹⁰⁴-⁹]")
_NEGATED = re.compile(
    r"(?:\b(?:not|no|never|cannot|nor|nicht|kein\w*|nie|не|ни|нет|لا|ليس|لم|لن|ما)\s|n't\s|[不没未无]\s?)"
    r"(?:be |been |have been )?$"
)


def stands(value: Value, text: str) -> bool:
    """By letters; amounts and dates by their meaning too."""
    if isinstance(value, Decimal):
        return _number_stands(value, text)
    if isinstance(value, date):
        return _date_stands(value, text)
    if _places(value, text):
        return True
    amount, day = _as_amount(value), _as_date(value)
    return (amount is not None and _number_stands(amount, text)) or (day is not None and _date_stands(day, text))


def affirmed(phrase: str, text: str) -> bool:
    """Whether a phrase stands somewhere without a negation before it."""
    return any(not _NEGATED.search(plain[:start]) for plain, start in _places(phrase, text))


def _places(phrase: str, text: str) -> list[tuple[str, int]]:
    """The plain text and the offset of each place where the phrase stands in it as whole words."""
    found = []
    for is_joined in (False, True):
        wanted, plain = _plain(phrase, is_joined=is_joined).strip(), _plain(text, is_joined=is_joined)
        before = rf"(?<![^\W{_UNPARTED}])" if re.match(rf"[^\W{_UNPARTED}]", wanted) else ""
        after = rf"(?![^\W{_UNPARTED}])" if re.search(rf"[^\W{_UNPARTED}]$", wanted) else ""
        before += r"(?<!\d[.,'])" if wanted[:1].isdigit() else ""
        after += r"(?![.,']\d)" if wanted[-1:].isdigit() else ""
        found += [(plain, match.start()) for match in re.finditer(before + re.escape(wanted) + after, plain)]
    return found


def _plain(text: str, *, is_joined: bool) -> str:
    """``is_joined``: words parted at line ends put together, and hyphens left out."""
    text = _DASHES.sub("-", _RAISED.sub("^", text)).translate(_QUOTES)
    if is_joined:
        text = re.sub(r"(?<=[^\W\d])[-\u00ad\u0002][ \t]*(?:\r?\n\s*)?(?=[^\W\d])", "", text)
        text = re.sub(r"[\u00ad\u0002][ \t]*\r?\n\s*", "", text)
    text = unicodedata.normalize("NFKC", _UNSEEN.sub("", text))
    return re.sub(r"\s+", " ", text).casefold()


_SCALES = {
    **dict.fromkeys(("k", "thousand", "tausend", "mille", "tsd"), 3),
    **dict.fromkeys(("m", "million", "millions", "mio", "millionen", "mn", "mln", "milion"), 6),
    **dict.fromkeys(("b", "billion", "billions", "bn", "milliarde", "milliarden", "mrd", "milliard"), 9),
    **dict.fromkeys(("trillion", "trillions"), 12),
}
_AMOUNT = re.compile(
    r"(?<![\w.,])(?<![^\W\d][-/])"
    r"(\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?:[.,]\d+)?|\d+(?:[.,'’]\d+)*|[.,]\d+)"
    r"(?![.,'’]?\d)(?:\s?(%)|\s?([^\W\d_]+))?"
)
_FIRST_GROUP = re.compile(r"(?<![\w.,])(?<!\w[-/])(\d+(?:[.,'’]\d+)*)()()")


def _number_stands(value: Decimal, text: str) -> bool:
    text = _DASHES.sub("-", text)
    mark = _mark_of(text)
    return any(value == reading for pattern in (_AMOUNT, _FIRST_GROUP) for reading in _amounts(pattern, text, mark))


def _mark_of(text: str) -> str:
    """The decimal mark, if amounts with two decimals and thousands, or a currency, show only one."""
    shown = re.findall(r"\d([.,])\d{3}[.,]\d\d(?!\d)", text)
    marks = {"," if grouped == "." else "." for grouped in shown}
    marks |= set(re.findall(r"[$€£]\s?\d+([.,])\d\d(?!\d)", text) + re.findall(r"\d([.,])\d\d\s?[$€£]", text))
    return marks.pop() if len(marks) == 1 else ""


def _amounts(pattern: re.Pattern[str], text: str, mark: str) -> Iterator[Decimal]:
    for match in pattern.finditer(text):
        digits, percent, word = match.groups()
        for size in _sizes(digits, mark):
            for scaled in _scaled(size, percent or "", (word or "").casefold()):
                yield from _signed(scaled, text[max(0, match.start() - 3) : match.start()], text[match.end() :][:1])


def _sizes(digits: str, mark: str) -> Iterator[Decimal]:
    """What the digits are: thousands where the groups allow it and the text's decimal mark does not forbid it."""
    parts = re.split(r"[.,'’\s]", digits)
    separators = re.findall(r"[.,'’\s]", digits)
    is_grouped = len(set(separators)) <= 1 and all(len(part) == 3 for part in parts[1:]) and parts[0] != "0"  # noqa: PLR2004  # thousands
    if is_grouped and (len(separators) != 1 or separators[0] != mark):
        yield Decimal("".join(parts))
        return
    if separators and separators[-1] in ".," and separators[-1] not in separators[:-1]:
        whole = parts[:-1]
        if len(set(separators[:-1])) <= 1 and all(len(part) == 3 for part in whole[1:]):  # noqa: PLR2004
            yield Decimal("".join(whole) + "." + parts[-1])
    if re.fullmatch(r"\d{1,2}(?:,\d\d)+,\d{3}", digits):
        yield Decimal(digits.replace(",", ""))


def _scaled(size: Decimal, percent: str, word: str) -> Iterator[Decimal]:
    if word not in _SCALES or len(word) == 1:
        yield size
    if word in _SCALES:
        yield size.scaleb(_SCALES[word])
    if percent:
        yield size.scaleb(-2)


def _signed(size: Decimal, before: str, after: str) -> Iterator[Decimal]:
    """A minus or brackets around it make it negative; a minus that may be a dash leaves both open."""
    bare = before.rstrip(" $€£¥")
    has_minus, is_bracketed = bare.endswith("-"), bare.endswith("(") and after == ")"
    is_small = size == int(size) and size < 1000  # noqa: PLR2004  # "thirty (30) days"
    if (not has_minus and (not is_bracketed or is_small)) or before.endswith(" ") or bare[:-1][-1:].isalnum():
        yield size
    if has_minus or is_bracketed or after == "-":
        yield -size


_MONTHS = {
    1: "january janvier januar jan janv jän",
    2: "february février februar feb févr",
    3: "march mars märz mar mär",
    4: "april avril apr avr",
    5: "may mai",
    6: "june juin juni jun",
    7: "july juillet juli jul juil",
    8: "august août aug",
    9: "september septembre sept sep",
    10: "october octobre oktober oct okt",
    11: "november novembre nov",
    12: "december décembre dezember dec déc dez",
}
_NUMBER_OF = {name: number for number, names in _MONTHS.items() for name in names.split()}


def _date_stands(value: date, text: str) -> bool:
    """In any of the usual ways to write it."""
    day, month, year = rf"0?{value.day}", rf"0?{value.month}", rf"(?:{value.year}|{value.year % 100:02})"
    name = rf"(?:{'|'.join(_MONTHS[value.month].split())})\b\.?"
    dot = r"[./-]\s?"
    ways = (
        rf"{day}{dot}{month}{dot}{year}",
        rf"{month}[/-]{day}[/-]{year}",
        rf"{value.year}{dot}{month}{dot}{day}",
        rf"{value.year}{value.month:02}{value.day:02}",
        rf"{value.year}\s?年\s?{month}\s?月\s?{day}",
        rf"{day}(?:st|nd|rd|th|er|\.)?[\s,/-]*(?:(?:day )?of |de )?{name}[\s,/-]*(?:of )?'?{year}",
        rf"{name}[\s/-]*{day}(?:st|nd|rd|th)?[\s,/-]*{year}",
    )
    return any(re.search(rf"(?<![\d]){way}(?!\d)", text, re.IGNORECASE) for way in ways)


def _as_amount(text: str) -> Decimal | None:
    """The amount that a text is and nothing else, in the English notation or, with a comma, the other one."""
    match = re.fullmatch(r"[\s$€£¥]*(-?\d[\d.,]*)[\s$€£¥%]*(?:EUR|USD)?([a-z]*)", text)
    digits, word = match.groups() if match else ("", "")
    power = _SCALES.get(word) if word else 0
    if power is None:
        return None
    if re.fullmatch(r"-?\d{1,3}(,\d{3})*(\.\d+)?|-?\d+(\.\d+)?|-?\d{1,2}(,\d\d)+,\d{3}", digits):
        return Decimal(digits.replace(",", "")).scaleb(power)
    if re.fullmatch(r"-?\d{1,3}(\.\d{3})*,\d+|-?\d+,\d+", digits):
        return Decimal(digits.replace(".", "").replace(",", ".")).scaleb(power)
    return None


def _as_date(text: str) -> date | None:
    patterns = (
        r"(?P<year>\d{4})-(?P<month>\d\d?)-(?P<day>\d\d?)",
        r"(?P<day>\d\d?)\.(?P<month>\d\d?)\.(?P<year>\d{4})",
        r"(?P<day>\d\d?)\.? (?P<month>[^\W\d]+)\.? (?P<year>\d{4})",
        r"(?P<month>[^\W\d]+)\.? (?P<day>\d\d?),? (?P<year>\d{4})",
    )
    for pattern in patterns:
        if match := re.fullmatch(pattern, text.strip()):
            month = _NUMBER_OF.get(match["month"].casefold()) or (
                int(match["month"]) if match["month"].isdecimal() else 0
            )
            try:
                return date(int(match["year"]), month, int(match["day"]))
            except ValueError:  # no such day
                return None
    return None
