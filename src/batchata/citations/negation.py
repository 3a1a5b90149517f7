"""Whether what stands at a place of a text is denied there: "liable" in "shall not be liable"."""

from __future__ import annotations

import re
from collections import Counter

_WORDS = (
    "not never cannot nor non without "  # English
    "nicht nie niemals kein keine keinen keinem keiner keines ohne "  # German
    "pas jamais sans ne "  # French
    "nunca sin não nem sem "  # Spanish, Portuguese
    "niet nooit geen zonder "  # Dutch
    "inte ikke ej ingen inget inga uten uden utan "  # Nordic
    "не нет без ни bez "  # Russian, Polish, Czech
    "لا لم لن ليس ليست غير بدون"  # Arabic
)
_FILLERS = (
    "be been being have has had get yet longer so fully wholly otherwise always necessarily also any such a an the "
    "mehr länger vollständig so eine einen einer plus été être sido ser meer worden"
)
"""What may stand between a negation and what it denies: "not be liable", "nicht mehr haftbar"."""
_NEGATIONS = "|".join(_WORDS.split())
_FILLER = "|".join(_FILLERS.split())
_REACH = 48
_BEFORE = re.compile(
    rf"(?:\b(?:{_NEGATIONS})|n['’]t)(?:\s+(?:{_FILLER})){{0,3}}(?:\s+|\s*[-‐‑–]\s*)$"
    r"|\bn['’]$|[不没未无沒無]$",
    re.IGNORECASE,
)
# "Invoice No 4711" and "No. 12" number a thing; "no refund" denies one.
_NO = re.compile(r"(?<!\w)no\s+$", re.IGNORECASE)
_PLAIN_WORD = re.compile(r"[^\W\d_]{3,}(?!\d)")
_BEHIND = re.compile(
    r"(?:[ \t\u00a0]+|\s+(?=(?-i:[a-zà-ž])))(?:nicht|niet|pas|inte|ikke|ej|değil\w*)\b|n?['’]t\b", re.IGNORECASE
)
_MARKS = re.compile(r"[^\w\s]*\Z")
_LABEL = re.compile(r":[^\n]*\n\s*$")
_ANY = re.compile(rf"\b(?:{_NEGATIONS}|no|kein\w*|değil\w*)\b|n['’]t\b|[不没未无沒無]", re.IGNORECASE)


def is_denied(text: str, start: int, end: int) -> bool:
    """Whether a negation stands before ``[start, end)``, or right behind it, as in "haftet nicht" or "can't".

    Only auxiliaries and articles may stand between the two. Behind a number it denies what is said of it ("Artikel 12
    nicht lieferbar"), not the number. What ends a line with a label of its own denies nothing in the next.
    """
    before = text[max(0, start - _REACH) : start]
    if _BEFORE.search(before) and not _LABEL.search(before):
        return True
    last = end - len(_MARKS.search(text, start, end).group())  # type: ignore[union-attr]  # may be empty
    if text[last - 1 : last].isalpha() and _BEHIND.match(text, last):
        return True
    word = _PLAIN_WORD.match(text, start)
    return word is not None and not word.group().isupper() and _NO.search(before) is not None


def negations(text: str) -> Counter[str]:
    """The words of a text that deny something, each as often as it stands there."""
    return Counter(word.casefold().replace("’", "'") for word in _ANY.findall(text))
