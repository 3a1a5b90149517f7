"""Deterministic token counts and the prompt cache: four bytes of text are a token."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import orjson

from tests.wire import media
from tests.wire.answers import JsonObject

BYTES_PER_TOKEN = 4
TURN_TOKENS = 3
"""What the role of a turn takes."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of the prompt, in the order in which the cache sees it (tools, system, messages)."""

    content: bytes
    tokens: int
    ttl: str | None = None


def text_tokens(text: str) -> int:
    return math.ceil(len(text.encode()) / BYTES_PER_TOKEN)


def count(params: JsonObject) -> int:
    """Input tokens of a request; never 0."""
    return max(1, sum(segment.tokens for segment in segments(params)))


def output_count(content: tuple[JsonObject, ...]) -> int:
    """Output tokens of an answer; cited text is free."""
    texts = [block.get("text") or block.get("thinking") or "" for block in content]
    return sum(map(text_tokens, texts))


def segments(params: JsonObject) -> list[Segment]:
    found = [_json_segment(tool) for tool in params.get("tools") or ()]
    schema = (params.get("output_config") or {}).get("format")
    if schema:
        found.append(_json_segment(schema))
    found += _blocks(params.get("system") or [])
    for turn in params.get("messages") or ():
        found.append(Segment(turn["role"].encode(), TURN_TOKENS))
        found += _blocks(turn["content"])
    if params.get("cache_control") and found:
        last = found[-1]
        found[-1] = Segment(last.content, last.tokens, _ttl(params))
    return found


def _json_segment(value: JsonObject) -> Segment:
    body = _identity(value)
    return Segment(body, math.ceil(len(body) / BYTES_PER_TOKEN), _ttl(value))


def _blocks(content: str | list[JsonObject]) -> Iterator[Segment]:
    if isinstance(content, str):
        yield Segment(content.encode(), text_tokens(content))
        return
    for block in content:
        yield Segment(_identity(block), _block_tokens(block), _ttl(block))


def _identity(block: JsonObject) -> bytes:
    """What the cache compares: everything but the marks themselves."""
    return orjson.dumps({key: value for key, value in block.items() if key != "cache_control"})


def _block_tokens(block: JsonObject) -> int:
    source = block.get("source") or {}
    match block["type"], source.get("type"):
        case "text", _:
            return text_tokens(block["text"])
        case "image", "base64":
            return media.image_tokens(source["data"])
        case "document", "base64":
            return media.pdf_pages(source["data"]) * media.PAGE_TOKENS + _label_tokens(block)
        case "document", "text":
            return text_tokens(source["data"]) + _label_tokens(block)
        case _:
            return math.ceil(len(orjson.dumps(block)) / BYTES_PER_TOKEN)


def _label_tokens(block: JsonObject) -> int:
    return text_tokens((block.get("title") or "") + (block.get("context") or ""))


def _ttl(block: JsonObject) -> str | None:
    control = block.get("cache_control")
    return control.get("ttl", "5m") if control else None


@dataclass(slots=True)
class PromptCache:
    """Prefixes written so far.

    Attributes:
        hit_rate: how often a written prefix is found again; in real batches 0.3 to 0.98.
        min_tokens: shorter prefixes are not cached, without a word, as at the real server.
    """

    hit_rate: float = 1.0
    min_tokens: int = 1024
    seed: int = 0
    _written: set[bytes] = field(default_factory=set)
    _lookups: int = 0

    def usage(self, params: JsonObject) -> JsonObject:
        """The input side of ``usage``: reads, writes and the rest always add up to the count."""
        prompt = segments(params)
        total = max(1, sum(segment.tokens for segment in prompt))
        read = written = 0
        ttl = "5m"
        for prefix, tokens, prefix_ttl in self._breakpoints(str(params.get("model")), prompt):
            if self._hit(prefix):
                read, written = tokens, 0
            else:
                written = tokens - read
            ttl = prefix_ttl
            self._written.add(prefix)
        return {
            "input_tokens": total - read - written,
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": written if ttl == "5m" else 0,
                "ephemeral_1h_input_tokens": written if ttl == "1h" else 0,
            },
        }

    def _breakpoints(self, model: str, prompt: list[Segment]) -> Iterator[tuple[bytes, int, str]]:
        if all(segment.ttl is None for segment in prompt):
            return
        digest = hashlib.sha256(model.encode())
        tokens = 0
        for segment in prompt:
            digest.update(segment.content)
            tokens += segment.tokens
            if segment.ttl is not None and tokens >= self.min_tokens:
                yield digest.digest(), tokens, segment.ttl

    def _hit(self, prefix: bytes) -> bool:
        if prefix not in self._written:
            return False
        self._lookups += 1
        return random.Random(f"{self.seed}:{self._lookups}").random() < self.hit_rate  # noqa: S311  # repeatable
