"""How well a value is traced, in the few words that the report sorts by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from batchata.types import Citation, Match

LOW_SCORE = 0.8
"""Below it a place is one of several, or a likeness: worth a look."""


class State(StrEnum):
    """Of one field."""

    TRACED = "traced"
    """Its value stands in the source, where a citation says."""
    LOOSE = "loose"
    """Cited, but nothing of it proves the value."""
    MISSING = "missing"
    """Cited nowhere, or only what was not found."""
    BLANK = "blank"
    """There is no value, and so nothing to trace."""
    UNASKED = "unasked"
    """No citations were asked for, or they could not be worked out; or it is a yes or no, which no text spells out."""


class Flag(StrEnum):
    """What the list of items can be narrowed down to."""

    FAILED = "failed"
    UNVERIFIED = "unverified"
    LOW_SCORE = "low_score"
    NOT_FOUND = "not_found"


def is_proof(citation: Citation) -> bool:
    """Whether the cited text was found, and holds the value as far as that can be told."""
    return citation.verified and citation.holds_value is not False


def state_of_field(value: object, cited: Sequence[Citation] | None) -> State:
    """Of a field with the citations it has; ``None`` where there are none by choice."""
    if cited is None:
        return State.UNASKED
    if any(is_proof(each) for each in cited):
        return State.TRACED
    if value is None or value == "":
        return State.BLANK
    if isinstance(value, bool) and not cited:
        return State.UNASKED
    return State.MISSING if _is_nowhere(cited) else State.LOOSE


def state_of_text(cited: Sequence[Citation] | None) -> State:
    """Of an answer in words, which is traced when all it cites is."""
    if cited is None:
        return State.UNASKED
    if _is_nowhere(cited):
        return State.MISSING
    return State.TRACED if all(is_proof(each) for each in cited) else State.LOOSE


def flags(states: Iterable[State], cited: Sequence[Sequence[Citation]], *, failed: bool) -> list[Flag]:
    """Of an item with the states of its fields and, field by field, its citations."""
    found = set(states)
    holds = {
        Flag.FAILED: failed,
        Flag.UNVERIFIED: bool(found & {State.LOOSE, State.MISSING}),
        Flag.LOW_SCORE: any(low_score(each) is not None for each in cited),
        Flag.NOT_FOUND: State.MISSING in found
        or any(each.match is Match.NOT_FOUND for field in cited for each in field),
    }
    return [flag for flag, is_so in holds.items() if is_so]


def _is_nowhere(cited: Sequence[Citation]) -> bool:
    return all(each.match is Match.NOT_FOUND for each in cited)


def low_score(cited: Sequence[Citation]) -> float | None:
    """The score of the surest place that was found, if even that one is not sure."""
    scores = [each.score for each in cited if each.score is not None and each.match is not Match.NOT_FOUND]
    return None if not scores or max(scores) >= LOW_SCORE else max(scores)
