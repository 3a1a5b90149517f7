"""Servers known by name, as data. Any other is reached as ``compatible/MODEL`` with its address in the environment."""

from __future__ import annotations

from dataclasses import dataclass

_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Preset:
    """One server that follows OpenAI's Batch API.

    Attributes:
        title: its name for people.
        base_url: where it is; ``None``: only the environment knows (``NAME_BASE_URL``).
        needs_key: whether it answers nobody without ``NAME_API_KEY``.
        max_requests: in one job.
        max_bytes: of one job.
        window: within which a job is done.
        expires_hours: the same in hours.
        purpose: what an uploaded file is for.
        takes_metadata: whether a job can carry a tag.
    """

    title: str
    base_url: str | None = None
    needs_key: bool = True
    max_requests: int = 50_000
    max_bytes: int = 100 * _MEGABYTE
    window: str = "24h"
    expires_hours: float | None = 24
    purpose: str = "batch"
    takes_metadata: bool = True


PRESETS = {
    "compatible": Preset("The compatible server", needs_key=False, expires_hours=None),
    "cerebras": Preset("Cerebras", "https://api.cerebras.ai/v1", max_bytes=200 * _MEGABYTE),
    "doubleword": Preset("Doubleword", "https://api.doubleword.ai/v1", max_bytes=200 * _MEGABYTE),
    "groq": Preset("Groq", "https://api.groq.com/openai/v1"),
    "together": Preset("Together", "https://api.together.xyz/v1", purpose="batch-api", takes_metadata=False),
}
