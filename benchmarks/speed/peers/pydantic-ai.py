"""pydantic-ai 2.68, ``model_request_batch``: called directly, without an agent around it.

It does: the official SDK with its retries off at the create, the schema enforced by the provider, what failed in
passing sent again, answers back in input order. It does not: keep state or answers on disk, validate unless an agent
runs (so this script validates), work out costs here. It can cut a run into jobs, but takes and returns whole lists: the
script calls it once a job and drops the answers, which is kinder to its memory. It reads files, which is not measured.
"""

# ruff: noqa: E402  # the path is set before what is imported by it
from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

# Run as a script in an environment without our package.
sys.path[0] = str(Path(__file__).parents[3])

from pydantic_ai import ModelRequest, ModelResponse
from pydantic_ai.direct import model_request_batch
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.batch import BatchRequest
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.providers.anthropic import AnthropicProvider

from benchmarks.speed.work import MAX_TOKENS, MODEL, SCHEMA, Answer, Asked, asked, conversation, measure

_PARAMETERS = ModelRequestParameters(output_mode="native", output_object=OutputObjectDefinition(SCHEMA))
_SOON = timedelta(milliseconds=10)


def scores(given: Asked) -> Iterator[int]:
    """The answers, job by job, in input order."""
    provider = AnthropicProvider(api_key="none", base_url=given.url)
    model = AnthropicModel(MODEL, provider=provider, settings={"max_tokens": MAX_TOKENS})
    with asyncio.Runner() as loop:
        for start in range(0, given.items, given.per_job):
            yield from loop.run(_job(model, range(start, min(given.items, start + given.per_job))))
        loop.run(provider.client.close())


async def _job(model: AnthropicModel, items: range) -> list[int]:
    asks = [
        BatchRequest(
            custom_id=str(item),
            messages=[ModelRequest.user_text_prompt(conversation(item)[0]["content"])],
            model_request_parameters=_PARAMETERS,
        )
        for item in items
    ]
    found = []
    for answer in await model_request_batch(model, asks, poll_interval=_SOON, max_poll_interval=_SOON):
        if not isinstance(answer, ModelResponse):
            raise answer
        found.append(Answer.model_validate_json(answer.text or "").score)
    return found


if __name__ == "__main__":
    measure(scores, asked())
