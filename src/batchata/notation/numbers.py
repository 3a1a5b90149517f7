"""Numbers in a text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal

from batchata.notation.dates import dates
from batchata.notation.words import CJK_SCALES, CURRENCIES, LETTER_SCALES, SCALES, UNITS

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class NumberToken:
    """A number in a text: characters ``[start, end)``, sign, brackets, per cent and scale word included.

    ``values`` holds what it means, the likeliest first: "19 %" is 19 and 0.19. Tokens may overlap: "2 100,00" with a
    plain space is one number or two.

    Attributes:
        currency: the code or sign beside it; ``""`` without one.
        unlikely: what it would mean if this text wrote decimals in a way that nothing else in it shows: "1,234" as
            1.234.
        is_doubtful: another reading of the same characters is as likely.
    """

    start: int
    end: int
    text: str
    values: tuple[Decimal, ...]
    currency: str = ""
    unlikely: tuple[Decimal, ...] = ()
    is_doubtful: bool = False


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
    r"\b(?:A[DELTZ]|B[AEGHRY]|C[HRYZ]|D[EJKO]|E[EGS]|F[IKOR]|G[BEILRT]|H[RU]|I[ELQST]|JO|K[WZ]|L[BCITUVY]|"
    r"M[CDEKNRTU]|N[ILO]|OM|P[KLST]|QA|R[OSU]|S[ACDEIKMOTV]|T[LNR]|UA|V[AG]|XK)"
    r"\d{2}(?: ?[A-Z0-9]{4}){2,8}(?: ?[A-Z0-9]{1,4})?\b"  # IBAN, by its countries
    r"|\b(?:https?|ftp)://\S+"
)
_GLUE = re.compile(r"[\w/-]*")
_COMPOUND = re.compile(r"[-/][^\W\d_A-Z]{2,}$")
_WORD = re.compile(r"[^\W\d_]+")
_SCALE_WORD = re.compile(r"([ \t\u00a0\u202f\u2009]{0,2}(?:\r?\n[ \t]{0,2})?)([^\W\d_]+)")
_WINDOW = 40
_GROUP = 3
_YEAR_DIGITS = 4
_SYMBOLS = "$€£¥₹₽₩₺₪₫฿¢"
_SIGNS = "-−–△▲"
_CURRENCY_BEHIND = re.compile(rf"\s?([{re.escape(_SYMBOLS)}]|[A-Za-zł]{{2,3}}(?![^\W\d_]))")
_PERCENT = re.compile(r"\s?[%٪％]")
_ALONE = re.compile(r"[ \t]*(?:\n|\Z)|\t|[ ]{2}|[ ]?[\d(\[$€£¥—–-]")
"""Behind a bracket: a cell of a table ends there, rather than a remark in a sentence."""
_MINUS_WORD = re.compile(r"(?<!\w)(?:minus|moins|menos|meno|минус)\s$", re.IGNORECASE)
_MINUS_GAP = re.compile(r"(?::\s{0,3}|[ \t]{2}|\t)[-−–] $")
_LINE_MINUS = re.compile(r"(?:^|\n)[ \t]*[-−–] $")
_THOUSANDS = re.compile(r"(?<!\w)(?:T|k)(?:EUR|€|USD|CHF|GBP|\$)\s?$")


def numbers(text: str) -> list[NumberToken]:
    """The numbers of a text in order, without those inside identifiers, dates, clock times and URLs.

    Scale words count ("12.3 million"), brackets are minus around amounts. How the text writes decimals is learned
    from its unmistakable amounts ("14.875,00"); without any, three digits behind a comma or point are thousands. The
    year of a date with a month name is a number, its day is not.
    """
    taken = sorted([match.span() for match in _OPAQUE.finditer(text)] + _date_spans(text))
    spaced = _spaced_spans(text)
    spans = list(_outside(sorted(spaced + list(_core_spans(text, spaced))), taken))
    mark = _decimal_mark(text, spans)
    soft = [span for span in spaced if not _is_firm(text, span)]
    doubtful = set(spans) - set(_outside(spans, soft))
    tokens = [
        replace(token, is_doubtful=token.is_doubtful or (start, end) in doubtful)
        for start, end in spans
        if (token := _number(text, start, end, mark)) is not None
    ]
    return sorted(tokens, key=lambda token: (token.start, token.end))


def _decimal_mark(text: str, spans: Sequence[Span]) -> str | None:
    """The decimal mark that all unmistakable amounts of the text share; ``None`` if there are none, or both kinds."""
    marks: set[str] = set()
    for start, end in spans:
        run = text[start:end].translate(_PLAIN_SEPARATOR)
        separators = [char for char in run if not char.isdigit()]
        cents = (
            len(separators) > 0
            and separators[-1] in ".,"
            and re.fullmatch(r"\d{2}", run[run.rfind(separators[-1]) + 1 :])
        )
        if cents and (len(set(separators)) > 1 or _currency(text, start, end)):
            marks.add(separators[-1])
    return marks.pop() if len(marks) == 1 else None


def _spaced_spans(text: str) -> list[Span]:
    """Digits with spaces between the thousands."""
    return [match.span() for match in _SPACED.finditer(text)]


def _is_firm(text: str, span: Span) -> bool:
    """Whether it can be no more than one number: for its spaces, or a group such as "000"."""
    return not re.search(r" (?!0)", text[slice(*span)])


def _core_spans(text: str, spaced: Sequence[Span]) -> Iterator[Span]:
    """Runs of digits and separators, but for pieces of a number with spaces that is one number for sure."""
    spans = [span for match in _CORE.finditer(text) for span in _split_list(match)]
    return _outside(spans, [span for span in spaced if _is_firm(text, span)])


def _split_list(match: re.Match[str]) -> Iterator[Span]:
    """The whole run, or its members if it is a list such as "1,2,3" or "1.5,2.5"."""
    run, start = match.group(), match.start()
    parts = run.split(",")
    if len(parts) == 1 or any(_readings(run.translate(_PLAIN_SEPARATOR), None)):
        yield match.span()
        return
    for part in parts:
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


def _number(text: str, start: int, end: int, mark: str | None) -> NumberToken | None:
    if end - start > _MAX_DIGITS or _in_time(text, start, end) or _in_identifier(text, start, end):
        return None
    values, unlikely = _readings(text[start:end].translate(_PLAIN_SEPARATOR), mark)
    if not values:
        return None
    currency = _currency(text, start, end)
    if text[start - 1 : start] == "." and text[start:end].isdigit() and not text[max(0, start - 2) :][:1].isalnum():
        start, values = start - 1, (Decimal("0" + text[start - 1 : end]),)  # ".50"
    if text[end : end + 1] in _FRACTIONS:
        end, values = end + 1, tuple(_EXACT.add(value, Decimal(_FRACTIONS[text[end]])) for value in values)
    if _THOUSANDS.search(text, max(0, start - 6), start):
        values, unlikely = _times(values, 1000), _times(unlikely, 1000)
    if scaled := _scale(text, end, values, money=bool(currency)):
        end, values, unlikely = *scaled, ()
        currency = currency or _currency_behind(text, end)
    percent = _PERCENT.match(text, end)
    if percent:
        end, values = percent.end(), (*values, *_times(values, Decimal("0.01")))
    start, end, values, is_doubtful = _signed(text, start, end, values)
    if values[0] < 0:
        unlikely = tuple(value.copy_negate() for value in unlikely)
    return NumberToken(start, end, text[start:end], tuple(dict.fromkeys(values)), currency, unlikely, is_doubtful)


def _times(values: Iterable[Decimal], factor: Decimal | int) -> tuple[Decimal, ...]:
    return tuple(_EXACT.multiply(value, Decimal(factor)) for value in values)


def _readings(run: str, mark: str | None) -> tuple[tuple[Decimal, ...], tuple[Decimal, ...]]:
    """What digits with separators mean, and what they would mean with another decimal mark than ``mark``.

    Nothing if no notation writes numbers like that.
    """
    separators = [char for char in run if not char.isdigit()]
    groups = re.split(r"\D", run)
    if not separators:
        return (Decimal(run),), ()
    last, rest = separators[-1], separators[:-1]
    whole = (Decimal("".join(groups)),) if _grouped(groups, separators) else ()
    broken: tuple[Decimal, ...] = ()
    if last in ".,٫" and last not in rest and (not rest or _grouped(groups[:-1], rest)):
        broken = (Decimal("".join(groups[:-1]) + "." + groups[-1]),)
    if not whole or not broken:
        return whole or broken, ()
    if mark is None:
        return whole, broken
    return (broken if last == mark else whole), ()


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
    sign = CJK_SCALES.get(text[end : end + 1])
    if sign is not None:
        return end + 1, _times(values, sign)
    word = _SCALE_WORD.match(text, end)
    if word is None:
        return None
    key = word[2].casefold()
    factor = SCALES.get(key) or (LETTER_SCALES.get(key) if not word[1] else None)
    if factor is None:
        return None
    scaled = _times(values, factor)
    money = money or bool(_currency_behind(text, word.end()))
    return word.end(), scaled if key in SCALES or money else (*values, *scaled)


def _signed(
    text: str, start: int, end: int, values: tuple[Decimal, ...]
) -> tuple[int, int, tuple[Decimal, ...], bool]:
    """Take in a sign or accounting brackets; and whether the sign is in doubt."""
    negative = tuple(value.copy_negate() for value in values)
    outer = _currency_start(text, start)
    minus = _minus_before(text, start, outer)
    if minus is not None:
        # In a line of its own, "- 5 €" is minus an amount, or an amount in a list.
        is_doubtful = bool(_LINE_MINUS.search(text, max(0, outer - 12), outer)) and outer - minus == 2  # noqa: PLR2004  # sign and blank
        return minus, end, (*negative, *values) if is_doubtful else negative, is_doubtful
    if text[outer - 1 : outer] == "(" and text[end : end + 1] == ")":
        is_amount = not text[start:end].isdigit() or outer < start
        is_cell = _ALONE.match(text, end + 1) is not None
        kept = negative if is_amount else (*negative, *values) if is_cell else values
        return outer - 1, end + 1, kept, is_cell and not is_amount
    if re.match(r"-(?![\w-])", text[end : end + 2]) and not text[start:end].isdigit():
        return start, end + 1, negative, False
    return start, end, values, False


def _minus_before(text: str, start: int, outer: int) -> int | None:
    """Where a minus begins that belongs to the number, before its currency or behind it."""
    for edge in (start, outer):
        sign = text[edge - 1 : edge]
        if sign and sign in _SIGNS and not re.match(r"[\w)\]/]", text[max(0, edge - 2) : edge - 1]):
            return edge - 1
    before = text[max(0, outer - 12) : outer]
    if _MINUS_WORD.search(before):
        return outer
    if _MINUS_GAP.search(before) or (outer < start and _LINE_MINUS.search(before)):
        return outer - 2
    return None


def _currency(text: str, start: int, end: int) -> str:
    """The currency beside a number, as it stands there, before it or behind it."""
    edge = _currency_start(text, start)
    if edge < start:
        return text[edge:start].strip().casefold()
    return _currency_behind(text, end)


def _currency_behind(text: str, end: int) -> str:
    behind = _CURRENCY_BEHIND.match(text, end)
    if behind and (behind[1] in _SYMBOLS or behind[1].casefold() in CURRENCIES):
        return behind[1].casefold()
    return ""


def _currency_start(text: str, start: int) -> int:
    """Where a currency sign or code directly before the number begins; ``start`` if there is none."""
    before = text[max(0, start - 5) : start].rstrip(" " + _HARD_SPACES)
    gap_end = max(0, start - 5) + len(before)
    if before[-1:] and before[-1] in _SYMBOLS:
        return gap_end - 1
    code = re.search(r"(?<![^\W\d_])[A-Za-z]{2,3}$", before)
    return gap_end - len(code.group()) if code and code.group().casefold() in CURRENCIES else start


def _in_time(text: str, start: int, end: int) -> bool:
    is_minute = re.fullmatch(r"[0-5]\d", text[start:end]) and re.search(r"\d:$", text[max(0, start - 2) : start])
    return bool(is_minute or re.match(r":[0-5]\d(?!\d|[.,]\d)", text[end : end + 5]))


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
