"""When models end, as their providers announced it. Data."""

from __future__ import annotations

import re
from datetime import date

_SNAPSHOT = re.compile(r"-(\d{8}|0|latest)$")
"""What may follow the name of an Anthropic model: the date of a snapshot, or a word for the newest one."""

RETIREMENTS = {
    "claude-3-5-haiku": date(2026, 2, 19),
    "claude-3-5-sonnet": date(2025, 10, 28),
    "claude-3-7-sonnet": date(2026, 2, 19),
    "claude-3-haiku": date(2026, 4, 20),
    "claude-3-opus": date(2026, 1, 5),
    "claude-opus-4": date(2026, 6, 15),
    "claude-opus-4-1": date(2026, 8, 5),
    "claude-sonnet-4": date(2026, 6, 15),
    "claude-sonnet-4-5": date(2026, 11, 30),
    "gpt-3.5-turbo": date(2026, 10, 23),
    "gpt-4": date(2026, 10, 23),
    "gpt-4-turbo": date(2026, 10, 23),
    "gpt-4.1": date(2027, 1, 14),
    "gpt-4.1-mini": date(2027, 1, 14),
    "gpt-4.1-nano": date(2026, 10, 23),
    "gpt-4o": date(2027, 1, 14),
    "gpt-4o-mini": date(2027, 1, 14),
    "gpt-5": date(2026, 12, 11),
    "gpt-5-mini": date(2026, 12, 11),
    "gpt-5-nano": date(2026, 12, 11),
    "gpt-5.1": date(2027, 4, 1),
    "gpt-5.4-nano": date(2027, 4, 1),
    "o1": date(2026, 10, 23),
    "o3": date(2026, 12, 11),
    "o3-mini": date(2026, 10, 23),
    "o4-mini": date(2026, 10, 23),
}
"""The day from which calls fail (platform.claude.com and developers.openai.com, deprecations; read 2026-11-22)."""


def retirement(model: str) -> date | None:
    """The day from which calls of a model, or of a snapshot of it, fail; ``None`` where none was announced."""
    return RETIREMENTS.get(model, RETIREMENTS.get(_SNAPSHOT.sub("", model)))
