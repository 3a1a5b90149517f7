"""Whether what stands at a place of a text is denied there: "liable" in "not liable"."""

from __future__ import annotations

import re
from collections import Counter

_WORDS = (
    "not never cannot nor non without "  # English
    "nicht nie niemals kein keine keinen keinem keiner keines ohne "  # German
    "pas jamais sans "  # French
    "nunca sin não nem sem né "  # Spanish, Portuguese, Italian
    "niet nooit geen zonder "  # Dutch
    "не нет без ни bez "  # Russian, Polish, Czech
    "لا لم لن ليس ليست غير بدون"  # Arabic
)
_NEGATIONS = "|".join(_WORDS.split())
_REACH = 16
_BEFORE = re.compile(rf"(?:\b(?:{_NEGATIONS})|n['’]t)(?:\s+|\s*[-‐‑–]\s*)$|[不没未无沒無]$", re.IGNORECASE)
# "Invoice No 4711" and "No. 12" number a thing; "no refund" denies one.
_NO = re.compile(r"(?<!\w)no\s+$", re.IGNORECASE)
_PLAIN_WORD = re.compile(r"[^\W\d_]{3,}(?!\d)")
_BEHIND = re.compile(r"\s+(?:nicht|niet)\b", re.IGNORECASE)
_ANY = re.compile(rf"\b(?:{_NEGATIONS}|no|kein\w*)\b|n['’]t\b|[不没未无沒無]", re.IGNORECASE)


def is_denied(text: str, start: int, end: int) -> bool:
    """Whether a negation stands directly before ``[start, end)``, or, as in German and Dutch, directly behind it.

    Behind a number it denies what is said of it ("Artikel 12 nicht lieferbar"), not the number.
    """
    before = text[max(0, start - _REACH) : start]
    if _BEFORE.search(before) or (text[end - 1].isalpha() and _BEHIND.match(text, end)):
        return True
    word = _PLAIN_WORD.match(text, start)
    return word is not None and not word.group().isupper() and _NO.search(before) is not None


def negations(text: str) -> Counter[str]:
    """The words of a text that deny something, each as often as it stands there."""
    return Counter(word.casefold().replace("’", "'") for word in _ANY.findall(text))
