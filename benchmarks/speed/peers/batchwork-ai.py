"""batchwork-ai 0.3: its own client over httpx, every request a validated object.

It does: one job, requests checked before they are sent, results streamed as validated objects. It does not: cut a run
into jobs (so this script does, and drops each job's answers before the next), keep state or answers on disk, put
answers in input order (so the script does), validate answers (so the script does). It refuses Anthropic's option for a
schema, so it sends none, and less than the others. It reads files, which is not measured.
"""

# ruff: noqa: E402  # the path is set before what is imported by it
from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

# Run as a script in an environment without our package.
sys.path[0] = str(Path(__file__).parents[3])

from batchwork import BatchDefaults, BatchRequest, Batchwork

from benchmarks.speed.work import MAX_TOKENS, MODEL, Answer, Asked, asked, conversation, measure

_DEFAULTS = BatchDefaults(max_output_tokens=MAX_TOKENS)


def scores(given: Asked) -> Iterator[int]:
    """The answers, job by job, in input order."""
    with asyncio.Runner() as loop:
        client = Batchwork(credentials={"anthropic": {"api_key": "none", "base_url": given.url}})
        for start in range(0, given.items, given.per_job):
            yield from loop.run(_job(client, range(start, min(given.items, start + given.per_job))))
        loop.run(client.aclose())


async def _job(client: Batchwork, items: range) -> list[int]:
    asks = [BatchRequest(custom_id=str(item), prompt=conversation(item)[0]["content"]) for item in items]
    job = await client.batch(model=f"anthropic/{MODEL}", requests=asks, defaults=_DEFAULTS)
    await job.wait(poll_interval=0.01)
    found = {}
    async for result in job.results():
        if result.text is None:
            raise RuntimeError(str(result.error))
        found[result.custom_id] = Answer.model_validate_json(result.text).score
    return [found[str(item)] for item in items]


if __name__ == "__main__":
    measure(scores, asked())
