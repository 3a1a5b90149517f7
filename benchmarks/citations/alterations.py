"""Values made wrong in the ways in which models get them wrong."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import TypeAlias

from benchmarks.citations.data import Value

Altered: TypeAlias = "tuple[str, Value]"
"""What was done, and what came of it."""

NEGATIONS = {"en": "not", "de": "nicht", "ru": "не", "zh": "不", "ar": "لا"}
_MONTHS = (
    "January February March April May June July August September October November December",
    "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
)
_MONTH = {name: names.split() for names in _MONTHS for name in names.split()}
_POINT = re.compile(r"(?<=\d)[.,](?=\d)")
_REPEATS = 3
_MAX_SHORT = 60


def alterations(value: Value, random: Random, language: str = "en") -> list[Altered]:
    """The value altered in every way that applies to it; longer texts several times in each."""
    if isinstance(value, Decimal):
        found = list(_numbers(value, random))
    elif isinstance(value, date):
        found = list(_dates(value))
    else:
        times = 1 if len(value) <= _MAX_SHORT else _REPEATS
        found = [altered for _ in range(times) for altered in _texts(value, random, language)]
    return list(dict.fromkeys(each for each in found if _plain(each[1]) != _plain(value)))


def _plain(value: Value) -> object:
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split()) if isinstance(value, str) else value


def _numbers(value: Decimal, random: Random) -> Iterator[Altered]:
    written = str(value)
    for _ in range(_REPEATS):
        yield "digit changed", Decimal(_digit_changed(written, random))
    for swapped in _swaps(written, str.isdecimal):
        yield "digits swapped", Decimal(swapped)
    for shift in (-3, -2, -1, 1, 2, 3):
        yield "point moved", value.scaleb(shift)
    yield "sign flipped", -value


def _dates(value: date) -> Iterator[Altered]:
    for days in (-10, -1, 1, 10):
        yield "day shifted", value + timedelta(days=days)
    for months in (-1, 1):
        month = (value.month - 1 + months) % 12 + 1
        yield "month shifted", value.replace(month=month, day=min(value.day, 28))
    for years in (-1, 1):
        yield "year shifted", value.replace(year=value.year + years, day=min(value.day, 28))
    if value.day <= 12:  # noqa: PLR2004  # months of a year
        yield "day and month swapped", value.replace(month=value.day, day=value.month)


def _texts(text: str, random: Random, language: str) -> Iterator[Altered]:
    if any(char.isdecimal() for char in text):
        yield "digit changed", _digit_changed(text, random)
        yield "digits swapped", _one_of(_swaps(text, str.isdecimal), random, text)
        yield "point moved", _one_of(list(_points_moved(text)), random, text)
    yield "month changed", _one_of(list(_months_changed(text)), random, text)
    yield from _letters(text, random)
    yield from _negated(text, random, NEGATIONS[language])


def _digit_changed(text: str, random: Random) -> str:
    place = random.choice([index for index, char in enumerate(text) if char.isdecimal()])
    return text[:place] + random.choice("0123456789".replace(text[place], "")) + text[place + 1 :]


def _swaps(text: str, is_kind: Callable[[str], bool]) -> list[str]:
    """The text with two different neighbours of a kind swapped, in every way."""
    return [
        text[:place] + text[place + 1] + text[place] + text[place + 2 :]
        for place in range(len(text) - 1)
        if is_kind(text[place])
        and is_kind(text[place + 1])
        and text[place].casefold() != text[place + 1].casefold()
    ]


def _points_moved(text: str) -> Iterator[str]:
    for point in _POINT.finditer(text):
        before, after = text[: point.start()], text[point.end() :]
        yield before[:-1] + point.group() + before[-1] + after
        yield before + after[0] + point.group() + after[1:]
        yield before + after


def _months_changed(text: str) -> Iterator[str]:
    for word in re.finditer(r"[^\W\d_]+", text):
        for other in _MONTH.get(word.group(), ()):
            yield text[: word.start()] + other + text[word.end() :]


def _letters(text: str, random: Random) -> Iterator[Altered]:
    places = [index for index, char in enumerate(text) if char.isalpha()]
    if not places:
        return
    place = random.choice(places)
    yield "letter changed", text[:place] + _other_letter(text[place], random) + text[place + 1 :]
    yield "letter dropped", text[:place] + text[place + 1 :]
    if len(places) > 1:
        yield "first letter dropped", text[: places[0]] + text[places[0] + 1 :]
        yield "last letter dropped", text[: places[-1]] + text[places[-1] + 1 :]
    yield "letters swapped", _one_of(_swaps(text, str.isalpha), random, text)
    accented = [index for index in places if len(unicodedata.normalize("NFD", text[index])) > 1]
    if accented:
        place = random.choice(accented)
        yield "accent dropped", text[:place] + unicodedata.normalize("NFD", text[place])[0] + text[place + 1 :]


def _other_letter(char: str, random: Random) -> str:
    if char.isascii():
        other = random.choice("abcdefghijklmnopqrstuvwxyz".replace(char.lower(), ""))
        return other.upper() if char.isupper() else other
    return next(chr(code) for code in range(ord(char) + 2, ord(char) + 80) if chr(code).isalpha())


def _negated(text: str, random: Random, negation: str) -> Iterator[Altered]:
    """A negation put between two words or taken away."""
    gap = "" if negation == NEGATIONS["zh"] else " "
    gaps = [match.span() for match in re.finditer(r"(?<=\w)\s+(?=\w)" if gap else r"(?<=\w)(?=\w)", text)]
    if gaps:
        start, end = random.choice(gaps)
        yield (
            "not inserted",
            text[:start] + (text[start:end] or gap) + negation + (text[start:end] or gap) + text[end:],
        )
    word = rf"(?i)\b{negation}\b\s*" if gap else negation
    removed = [text[: match.start()] + text[match.end() :] for match in re.finditer(word, text)]
    yield "not removed", _one_of(removed, random, text)


def _one_of(choices: list[str], random: Random, otherwise: str) -> str:
    return random.choice(choices) if choices else otherwise


def denied(text: str, language: str, random: Random, *, at_most: int) -> list[Altered]:
    """What a text says after a "not", without it: true letters, and the contrary of what is said."""
    negation = NEGATIONS[language]
    if language == "zh":
        found = re.findall(rf"{negation}(\w{{2,8}})", text)
    else:
        found = re.findall(rf"(?i)\b{negation}\b (?:be |been )?((?:\w+ ){{0,4}}\w{{3,}})", text)
    chosen = list(dict.fromkeys(found))
    return [("not cut off", phrase) for phrase in random.sample(chosen, min(at_most, len(chosen)))]
