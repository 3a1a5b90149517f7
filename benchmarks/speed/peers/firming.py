"""firming 0.4: the official SDK driven in one loop, with a deadline after which it would pay the list price.

It does: one job, answers back in input order, tokens kept for a receipt. It does not: cut a run into jobs (so this
script does, and drops each job's answers before the next), write any state unless its ticket is saved, keep answers on
disk, know of schemas or validate (so the schema is passed through and the script validates), read files.
"""

# ruff: noqa: E402  # the path is set before what is imported by it
from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

# Run as a script in an environment without our package; and a peer's script must not be found in place of the peer.
sys.path[0] = str(Path(__file__).parents[3])

import firming
from anthropic import Anthropic
from firming.venues.anthropic_batch import AnthropicBatch

from benchmarks.speed.work import MAX_TOKENS, MODEL, SCHEMA, Answer, Asked, asked, conversation, measure

_OUTPUT = {"format": {"type": "json_schema", "schema": SCHEMA}}


def scores(given: Asked) -> Iterator[int]:
    """The answers, job by job, in input order."""
    with Anthropic(api_key="none", base_url=given.url) as client:
        venues = [AnthropicBatch(client)]
        for start in range(0, given.items, given.per_job):
            items = range(start, min(given.items, start + given.per_job))
            asks = [
                firming.Job(
                    MODEL, conversation(item), {"max_tokens": MAX_TOKENS, "output_config": _OUTPUT}, str(item)
                )
                for item in items
            ]
            for found in firming.run(asks, "24h", venues=venues, fallback="none", poll_interval=0.01):
                if found.text is None:
                    raise RuntimeError(found.error)
                yield Answer.model_validate_json(found.text).score


if __name__ == "__main__":
    measure(scores, asked())
