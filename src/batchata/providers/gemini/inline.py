"""Our lines in the SDK's types for jobs without a file, and their results as lines. Touches no network."""

from __future__ import annotations

import json
from typing import Any

import orjson
from google.genai import types

from batchata.providers.gemini.snapshots import output_of

_WRAPPING = 40
"""``{"request": …, "metadata": {"key": …}}, `` where a line says ``{"key":…,"request":…}``."""


def inlined(line: bytes) -> types.InlinedRequest:
    """One line as the SDK's type; it arrives as the line says it."""
    entry = orjson.loads(line)
    request = entry["request"]
    config = dict(request["generationConfig"])
    if "systemInstruction" in request:
        config["systemInstruction"] = request["systemInstruction"]
    return types.InlinedRequest.model_validate_json(
        orjson.dumps(
            {
                "model": request["model"],
                "contents": request["contents"],
                "config": config,
                "metadata": {"key": entry["key"]},
            }
        )
    )


def sent_bytes(line: bytes) -> int:
    """What a line takes in the body that the SDK writes: spaced, and all but ASCII escaped."""
    return len(json.dumps(orjson.loads(line))) + _WRAPPING


def results_of(batch: dict[str, Any]) -> tuple[list[bytes], str | None]:
    """The results that stand in a batch itself, and the name of the file with its results."""
    output = output_of(batch)
    return result_lines(output), output.get("responsesFile")


def result_lines(output: dict[str, Any]) -> list[bytes]:
    """The results that stand in a batch itself, one line each."""
    results = (output.get("inlinedResponses") or {}).get("inlinedResponses") or []
    # Not by orjson, which refuses the half of a surrogate pair that models now and then write.
    return [json.dumps(result).encode("ascii") for result in results]
