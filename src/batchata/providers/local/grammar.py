"""Grammars in llguidance's form: what the model may write next. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable

# What comes after the closing quote is cut off by the stop string; allowing it lets the model write tokens that
# hold more than the quote, as it would by itself.
_CLOSED = '"\\"" /(.|\\n)*/'


def one_of(words: Iterable[str]) -> str:
    """One of these, then a quote."""
    return f"%llguidance {{}}\nstart: ({_either(words)}) {_CLOSED}\n"


def words_of(text: str, *extra: str) -> str:
    """Any run of words that stands in one line of the text (or one of the extra words), then a quote."""
    value = " | ".join(["RUN", *map(_literal, extra)])
    return (
        f"%llguidance {{}}\nstart: ({value}) {_CLOSED}\nRUN: WORDS & /[^\\n]*/\n"
        f'WORDS: %regex {{ "substring_words": {_literal(text)} }}\n'
    )


def mark(marks: Iterable[str]) -> str:
    """One of these, and nothing more."""
    return f"%llguidance {{}}\nstart: {_either(marks)}\n"


def _either(words: Iterable[str]) -> str:
    return " | ".join(map(_literal, words))


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
